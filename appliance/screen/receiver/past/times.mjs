// Past moments as the facility reads them, whatever zone this screen is in.

import { tr } from "./tongue.mjs";

const MINUTE = 6e4, HOUR = 36e5;
const STEPS = [1, 2, 5, 10, 15, 30].map((m) => m * MINUTE).concat([1, 2, 3, 6, 12].map((h) => h * HOUR));
const MOVES = [1e3, 5e3, 1e4, 3e4, MINUTE, 5 * MINUTE];

// the zone by its name where the box and this browser know it, else by how far it is from UTC
export function facility({ zone, offset }) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone ?? "none" });
    return { timeZone: zone, shift: 0 };
  } catch {
    return { timeZone: "UTC", shift: offset * MINUTE };
  }
}

const written = ({ timeZone, shift }, t, locale, options) => new Date(t + shift).toLocaleString(locale, { timeZone, ...options });

export const hours = (zone, t, seconds = true) => written(zone, t, [], { timeStyle: seconds ? "medium" : "short", hourCycle: "h23" });
export const longDay = (zone, t) => written(zone, t, [], { weekday: "long", day: "numeric", month: "long" });
// 2026-11-28
export const dayOf = (zone, t) => written(zone, t, "sv", { year: "numeric", month: "2-digit", day: "2-digit" });

export function dayName(zone, day, now) {
  const at = Date.parse(day + "T12:00Z");
  const days = Math.round((Date.parse(dayOf(zone, now) + "T12:00Z") - at) / 864e5);
  return [tr("Today"), tr("Yesterday")][days] ?? new Date(at).toLocaleDateString([], { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" });
}

// 12 s ago, 5 min ago, 3 h 20 min ago
export function since(ms) {
  const m = Math.floor(ms / MINUTE), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (m < 1) return tr("{0} s ago", Math.max(0, Math.floor(ms / 1e3)));
  if (h < 1) return tr("{0} min ago", m);
  if (d < 1) return m % 60 ? tr("{0} h {1} min ago", h, m % 60) : tr("{0} h ago", h);
  return tr(d > 1 ? "{0} days ago" : "{0} day ago", d);
}

// how far an arrow key goes on a bar of this length
export const move = (length) => MOVES.find((it) => it >= length / 300) ?? MOVES.at(-1);

// round times of the facility along a bar, at most so many
export function ticks(zone, first, last, most) {
  const step = STEPS.find((it) => (last - first) / it <= most) ?? STEPS.at(-1);
  // the sum of day and clock as a number, so that steps begin at midnight
  const local = (t) => Date.parse(written(zone, t, "sv", { dateStyle: "short", timeStyle: "medium" }).replace(" ", "T") + "Z");
  const found = [];
  for (let t = first + ((step - (local(first) % step)) % step); t <= last; t += step) found.push(t);
  return found;
}
