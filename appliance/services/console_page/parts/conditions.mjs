// Conditions that must all hold: of an alert, of the rows of a role.
import { html } from "../ui.mjs";
import { asList, OPS, opsOf, valueOf } from "../core/data.mjs";
import { t } from "../core/words.mjs";
import { Button } from "./button.mjs";
import { Select, Text } from "./field.mjs";

/** What was entered, as the API takes it. */
export const asked = (conditions, fields) => conditions.filter((each) => each.field).map(({ field, op, value }) => {
  const type = fields.find((one) => one.name === field)?.type ?? "text";
  return { field, op, value: valueOf(value, type, op) };
});

/** What the API told, as it is entered. */
export const entered = (where) => where.map(({ field, op, value }) => ({ field, op, value: op === "null" ? (value ? "yes" : "no") : Array.isArray(value) ? asList(value) : String(value) }));

function One({ each, fields, onEach, onDrop }) {
  const field = fields.find((one) => one.name === each.field), type = field?.type ?? "text", values = type === "boolean" ? ["true", "false"] : field?.values ?? [];
  const value = { label: t("Value"), value: each.value, onValue: (next) => onEach({ ...each, value: next }), required: true };
  const chosen = each.op === "eq" && values.length > 0;
  return html`<div class="when">
    <${Select} label=${t("Field")} value=${each.field} onValue=${(next) => onEach({ field: next, op: "eq", value: "" })} options=${[["", t("choose one")], ...fields.map((one) => [one.name, one.label])]} required />
    <${Select} label=${t("Comparison")} value=${each.op} onValue=${(op) => onEach({ ...each, op, value: op === "null" ? "yes" : each.value })} options=${opsOf(type).map((op) => [op, OPS()[op]])} />
    ${each.op === "null" ? html`<${Select} ...${value} options=${[["yes", t("it has none")], ["no", t("it has one")]]} />` : chosen ? html`<${Select} ...${value} options=${[["", t("choose one")], ...values]} />` : html`<${Text} ...${value} placeholder=${each.op === "in" ? t("one, two, three") : type === "date" ? "2026-11-28" : ""} />`}
    <${Button} kind="quiet" icon="trash" label=${t("Leave this condition out")} onClick=${onDrop} /></div>`;
}

export function Conditions({ legend, none, fields, value, onValue }) {
  return html`<fieldset><legend class="legend">${legend}</legend>
    ${!value.length && html`<p class="soft small">${none}</p>`}
    ${value.map((each, i) => html`<${One} key=${i} each=${each} fields=${fields} onEach=${(now) => onValue(value.map((old, at) => (at === i ? now : old)))} onDrop=${() => onValue(value.filter((_, at) => at !== i))} />`)}
    <div><${Button} icon="plus" onClick=${() => onValue([...value, { field: "", op: "eq", value: "" }])}>${t("Add a condition")}</${Button}></div></fieldset>`;
}
