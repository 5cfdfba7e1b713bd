// The rules of alerts: what is watched, whether it goes on, and what stopped it.
import { html } from "../ui.mjs";
import { patch, post, remove } from "../core/api.mjs";
import { said } from "../core/data.mjs";
import { number } from "../core/format.mjs";
import { useLoad } from "../core/load.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { confirm } from "../parts/dialog.mjs";
import { Badge, Card, Page, Tabs } from "../parts/page.mjs";
import { Empty, Loaded } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";
import { ALERTS_LEAD, newAlert, TABS } from "./alerts.mjs";

/** A rule as a sentence. */
export function sentence(rule) {
  const where = rule.where.length ? ` ${t("where {conditions}", { conditions: rule.where.map(said).join(` ${t("and")} `) })}` : "";
  const per = rule.group?.length ? ` ${t("per {fields}", { fields: rule.group.join(", ") })}` : "";
  const side = rule.direction === "below" ? t("falls below {limit}", { limit: number(rule.threshold, 6) }) : t("rises above {limit}", { limit: number(rule.threshold, 6) });
  if (rule.aggregate) {
    const names = { count: t("the number of rows"), sum: t("the sum of {field}"), avg: t("the average of {field}"), min: t("the least {field}"), max: t("the largest {field}") };
    return t("When {what} in {collection}{where}{per} {side}.", { what: names[rule.aggregate.op].replace("{field}", rule.aggregate.field), collection: rule.collection, where, per, side });
  }
  if (rule.field) return t("When {what} in {collection}{where}{per} {side}.", { what: rule.field, collection: rule.collection, where, per, side });
  return t("When there is a row in {collection}{where}.", { collection: rule.collection, where });
}

export default function Rules() {
  const from = useLoad("/api/alerts", { every: 5000 });
  const turn = async (rule, enabled) => {
    await patch(`/api/alerts/${rule.id}`, { enabled }).then(() => tell(enabled ? t("{name} watches again.", { name: rule.name }) : t("{name} is paused; what was active of it is over.", { name: rule.name })), tellFault);
    from.again(true);
  };
  const drop = async (rule) => {
    if (!(await confirm({ title: t("Remove {name}?", { name: rule.name }), text: t("It watches no more. What it told stays in the history."), yes: t("Remove it") }))) return;
    const { name, collection, message, where, aggregate, field, group, direction, threshold, clear_at, audience } = rule;
    const again = async () => {
      const made = await post("/api/alerts", { name, collection, message, where, aggregate, field, group, direction, threshold, clear_at, audience });
      if (!rule.enabled) await patch(`/api/alerts/${made.id}`, { enabled: false });
      from.again(true);
    };
    await remove(`/api/alerts/${rule.id}`).then(() => tell(t("{name} was removed.", { name }), { undo: again }), tellFault);
    from.again(true);
  };
  const one = (rule) => html`<li key=${rule.id}><div class="what"><b>${rule.name}</b><span>${sentence(rule)}</span>${rule.problem && html`<span class="bad">${rule.problem}</span>`}</div>
    ${rule.problem ? html`<${Badge} kind="down">${t("stopped")}</${Badge}>` : !rule.enabled ? html`<${Badge}>${t("paused")}</${Badge}>` : rule.active ? html`<${Badge} kind="warn">${tn(rule.active, "{n} active", "{n} active")}</${Badge}>` : html`<${Badge} kind="good">${t("watching")}</${Badge}>`}
    <div class="acts"><${Button} kind="quiet" icon=${rule.enabled ? "stop" : "play"} label=${rule.enabled ? t("Pause {name}", { name: rule.name }) : t("Let {name} watch again", { name: rule.name })} onClick=${() => turn(rule, !rule.enabled)} /><${Button} kind="quiet danger" icon="trash" label=${t("Remove {name}", { name: rule.name })} onClick=${() => drop(rule)} /></div></li>`;
  return html`<${Page} title=${t("Alerts")} lead=${t(ALERTS_LEAD)} acts=${newAlert()}>
    <${Tabs} label=${t("Alerts")} tabs=${TABS()} />
    <${Loaded} from=${from}>${(rules) => (rules.length ? html`<${Card} flush><ul class="list">${rules.map(one)}</ul></${Card}>` : html`<${Empty} icon="alert" title=${t("Nothing is watched yet")} text=${t("Declare what may not happen: too few free beds, a temperature too high, a device that is broken.")}>${newAlert()}</${Empty}>`)}</${Loaded}></${Page}>`;
}
