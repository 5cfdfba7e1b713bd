// What the bare page gives: its elements, its words, its state.

export const { KINDS, $, add, answer, ask, bring, buttons, cell, clock, columnsOf, csv, day, decimals, dress, fit, glow, ids, keyed, learn, list, localise, make, now, open, page, pick, put, refusal, root, send, show, signals, status, still, t, text, told, transmit, up, views, wall, wanted, when, zone } = self.receiver;

export const own = () => page.role && page.role !== "wall";

// what this screen keeps for itself; a browser that keeps nothing still works
export function kept(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem("screen." + name)) ?? fallback;
  } catch {
    return fallback;
  }
}
export function keep(name, value) {
  try {
    localStorage.setItem("screen." + name, JSON.stringify(value));
  } catch {}
}

export const rem = () => parseFloat(getComputedStyle(root).fontSize);
export const surfaceNow = () => root.dataset.surface;
