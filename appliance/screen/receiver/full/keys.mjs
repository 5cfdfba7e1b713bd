// Keys of one letter; they can be turned off, and do nothing where somebody writes.

import { dress, ids, kept, open, page, root } from "./given.mjs";
import { act, otherLook } from "./acts.mjs";
import { askedShown, toggleAsked } from "./asked.mjs";
import { isOpen } from "./dialogs.mjs";
import { openKeys, openSettings } from "./settings.mjs";
import { hush, undoes } from "./toast.mjs";

export const KEYS = [
  ["/", "Ask a question"],
  ["?", "These keys"],
  ["Esc", "Close, or empty the question"],
  ["J, K", "The next answer, the one before"],
  ["V", "Show the answer otherwise: bars, shares, table"],
  ["X", "Stop the question"],
  ["M", "Not what I meant"],
  ["P", "Pin the answer to the walls"],
  ["A", "Make an alert of it"],
  ["C", "Copy the request"],
  ["D", "Take the rows along as CSV"],
  ["H", "What was asked today"],
  ["L", "Light or dark"],
  ["S", "This screen: language, letters, kind"],
  ["U", "Undo what was just done"],
];

export const keysOn = () => kept("keys", true);

function next(by) {
  const all = ids(), at = all.indexOf(page.hero);
  if (all.length) open(all[(at + by + all.length) % all.length]);
}

const DOES = {
  "?": openKeys,
  j: () => next(1),
  k: () => next(-1),
  v: otherLook,
  x: () => act("stop"),
  m: () => act("meant"),
  p: () => act("pin"),
  a: () => act("tell"),
  c: () => act("copy"),
  d: () => act("csv"),
  h: () => toggleAsked(),
  l: () => dress(root.dataset.theme === "dark" ? "light" : "dark"),
  s: openSettings,
  u: undoes,
};

export function press(event) {
  const { key, target } = event, writes = /INPUT|SELECT|TEXTAREA/.test(target.tagName ?? "");
  if (isOpen() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "Escape" && !writes) return askedShown() ? toggleAsked(false) : hush();
  // a space presses a button, and a slider has keys of its own
  if (writes || key.length > 1 || key === " " || target.closest?.("[role=slider]")) return;
  if (!keysOn()) return event.stopImmediatePropagation();
  const does = root.dataset.past == null && DOES[key.toLowerCase()];
  if (!does) return;
  event.preventDefault();
  does();
}

// one stop for the tabulator, arrows go through the rest
export function roving(parent, what) {
  const all = () => [...parent.querySelectorAll(what)];
  const only = (el) => all().forEach((it) => (it.tabIndex = it === el ? 0 : -1));
  parent.addEventListener("focusin", (event) => event.target.matches(what) && only(event.target));
  parent.addEventListener("keydown", (event) => {
    const turned = document.dir === "rtl" ? -1 : 1, by = { ArrowRight: turned, ArrowLeft: -turned, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const found = all(), at = found.indexOf(event.target);
    const to = event.key === "Home" ? 0 : event.key === "End" ? found.length - 1 : by && at + by;
    if (at < 0 || to == null || !found[to]) return;
    event.preventDefault();
    found[to].focus();
  });
  return () => {
    const found = all();
    if (!found.some((it) => it.tabIndex === 0) || found.filter((it) => it.tabIndex === 0).length > 1) only(found.find((it) => it === document.activeElement) ?? found[0]);
  };
}
