// Backups: made, taken away, tried out, and removed.
import { html, useState } from "../ui.mjs";
import { get, post, remove } from "../core/api.mjs";
import { ago, datetime, duration, number, size } from "../core/format.mjs";
import { ended, goesOn, jobs } from "../core/jobs.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { useStore } from "../core/store.mjs";
import { t } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Text } from "../parts/field.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { Empty, Loaded, Note } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

function Make({ onClose }) {
  const [word, setWord] = useState(""), [again, setAgain] = useState(""), act = useAct((start) => start()), differ = word && again && word !== again;
  const start = () => (word === again ? post("/api/admin/backups", word ? { passphrase: word } : {}) : Promise.reject({ message: t("The two passphrases differ."), hint: t("Type them again.") }));
  return html`<${FormDialog} title=${t("A new backup")} act=${act} submit=${t("Make it")} onSubmit=${start} onClose=${onClose}>
    <p>${t("The whole box in one file: data, screens, roles, accounts, keys, settings. It goes on working meanwhile.")}</p>
    <${Text} label=${t("Passphrase (as you like)")} type="password" autocomplete="new-password" value=${word} onValue=${setWord} hint=${t("With one, nobody reads the file without it, you neither. Write it down.")} />
    ${word && html`<${Text} label=${t("The passphrase again")} type="password" autocomplete="new-password" value=${again} onValue=${setAgain} wrong=${differ ? t("The two passphrases differ.") : ""} />`}</${FormDialog}>`;
}

function Drill({ backup, onClose }) {
  const [word, setWord] = useState(""), act = useAct((start) => start());
  return html`<${FormDialog} title=${t("Try {name} out", { name: backup.name })} act=${act} submit=${t("Try it out")} onSubmit=${() => post(`/api/admin/backups/${encodeURIComponent(backup.name)}/drill`, word ? { passphrase: word } : {})} onClose=${onClose}>
    <p>${t("It is restored into a place of its own, and its rows are counted. Nothing of the running box is touched.")}</p>
    ${backup.sealed && html`<${Text} label=${t("Its passphrase")} type="password" required value=${word} onValue=${setWord} />`}</${FormDialog}>`;
}

function Drilled({ result, name }) {
  const columns = [{ name: "name", label: t("Collection"), show: (each) => html`<b>${each.name}</b>` }, { name: "written", label: t("Rows in the backup"), num: true, show: (each) => number(each.written) }, { name: "restored", label: t("Rows restored"), num: true, show: (each) => html`<span class=${each.restored === each.written ? undefined : "bad"}>${number(each.restored)}</span>` }];
  return html`<${Card} kind="now" title=${t("The drill of {name}", { name })} acts=${html`<${Badge} kind=${result.ok ? "good" : "down"}>${result.ok ? t("it can be restored") : t("it differs")}</${Badge}>`}>
    <p class="soft">${t("It took {time}.", { time: duration(result.took_s * 1000) })}</p>
    <${Table} label=${t("Rows by collection")} columns=${columns} rows=${result.collections} id=${(each) => each.name} /></${Card}>`;
}

export default function Backups() {
  const from = useLoad((how) => get("/api/admin/backups", how)), [makes, make] = useState(false), [drills, drill] = useState(null), [drilled, setDrilled] = useState(null);
  const busy = useStore(jobs).some((job) => goesOn(job) && ["backup", "drill", "restore"].includes(job.kind));
  const follow = async (started, done) => {
    if (!started) return;
    const job = await ended(started);
    if (job.state === "done") done(job);
    else if (job.state === "failed") tellFault(job.error ?? { message: job.said });
    from.again(true);
  };
  const drop = async (backup) => {
    if (!(await confirm({ title: t("Delete {name}?", { name: backup.name }), text: t("It is gone for good. Backups you have downloaded stay."), yes: t("Delete it") }))) return;
    await remove(`/api/admin/backups/${encodeURIComponent(backup.name)}`).then(() => tell(t("{name} was deleted.", { name: backup.name })), tellFault);
    from.again(true);
  };
  const one = (backup) => html`<li key=${backup.name}><div class="what"><b>${backup.name}</b><span>${datetime(backup.made_at)} · ${size(backup.bytes)}</span></div>${backup.sealed && html`<${Badge}>${t("sealed")}</${Badge}>`}${backup.drill && html`<${Badge} kind=${backup.drill.ok ? "good" : "down"}>${backup.drill.ok ? t("tried out {when}", { when: ago(backup.drill.at) }) : t("it differs")}</${Badge}>`}
    <div class="acts"><${To} kind="quiet" icon="update" label=${t("Download {name}", { name: backup.name })} href=${`/api/admin/backups/${encodeURIComponent(backup.name)}`} download=${backup.name} /><${Button} kind="quiet" icon="play" label=${t("Try {name} out", { name: backup.name })} disabled=${busy} onClick=${() => drill(backup)} /><${Button} kind="quiet danger" icon="trash" label=${t("Delete {name}", { name: backup.name })} onClick=${() => drop(backup)} /></div></li>`;
  return html`<${Page} title=${t("Backups")} lead=${t("Make one, keep it outside of this box, and try out now and then whether it can be restored.")} acts=${html`<${Button} kind="main" icon="plus" disabled=${busy} onClick=${() => make(true)}>${t("Make a backup")}</${Button}>`}>
    ${drilled && html`<${Drilled} ...${drilled} />`}
    <${Loaded} from=${from}>${(told) => {
      const all = told.backups;
      if (!told.possible) return html`<${Note} kind="warn" icon="warn"><div>${told.said}</div></${Note}>`;
      return all.length ? html`<${Card} flush><ul class="list">${all.map(one)}</ul></${Card}>` : html`<${Empty} icon="backup" title=${t("No backup yet")} text=${t("If this machine broke today, all would be lost. A backup takes about a minute.")}><${Button} kind="main" icon="plus" disabled=${busy} onClick=${() => make(true)}>${t("Make a backup")}</${Button}></${Empty}>`;
    }}</${Loaded}>
    <${Note}><div>${t("At the box itself a backup is restored by")} <code>appliance restore</code>.</div></${Note}>
    ${makes && html`<${Make} onClose=${(started) => (make(false), follow(started, (job) => tell(t("The backup is made: {name}", { name: job.result?.name ?? "" }))))} />`}
    ${drills && html`<${Drill} backup=${drills} onClose=${(started) => (drill(null), follow(started, (job) => setDrilled({ name: drills.name, result: job.result ?? {} })))} />`}</${Page}>`;
}
