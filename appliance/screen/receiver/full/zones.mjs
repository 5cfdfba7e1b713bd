// Moments as the facility's clock shows them, and back; as this screen's, where the box names no zone.

import { zone } from "./given.mjs";

let written, clockZone;

// a moment's day and clock as if they were of UTC, in milliseconds
export function wallClock(t) {
  if (!written || clockZone !== zone()) written = new Intl.DateTimeFormat("sv", { timeZone: (clockZone = zone()), dateStyle: "short", timeStyle: "medium" });
  return Date.parse(written.format(t).replace(" ", "T") + "Z");
}

// when a clock there shows this: "2026-11-28T10:00", "2026-11-28"
export function fromClock(text) {
  const shown = Date.parse(text.includes("T") ? text + "Z" : text), off = (t) => wallClock(t) - Math.floor(t / 1000) * 1000;
  return new Date(shown - off(shown - off(shown)));
}

// with seconds where there are some
export const toClock = (iso) => new Date(wallClock(Date.parse(iso))).toISOString().slice(0, 19).replace(/:00$/, "");

// the dates of a column are days of the facility, not moments of UTC
export const moment = (value) => (/^\d{4}-\d\d-\d\d$/.test(value) ? fromClock(value) : new Date(value));
