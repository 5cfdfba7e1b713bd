// Models: which one answers and how fast, and another one in its place once it was tried.
import { html, useState } from "../ui.mjs";
import { get, post } from "../core/api.mjs";
import { duration, number, size } from "../core/format.mjs";
import { ended, look } from "../core/jobs.mjs";
import { useLoad } from "../core/load.mjs";
import { t, w } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { confirm } from "../parts/dialog.mjs";
import { Badge, Card, Facts, Page } from "../parts/page.mjs";
import { Empty, Loaded, Note } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

const STATES = { ready: w("ready"), busy: w("answers a question"), loading: w("is being loaded"), failed: w("failed"), none: w("none") };
const KIND = { ready: "good", busy: "good", loading: "warn", failed: "down" };

function Runs({ title, model }) {
  return html`<${Card} title=${title} acts=${html`<${Badge} kind=${KIND[model.state] ?? ""}>${t(STATES[model.state] ?? model.state)}</${Badge}>`}>
    <p><b>${model.name || "–"}</b></p>
    <${Facts} facts=${[[t("Speed"), model.tokens_per_s ? t("{n} tokens per second", { n: number(model.tokens_per_s, 1) }) : ""], [t("First token after"), model.first_token_ms ? duration(model.first_token_ms) : ""], [t("Questions that wait"), number(model.queue)], [t("Done since its start"), model.done == null ? "" : number(model.done)], [t("Memory"), model.memory_bytes ? size(model.memory_bytes) : ""], [t("What is wrong"), model.error?.message ?? model.error ?? ""]]} /></${Card}>`;
}

function Trial({ trial }) {
  const columns = [{ name: "q", label: t("Question"), show: (each) => each.question }, { name: "a", label: t("Like the model in use"), show: (each) => html`<${Badge} kind=${each.agrees ? "good" : "warn"}>${each.agrees ? t("yes") : t("no")}</${Badge}>` }, { name: "ms", label: t("Took"), num: true, show: (each) => duration(each.model_ms) }];
  return html`<${Card} kind="now" title=${t("The trial of {file}", { file: trial.name })}>
    <p>${[trial.tokens_per_s && t("{n} tokens per second", { n: number(trial.tokens_per_s, 1) }), t("{a} of {b} questions read like the small model", { a: number(trial.agreed), b: number(trial.asked) })].filter(Boolean).join(" · ")}</p>
    <${Table} label=${t("Questions of the trial")} columns=${columns} rows=${trial.questions ?? []} id=${(each, at) => at} /></${Card}>`;
}

function File({ file, busy, onTry, onUse }) {
  const words = [file.bytes && size(file.bytes), file.family, file.licence, file.ram_gb && `${number(file.ram_gb, 1)} GB`, file.fits === false ? t("too large for this machine") : file.fits ? t("fits this machine") : ""];
  return html`<li><div class="what"><b>${file.name}</b><span>${[file.file !== file.name && file.file, ...words].filter(Boolean).join(" · ")}</span></div>
    ${file.where === "in use" && html`<${Badge} kind="good">${t("in use")}</${Badge}>`}
    <div class="acts"><${Button} kind="quiet" icon="play" disabled=${busy} onClick=${() => onTry(file)} aria-label=${t("Try it: {name}", { name: file.name })}>${t("Try it")}</${Button}>${file.where === "in the box" && html`<${Button} disabled=${busy} onClick=${() => onUse(file)} aria-label=${t("Use it: {name}", { name: file.name })}>${t("Use it")}</${Button}>`}</div></li>`;
}

export default function Models() {
  const now = useLoad("/api/model", { every: 3000 }), from = useLoad((how) => get("/api/admin/models", how)), [busy, set] = useState(false), [trial, tried] = useState(null);
  const follow = async (path, file, done) => {
    set(true);
    try {
      const job = await ended(await post(path, { file: file.file }));
      if (job.state === "done") done(job);
      else if (job.state === "failed") tellFault(job.error ?? { message: job.said });
    } catch (fault) {
      tellFault(fault);
    }
    set(false);
    from.again(true);
    look();
  };
  const use = async (file) => {
    if (await confirm({ title: t("Answer with {name} from now on?", { name: file.name }), text: t("Questions that wait are kept, and answered by the new model. Try it first if you have not."), yes: t("Use it"), no: t("Leave it"), danger: false }))
      await follow("/api/admin/models/use", file, () => tell(t("{name} answers now.", { name: file.name })));
  };
  return html`<${Page} title=${t("Models")} lead=${t("What reads the questions. It runs in this box; nothing is sent anywhere.")}>
    <${Loaded} from=${now} lines=${2}>${(told) => html`<div class="pair"><${Runs} title=${t("Reads questions")} model=${{ ...told, memory_bytes: from.data?.memory_bytes }} />${told.large?.name ? html`<${Runs} title=${t("Writes text")} model=${told.large} />` : html`<${Card} title=${t("Writes text")}><p class="soft">${t("No larger model is chosen. Answers are sentences and numbers as they are; a larger model can tell them at length.")}</p></${Card}>`}</div>`}</${Loaded}>
    ${trial && html`<${Trial} trial=${trial} />`}
    <section class="stack tight"><h2>${t("Files in this box")}</h2><${Loaded} from=${from}>${(told) => {
      const files = told.models.filter((each) => each.where !== "catalog");
      return files.length ? html`<${Card} flush><ul class="list">${files.map((file) => html`<${File} key=${file.name} file=${file} busy=${busy} onTry=${(each) => follow("/api/admin/models/trial", each, (job) => tried({ name: each.name, ...job.result }))} onUse=${use} />`)}</ul></${Card}>` : html`<${Empty} icon="model" title=${t("No files")} text=${t("Copy a GGUF file to the box and add it with: appliance model add FILE")} />`;
    }}</${Loaded}><${Note}><div>${t("A larger model is added at the box, from a file you have checked:")} <code>appliance model add FILE</code></div></${Note}></section></${Page}>`;
}
