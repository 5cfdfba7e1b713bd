// What the pages on data share: types, masks and conditions by the names people know.
import { get } from "./api.mjs";
import { t } from "./words.mjs";

export const TYPES = () => ({ boolean: t("yes or no"), integer: t("whole number"), numeric: t("number"), date: t("date"), timestamptz: t("date and time"), text: t("text"), jsonb: t("structure") });
export const LEVELS = () => [["wall", t("Everybody"), t("Walls, staff and admins, and who has no more than a wall's rights.")], ["staff", t("Staff"), t("Staff and admins. Walls see nothing of it.")], ["admin", t("Admins only"), t("Nobody else learns what is in it.")]];
export const MASKS = () => ({ initials: t("Initials"), year: t("Only the year"), last4: t("Only the last four characters"), rounded: t("Rounded to its first digit"), hidden: t("Hidden") });
export const ACCESS = () => ({ write: t("reads and writes"), read: t("reads"), none: t("sees nothing of it") });
export const OPS = () => ({ eq: t("is"), neq: t("is not"), gt: t("is more than"), gte: t("is at least"), lt: t("is less than"), lte: t("is at most"), like: t("contains"), in: t("is one of"), null: t("has no value") });

const NUMBERS = ["integer", "numeric"], TIMES = ["date", "timestamptz"];
const MASKED = { initials: ["text"], year: [...TIMES, "text"], last4: ["text", ...NUMBERS], rounded: NUMBERS };

/** The masks that a field of this type may have. */
export const masksOf = (type) => Object.keys(MASKS()).filter((mask) => !MASKED[mask] || MASKED[mask].includes(type));

/** The comparisons that make sense for a field of this type. */
export function opsOf(type, without = []) {
  const ordered = NUMBERS.includes(type) || TIMES.includes(type) ? ["gt", "gte", "lt", "lte"] : [];
  return ["eq", "neq", ...ordered, ...(type === "text" ? ["like"] : []), "in", "null"].filter((op) => !without.includes(op));
}

/** The values of a list as it is typed: by commas, one that holds a comma in quotation marks. */
export const listed = (text) => [...text.matchAll(/\s*"((?:[^"]|"")*)"\s*|[^,]+/g)].map(([all, quoted]) => quoted?.replaceAll('""', '"') ?? all.trim()).filter(Boolean);
/** The same the other way. */
export const asList = (values) => values.map(String).map((each) => (/[",]/.test(each) ? `"${each.replaceAll('"', '""')}"` : each)).join(", ");

/** What was typed as a value of the field's type. */
export function valueOf(text, type, op) {
  if (op === "null") return text !== "no";
  if (op === "in") return listed(text).map((part) => valueOf(part, type, "eq"));
  if (NUMBERS.includes(type)) return Number(text.replace(",", "."));
  return type === "boolean" ? text === "true" : text.trim();
}

/** A condition as words. */
export function said({ field, op, value }) {
  if (op === "null") return `${field} ${value ? t("has no value") : t("has a value")}`;
  return `${field} ${OPS()[op] ?? op} ${asList([value].flat())}`;
}

/** The least trusted level that sees each collection: what roles really see is asked, not guessed. */
export async function audiences({ quiet } = {}) {
  const [wall, staff] = await Promise.all(["wall", "staff"].map((role) => get(`/api/catalog?role=${role}`, { quiet })));
  const found = {};
  for (const [level, told] of [["staff", staff], ["wall", wall]]) for (const each of told.collections) found[each.name] = level;
  return found;
}
