// A cell is changed in its place; the change goes to the box, comes back live, and can be taken back.

import { add, glow, make, own, page, put, refusal, send, show, t } from "./given.mjs";
import { toast } from "./toast.mjs";

const NUMBERS = ["integer", "bigint", "numeric", "double precision", "real", "smallint"];
// what an equal sign compares without doubt
const EXACT = [...NUMBERS.slice(0, 2), "smallint", "text", "boolean", "date"];
let catalog, asking;

// the fields of the rows' collection, once the box has told them
function fieldsOf(collection) {
  if (!catalog) asking ??= fetch("/api/catalog").then((it) => (it.ok ? it.json() : { collections: [] })).then((told) => ((catalog = told), page.draw()), () => (asking = null));
  return catalog?.collections.find((it) => it.name === collection)?.fields ?? [];
}
export const forgetCatalog = () => (catalog = asking = null);

export function fieldOf(a, column) {
  const plan = a.get("plan");
  return plan?.collection && fieldsOf(plan.collection).find((it) => it.name === column.name);
}

// rows of one collection, each with its id; what is computed or masked is not stored under that name
export function editable(a, column) {
  const plan = a.get("plan");
  if (!own() || page.past || !plan || plan.group?.length || plan.select?.some((it) => it.aggregate) || a.rows[0]?.id == null) return false;
  const field = fieldOf(a, column);
  return !!field && !field.masked && !field.formula && !field.computed;
}

export function parsed(text, field) {
  const trimmed = text.trim();
  if (!trimmed) return null;
  if (NUMBERS.includes(field.type)) {
    const number = Number(trimmed.replace(",", "."));
    if (!Number.isFinite(number)) throw new Error(t("“{0}” is no number.", trimmed));
    return number;
  }
  if (field.type === "boolean") return [t("yes"), "yes", "true", "1"].includes(trimmed.toLowerCase());
  return trimmed;
}

export function edit(a, td) {
  const { column } = td, { row } = td.parentNode, field = fieldOf(a, column), before = row[column.name];
  const input = Object.assign(make("input"), { value: before == null ? "" : typeof before === "object" ? JSON.stringify(before) : String(before), ariaLabel: `${column.label ?? column.name}, ${t("new value")}` });
  if (NUMBERS.includes(field.type)) input.inputMode = "decimal";
  td.replaceChildren(input);
  if (field.values?.length) offer(td, input, field.values);
  let over = false;
  const end = (saves, back) => {
    if (over) return;
    over = true;
    const text = input.value;
    td.replaceChildren(show(before, column.digits));
    if (back) td.focus();
    if (saves && text !== (before == null ? "" : String(before))) save(a, td, row, field, before, text);
  };
  input.onkeydown = (event) => {
    if (event.key === "Enter") end(true, true);
    else if (event.key === "Escape") end(false, true);
    else if (event.key === "Tab") end(true, false);
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  };
  input.onblur = () => end(true, false);
  input.focus();
  input.select();
}

function offer(td, input, values) {
  const offered = add(td, "datalist");
  offered.id = "offered";
  for (const value of values) add(offered, "option").value = value;
  input.setAttribute("list", offered.id);
}

async function save(a, td, row, field, before, text) {
  let value;
  try {
    value = parsed(text, field);
  } catch (error) {
    return toast(error.message);
  }
  td.ariaBusy = "true";
  put(td, show(value, td.column.digits));
  const { collection } = a.get("plan"), told = await change(collection, row.id, field, before, value);
  td.ariaBusy = "false";
  if (told) {
    put(td, show(before, td.column.digits));
    return toast(told);
  }
  row[field.name] = value;
  glow(td);
  const undo = { label: t("Undo"), press: async () => toast((await change(collection, row.id, field, value, before)) || t("Taken back.")) };
  toast(t("{0}: {1} is now {2}.", td.column.label ?? field.name, show(before), show(value)), undo);
}

// only where the value is still what was seen: two who change the same cell do not undo each other unseen
async function change(collection, id, field, before, value) {
  const name = encodeURIComponent(field.name), seen = before == null ? "is.null" : `eq.${encodeURIComponent(before)}`;
  const guard = EXACT.includes(field.type) ? `&${name}=${seen}` : "";
  const answer = await send("PATCH", `/rest/${encodeURIComponent(collection)}?id=eq.${encodeURIComponent(id)}${guard}`, { [field.name]: value }, { Prefer: "return=representation" });
  if (!answer?.ok) return refusal(answer);
  const rows = await answer.json().catch(() => []);
  return rows.length ? "" : t("It was not changed: somebody else has changed it meanwhile, or this role may not.");
}
