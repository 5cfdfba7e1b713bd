// What fired, the newest first; what nobody has seen yet is acknowledged here.
import { html } from "../ui.mjs";
import { at, post } from "../core/api.mjs";
import { ago, datetime } from "../core/format.mjs";
import { useLoad } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { session } from "../core/session.mjs";
import { t, w } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { Select } from "../parts/field.mjs";
import { Badge, Card, Dot, Page, Tabs } from "../parts/page.mjs";
import { Empty, Loaded } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

export const TABS = () => [["/admin/alerts", t("What fired")], ["/admin/alerts/rules", t("Rules")]];
export const ALERTS_LEAD = w("The box watches the data, and tells screens when something is wrong.");
export const newAlert = () => html`<${To} kind="main" icon="plus" href="/admin/alerts/new">${t("New alert")}</${To}>`;

function One({ event, onSeen }) {
  const active = event.state === "active", seen = event.acknowledged_at;
  const words = active ? (seen ? t("seen by {who}", { who: event.acknowledged_by || t("somebody") }) : t("nobody has seen it")) : t("over since {when}", { when: ago(event.cleared_at) });
  return html`<li><${Dot} kind=${active ? (seen ? "warn" : "down") : ""} label=${active ? t("active") : t("over")} /><div class="what"><b>${event.message}</b><span><time title=${datetime(event.fired_at)}>${ago(event.fired_at)}</time> · ${event.rule} · ${event.collection}</span></div>
    <${Badge} kind=${active ? (seen ? "warn" : "down") : ""}>${words}</${Badge}>
    ${active && !seen && html`<${Button} onClick=${() => onSeen(event)} aria-label=${t("Acknowledge: {text}", { text: event.message })}>${t("Acknowledge")}</${Button}>`}</li>`;
}

export default function Alerts() {
  const { query } = usePlace(), state = query.get("state") ?? "", path = at("/api/alerts/events", { state, limit: 200 });
  const from = useLoad(path, { every: 3000 });
  const seen = async (event) => {
    await post(`/api/alerts/events/${event.id}/acknowledge`, { name: session.get().name || t("The admin") }).then(() => tell(t("Acknowledged. The screens show it more quietly now.")), tellFault);
    from.again(true);
  };
  const all = async (open) => {
    await Promise.all(open.map((event) => post(`/api/alerts/events/${event.id}/acknowledge`, { name: session.get().name || t("The admin") }))).catch(tellFault);
    from.again(true);
  };
  return html`<${Page} title=${t("Alerts")} lead=${t(ALERTS_LEAD)} acts=${newAlert()}>
    <${Tabs} label=${t("Alerts")} tabs=${TABS()} />
    <${Loaded} from=${from}>${(events) => {
      const open = events.filter((event) => event.state === "active" && !event.acknowledged_at);
      return html`<div class="row"><${Select} label=${t("Which alerts")} hideLabel value=${state} onValue=${(next) => setQuery({ state: next })} options=${[["", t("All that fired")], ["active", t("Active ones")], ["cleared", t("Those that are over")]]} /><span class="grow"></span>${open.length > 1 && html`<${Button} onClick=${() => all(open)}>${t("Acknowledge all")}</${Button}>`}</div>
      ${events.length ? html`<${Card} flush><ul class="list">${events.map((event) => html`<${One} key=${event.id} event=${event} onSeen=${seen} />`)}</ul></${Card}>`
        : html`<${Empty} icon="alert" title=${t("Nothing fired")} text=${t("When a rule's number crosses its threshold, it is told here and on the screens.")}><${To} href="/admin/alerts/rules">${t("See the rules")}</${To}></${Empty}>`}`;
    }}</${Loaded}></${Page}>`;
}
