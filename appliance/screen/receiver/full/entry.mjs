// A cell's value on its way in: a control for its type, what it begins with, and what was entered, or why not.

import { add, make, show, t } from "./given.mjs";
import { fromClock, toClock } from "./zones.mjs";

export const WHOLE = ["integer", "bigint", "smallint"];
const NUMBERS = [...WHOLE, "numeric", "double precision", "real"];
const PICKED = { date: "date", timestamptz: "datetime-local" };
// as numbers are shown
const marks = () => {
  const [, group, point] = /^12(\D*)345(\D)6$/.exec(show(12345.6)) ?? [null, "", "."];
  return { group, point };
};

// a number as it is typed in the page's language; what could be another one is refused
export function numberOf(text, before) {
  const { group, point } = marks(), plain = text.replace(/[\s'’_]/g, ""), form = (thousands, decimal) => new RegExp(`^[+-]?[1-9]\\d{0,2}(\\${thousands}\\d{3})+(\\${decimal}\\d+)?$`);
  const read = (thousands, decimal) => Number(plain.replaceAll(thousands, "").replace(decimal, "."));
  // 1.500 where the point comes before the decimals: meant as in another language?
  const doubtful = new RegExp(`^[+-]?[1-9]\\d{0,2}\\${point}\\d{3}$`).test(plain) && !(before % 1);
  if (doubtful) throw new Error(t("“{0}” can be read in two ways: write it without a sign between the thousands.", text));
  if (new RegExp(`^[+-]?\\d*\\${point}\\d+$`).test(plain)) return read(group, point);
  if (/^[.,]$/.test(group) && form(group, point).test(plain)) return read(group, point);
  // in another language's form, which is none in this
  for (const [thousands, decimal] of [[".", ","], [",", "."]]) if (form(thousands, decimal).test(plain)) return read(thousands, decimal);
  const number = Number(plain.replace(",", "."));
  if (!plain || !Number.isFinite(number)) throw new Error(t("“{0}” is no number.", text));
  return number;
}

// throws what is wrong with it, as a sentence
export function parsed(text, field, before) {
  const trimmed = text.trim();
  if (!trimmed) return null;
  if (NUMBERS.includes(field.type)) {
    const number = numberOf(trimmed, before);
    if (WHOLE.includes(field.type) && !Number.isInteger(number)) throw new Error(t("“{0}” is no whole number.", trimmed));
    return number;
  }
  if (field.type === "boolean") return trimmed === "true";
  if (field.type === "timestamptz") return fromClock(trimmed).toISOString();
  if (field.type !== "jsonb") return trimmed;
  try {
    return JSON.parse(trimmed);
  } catch {
    throw new Error(t("“{0}” cannot be read: texts stand in quotation marks, lists in brackets.", trimmed.slice(0, 40)));
  }
}

// what stands in the field before anything is typed
export function begun(value, field) {
  if (value == null) return "";
  if (field.type === "timestamptz") return isNaN(Date.parse(value)) ? "" : toClock(value);
  if (field.type === "jsonb" || typeof value === "object") return JSON.stringify(value);
  return typeof value === "number" ? String(value).replace(".", marks().point) : String(value);
}

export function control(field) {
  if (field.type === "boolean") {
    const select = make("select");
    for (const [value, name] of [["", "–"], ["true", t("yes")], ["false", t("no")]]) add(select, "option", "", name).value = value;
    return select;
  }
  const input = make("input");
  if (PICKED[field.type]) Object.assign(input, { type: PICKED[field.type], step: field.type === "date" ? 1 : "any" });
  if (NUMBERS.includes(field.type)) input.inputMode = "decimal";
  return input;
}

// what was entered; a day that is half there is no empty one
export function entered(input, field, before) {
  if (input.validity?.badInput) throw new Error(t("This date is not whole."));
  return parsed(input.value, field, before);
}
