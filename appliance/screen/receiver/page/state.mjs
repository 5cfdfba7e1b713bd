// What the rooms of the page share.

import { root } from "./dom.mjs";
import { Signals } from "./signals.mjs";

export const signals = new Signals();

// past: what shows it, while it is shown; back: it was left, and what is seen is still of it; touched: when somebody was at it; full: the richer page, once it is there; draw and door are set when the page begins
export const page = { pending: [], chosen: null, hero: undefined, note: "", skew: 0, joined: false, role: "", own: "main", past: null, back: false, touched: 0, full: null, screen: "", draw: null, door: null };

let noting;
// a sentence in the line under the header; it goes by itself
export function note(words) {
  page.note = words;
  clearTimeout(noting);
  noting = setTimeout(() => (page.note = ""), 1e4);
}

export const wall = () => root.dataset.surface === "wall";
// a kiosk's agent says how things are with the box: it may be away while the line to the agent is there
export const link = () => signals.get("screen.box") ?? {};
export const up = () => page.door.live() && [undefined, "live", "catching up"].includes(link().state);
export const seen = () => (page.door.live() ? link().seen : page.door.seen());
// the box's time, or the moment that is shown
export const now = () => page.past?.now() ?? Date.now() + page.skew;
