// What was asked: who, when, what ran for it, how long it took and how sure the box was.
import { html, useState } from "../ui.mjs";
import { at } from "../core/api.mjs";
import { datetime, duration, number } from "../core/format.mjs";
import { screens } from "../core/live.mjs";
import { useLoad, usePages } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { hoursOf } from "../core/day.mjs";
import { useStore } from "../core/store.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Bars } from "../parts/chart.mjs";
import { Dialog } from "../parts/dialog.mjs";
import { Seek, Select } from "../parts/field.mjs";
import { Badge, Card, Facts, Page } from "../parts/page.mjs";
import { Empty, Loaded, More } from "../parts/states.mjs";

export const STATES = () => ({ answered: t("answered"), clarify: t("asked back"), confirm: t("asked for a yes"), refused: t("refused"), failed: t("failed") });
const KINDS = { answered: "good", clarify: "warn", confirm: "warn", refused: "", failed: "down" };
export const sure = (value) => (value == null ? "–" : `${number(value * 100)} %`);

function Detail({ each, who, onClose }) {
  const timings = Object.entries(each.timings ?? {}).map(([stage, ms]) => `${stage} ${duration(ms)}`).join(", ");
  return html`<${Dialog} wide title=${each.question} onClose=${onClose}>
    <${Facts} facts=${[[t("Outcome"), STATES()[each.status] ?? each.status], [t("Understood as"), each.reading], [t("Asked"), datetime(each.at)], [t("By"), who(each)], [t("Acting as"), each.role], [t("Took"), `${duration(each.took_ms)}${timings ? ` (${timings})` : ""}`], [t("How sure"), sure(each.confidence)], [t("Rows"), number(each.rows)], [t("What was wrong"), each.error && html`<code>${each.error}</code>`]]} />
    ${each.rest && html`<div><h3>${t("What ran")}</h3><p class="code mono">${each.rest}</p></div>`}
    ${each.plan && html`<details><summary>${t("The plan")}</summary><p class="code mono">${JSON.stringify(each.plan, null, 2)}</p></details>`}
    <footer><${Button} kind="main" onClick=${onClose}>${t("Close")}</${Button}></footer></${Dialog}>`;
}

function Day() {
  const from = useLoad("/api/admin/questions/summary", { every: 15_000 });
  return html`<${Card} title=${t("Today by hour")}><${Loaded} from=${from} lines=${1}>${(told) => {
    return html`<p class="soft">${[tn(told.count, "one question", "{n} questions"), `${number(told.answered)} ${t("answered")}`, `${number(told.asked_back)} ${t("asked back")}`, `${number(told.refused)} ${t("refused")}`, `${number(told.failed)} ${t("failed")}`].join(" · ")}${told.p50_ms != null ? ` · ${t("half within {a}, nearly all within {b}", { a: duration(told.p50_ms), b: duration(told.p95_ms) })}` : ""}</p>
      <${Bars} label=${t("Questions by hour")} bars=${hoursOf(told)} />
      <p class="small soft">${t("The other colour: not answered.")}</p>`;
  }}</${Loaded}></${Card}>`;
}

export default function Questions() {
  const { query } = usePlace(), q = query.get("q") ?? "", status = query.get("status") ?? "", told = useStore(screens), [shown, show] = useState(null);
  const from = usePages((before) => at("/api/admin/questions", { q, status, before, limit: 50 }), (page) => page.questions);
  const who = (each) => told?.screens.find((screen) => screen.id === each.screen)?.name || each.account || (each.screen && each.screen !== "api" ? each.screen : t("a program"));
  return html`<${Page} title=${t("Questions")} lead=${t("Everything that was asked, and what the box made of it.")}>
    <${Day} />
    <div class="row"><${Seek} label=${t("Find a question")} value=${q} onValue=${(next) => setQuery({ q: next })} /><${Select} label=${t("Outcome")} hideLabel value=${status} onValue=${(next) => setQuery({ status: next })} options=${[["", t("Every outcome")], ...Object.entries(STATES())]} /></div>
    <${Loaded} from=${from}>${() => (from.items.length ? html`<${Card} flush><ul class="list">${from.items.map((each) => html`<li key=${each.id}><div class="what"><b>${each.question}</b><span>${datetime(each.at)} · ${who(each)} · ${each.role}${each.reading ? ` · ${each.reading}` : ""}</span></div>
        <span class="soft small nowrap">${duration(each.took_ms)} · ${sure(each.confidence)}</span><${Badge} kind=${KINDS[each.status]}>${STATES()[each.status] ?? each.status}</${Badge}><div class="acts"><${Button} kind="quiet" onClick=${() => show(each)} aria-label=${t("Details of: {text}", { text: each.question })}>${t("Details")}</${Button}></div></li>`)}</ul></${Card}>
      <${More} from=${from} />` : html`<${Empty} icon="question" title=${q || status ? t("No question is like that") : t("Nothing was asked yet")} text=${t("Questions from screens, phones and programs show up here.")} />`)}</${Loaded}>
    ${shown && html`<${Detail} each=${shown} who=${who} onClose=${() => show(null)} />`}</${Page}>`;
}
