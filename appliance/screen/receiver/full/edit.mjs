// A cell is changed in its place; the change goes to the box, comes back live, and can be taken back.

import { add, glow, own, page, put, refusal, send, show, t } from "./given.mjs";
import { WHOLE, begun, control, entered } from "./entry.mjs";
import { toast } from "./toast.mjs";

// what an equal sign compares without doubt
const EXACT = [...WHOLE, "text", "boolean", "date"];
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

// typed: what the box has just refused, to be mended
export function edit(a, td, typed) {
  const { column } = td, { row } = td.parentNode, field = fieldOf(a, column), before = row[column.name], first = begun(before, field);
  const input = control(field);
  input.ariaLabel = `${column.label ?? column.name}, ${t("new value")}`;
  input.value = typed ?? first;
  if (typed != null) input.ariaInvalid = "true";
  // the answer stays large while somebody writes in it
  page.chosen = a.id;
  td.replaceChildren(input);
  if (field.values?.length && field.type === "text") offer(td, input, field.values);
  let over = false;
  const end = (saves, back) => {
    if (over) return;
    const text = input.value;
    let value = before;
    try {
      if (saves && (text !== first || input.validity?.badInput)) value = entered(input, field, before);
    } catch (error) {
      input.ariaInvalid = "true";
      if (back) input.select?.();
      return toast(error.message);
    }
    over = true;
    td.replaceChildren(show(before, column.digits));
    if (back) td.focus();
    if (value !== before) save(a, td, row, field, before, value, text);
  };
  input.onkeydown = (event) => {
    if (event.key === "Enter") end(true, true);
    else if (event.key === "Escape") end(false, true);
    else return;
    event.stopPropagation();
    event.preventDefault();
  };
  // once it is known whether the row is still there
  input.onblur = () => queueMicrotask(() => input.isConnected && end(true, false));
  if (typed != null && document.activeElement !== td && document.activeElement !== document.body) return;
  input.focus();
  input.select?.();
}

function offer(td, input, values) {
  const offered = add(td, "datalist");
  offered.id = "offered";
  for (const value of values) add(offered, "option").value = value;
  input.setAttribute("list", offered.id);
}

async function save(a, td, row, field, before, value, text) {
  td.ariaBusy = "true";
  put(td, show(value, td.column.digits));
  const { collection } = a.get("plan"), told = await change(collection, row.id, field, before, value);
  td.ariaBusy = "false";
  if (told) {
    put(td, show(td.parentNode.row[field.name], td.column.digits));
    if (td.isConnected && !td.firstElementChild) edit(a, td, text);
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
