// Numbers, sizes and times as people read them, in the page's language.
import { language, t, tn } from "./words.mjs";

const of = (make) => make(language.get());
let zone;
/** Times are written in the facility's zone from now on; in this browser's where it knows none of that name. */
export function inZone(name) {
  try {
    zone = new Intl.DateTimeFormat("en", { timeZone: name ?? undefined }) && (name ?? undefined);
  } catch {
    zone = undefined;
  }
}
/** A moment written as `form` says. */
export const written = (value, form) => of((l) => new Intl.DateTimeFormat(l, { ...form, timeZone: zone })).format(moment(value));
export const number = (value, digits = 0) => (value == null ? "–" : of((l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })).format(value));

const UNITS = ["B", "kB", "MB", "GB", "TB"];
export function size(bytes) {
  if (bytes == null) return "–";
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 4);
  return `${number(bytes / 1000 ** step, step && bytes / 1000 ** step < 100 ? 1 : 0)} ${UNITS[step]}`;
}

/** Seconds since 1970, milliseconds, or ISO 8601. */
export const moment = (value) => (typeof value === "number" ? new Date(value < 1e11 ? value * 1000 : value) : new Date(value));

export const clock = (value) => written(value, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const date = (value) => written(value, { dateStyle: "medium" });
export const datetime = (value) => (value == null ? "–" : written(value, { dateStyle: "medium", timeStyle: "short" }));

export function ago(value) {
  const s = Math.max((Date.now() - moment(value).getTime()) / 1000, 0);
  if (s < 60) return t("a moment ago");
  const steps = [[3600, 60, "minute"], [86_400, 3600, "hour"], [Infinity, 86_400, "day"]];
  const [, length, unit] = steps.find(([until]) => s < until);
  return of((l) => new Intl.RelativeTimeFormat(l, { numeric: "auto" })).format(-Math.round(s / length), unit);
}

export function duration(ms) {
  if (ms == null) return "–";
  if (ms < 1000) return `${number(ms)} ms`;
  if (ms < 60_000) return `${number(ms / 1000, 1)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return tn(minutes, "{n} minute", "{n} minutes");
  if (minutes < 2880) return tn(Math.round(minutes / 60), "{n} hour", "{n} hours");
  return tn(Math.round(minutes / 1440), "{n} day", "{n} days");
}

/** A cell of a table: what the value is decides how it looks. */
export function cell(value, type) {
  if (value === null || value === undefined) return "";
  if (type === "timestamptz") return datetime(value);
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "number") return number(value, 6);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const code = (text) => `${text.slice(0, 3)}-${text.slice(3)}`;
