// How values, times and ages read, and in which language.

let wording = {}, tongue = [], formats = {}, named, zoned;
// another language: its words by the English ones, and its name for numbers and times
export const learn = (words, name) => ([wording, tongue, formats] = [words, name ?? [], {}]);
export const zone = () => zoned;
// times read as in the facility, wherever this screen thinks it is; a name that the browser does not know says nothing
export function inZone(name) {
  if (name === named) return;
  named = zoned = name;
  formats = {};
  try {
    day(0);
  } catch {
    zoned = undefined;
  }
}
// kept: to make a format takes as long as to use it a hundred times
const number = (digits) => (formats[digits] ??= new Intl.NumberFormat(tongue, { useGrouping: "min2", minimumFractionDigits: digits, maximumFractionDigits: 2 }));
const time = (timeStyle) => (formats[timeStyle] ??= new Intl.DateTimeFormat(tongue, { timeStyle, hourCycle: "h23", timeZone: zoned }));
export const day = (date) => (formats.day ??= new Intl.DateTimeFormat("sv", { timeZone: zoned })).format(date);
export const t = (english, ...args) => (wording[english] ?? english).replace(/\{(\d)\}/g, (_, n) => args[n]);

export const clock = (date, brief) => (isNaN(date) ? "" : time(brief ? "short" : "medium").format(date));

export function when(iso, now = new Date()) {
  const timed = iso.length > 10, date = new Date(iso);
  if (isNaN(date)) return iso;
  const at = new Date(timed ? day(date) : iso), days = Math.round((at - new Date(day(now))) / 864e5);
  const said = [t("Yesterday"), t("Today"), t("Tomorrow")][days + 1] ?? at.toLocaleDateString(tongue, { dateStyle: "medium", timeZone: "UTC" });
  return timed ? `${said} ${clock(date, true)}` : said;
}

export function ago(ms) {
  const s = Math.floor(ms / 1000);
  return s < 1 ? t("just now") : s < 60 ? t("{0} s ago", s) : s < 3600 ? t("{0} min ago", Math.floor(s / 60)) : t("{0} h ago", Math.floor(s / 3600));
}

export function show(value, digits = 0) {
  if (value == null || value === "") return "–";
  if (typeof value === "number") return number(digits).format(value);
  if (typeof value !== "string") return { true: t("yes"), false: t("no") }[value] ?? JSON.stringify(value);
  return /^\d{4}-\d\d-\d\d($|[T ]\d\d:\d\d)/.test(value) ? when(value) : value;
}

// RFC 4180; a text that a spreadsheet would run gets an apostrophe in front
export function csv(fields, rows) {
  const cell = (value) => {
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(value)) value = "'" + value;
    const text = value == null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [fields.map((f) => f.label ?? f.name), ...rows.map((row) => fields.map((f) => row[f.name]))];
  return lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
}

export const list = (value) => (Array.isArray(value) ? value.filter((it) => it != null) : []);
export const text = (value) => (typeof value === "string" ? value : "");
export const told = (...facts) => facts.filter(Boolean).join(", ");
export const as = (who) => who && t("as {0}", who);
