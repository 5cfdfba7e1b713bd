// What the signals say of answers, every type checked.

import { page, signals } from "./state.mjs";
import { clock, list, t, text } from "./words.mjs";

const STAGES = { kept: "Kept until the box is back", sent: "Sent to the box", queued: "Waiting", reading: "Reading the question", looking: "Looking it up" };
export const KINDS = ["number", "bars", "line", "table"];

// of an answer that is not for this screen a room's wall gets what it may see of it
const said_of = (id, name) => signals.get(`answer.${id}.${name}`) ?? signals.get(`answer.${id}.shared`)?.[name];

// a question on its way is its own answer
export function answer(id) {
  const get = (name) => (id.question == null ? said_of(id, name) : id[name]), a = { id: id.ref ?? id };
  for (const name of ["question", "status", "stage", "reading", "sentence", "rest", "source", "role", "read_at"]) a[name] = text(get(name));
  for (const name of ["rows", "fields", "choices"]) a[name] = list(get(name));
  a.view = get("view") ?? {};
  a.error = get("error") ?? {};
  if (!a.fields.length) a.fields = Object.keys(a.rows[0] ?? {}).map((name) => ({ name }));
  a.count = get("row_count") ?? a.rows.length;
  a.took = get("took_ms");
  a.at = a.read_at && clock(new Date(a.read_at));
  a.told = a.sentence || text(a.error.message);
  const { kind, value } = a.view, drawn = kind === "number" ? value != null : KINDS.includes(kind) && a.rows.some((row) => row[value] > 0);
  a.kind = drawn ? kind : a.rows.length && kind !== "text" ? "table" : "word";
  if (a.status !== "answered") a.kind = a.status ? "word" : "work";
  if (!a.status) a.told = get("position") > 1 ? t("Waiting, place {0} in the queue", get("position")) : t(STAGES[a.stage] ?? STAGES.queued);
  a.get = get;
  page.full?.look(a);
  return a;
}

export const ids = () => [...new Set([...list(signals.get("answers.order")), ...list(signals.get("answers.pinned"))])].filter((id) => said_of(id, "question") != null);
export const status = (id) => said_of(id, "status");
