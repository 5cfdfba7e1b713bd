// How each part is; what is wrong comes first, with its fix, and a button where the box can do it itself.
import { html } from "../ui.mjs";
import { get, post } from "../core/api.mjs";
import { duration } from "../core/format.mjs";
import { lookAtHealth } from "../core/live.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { t, tn } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { Badge, Card, Dot, Page } from "../parts/page.mjs";
import { FaultLine, Loaded, Note } from "../parts/states.mjs";
import { tell } from "../parts/toasts.mjs";

const STATES = () => ({ ok: t("well"), warn: t("wants looking at"), down: t("down") });
const ORDER = { down: 0, warn: 1, ok: 2 };
const KIND = { ok: "good", warn: "warn", down: "down" };

function Check({ check, onFixed }) {
  const [fix, busy, fault] = useAct(async () => {
    const told = await post(`/api/admin/health/${encodeURIComponent(check.name)}/fix`, {});
    tell(told.done);
    await onFixed();
  });
  return html`<li><${Dot} kind=${KIND[check.state]} label=${STATES()[check.state]} /><div class="what"><b>${check.name}</b><span>${check.sentence}</span>${check.fix && html`<span><b>${t("What helps:")}</b> ${check.fix}</span>`}<${FaultLine} fault=${fault} /></div>
    ${check.state !== "ok" && html`<${Badge} kind=${KIND[check.state]}>${STATES()[check.state]}</${Badge}>`}<span class="soft small">${check.took_ms != null ? duration(check.took_ms) : ""}</span>
    ${check.can_fix && check.state !== "ok" && html`<${Button} kind="main" busy=${busy} onClick=${fix}>${t("Mend it")}</${Button}>`}</li>`;
}

export default function Health() {
  const from = useLoad((how) => get("/api/admin/health", how), { every: 4000 });
  const again = async () => (await from.again(true), lookAtHealth());
  return html`<${Page} title=${t("Health")} lead=${t("Each part of the box, looked at every few seconds. What dies is started again by itself.")} acts=${html`<${To} icon="log" href="/admin/logs">${t("Logs")}</${To}>`}>
    <${Loaded} from=${from}>${(told) => {
      const checks = [...told.checks].sort((a, b) => ORDER[a.state] - ORDER[b.state]), wrong = checks.filter((each) => each.state !== "ok").length;
      return html`<${Note} kind=${wrong ? "warn" : ""} icon=${wrong ? "warn" : "good"}><div role="status"><b>${wrong ? tn(wrong, "One thing wants looking at", "{n} things want looking at") : t("All is well")}</b></div></${Note}>
        <${Card} flush><ul class="list">${checks.map((check) => html`<${Check} key=${check.name} check=${check} onFixed=${again} />`)}</ul></${Card}>`;
    }}</${Loaded}></${Page}>`;
}
