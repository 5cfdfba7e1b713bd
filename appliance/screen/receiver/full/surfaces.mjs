// What kind of screen this is: as the admin says, as the address says, as it was set here, as it can show.

import { fit, kept, page, signals, surfaceNow, wanted } from "./given.mjs";

export const SURFACES = ["wall", "tablet", "phone", "watch", "text"];
// a screen that shows no grey or cannot move gets letters alone
const slow = matchMedia("(update: slow), (monochrome)");
let last;

export function assigned() {
  const named = signals.get(`to.${page.screen}.surface`);
  return SURFACES.includes(named) ? named : "";
}

export function surface() {
  return assigned() || (wanted.get("surface") ? "" : kept("surface", "") || (slow.matches ? "text" : ""));
}

// the admin may change it at any time; the page is not loaded anew
export function followSurface() {
  const named = surface() + surfaceNow();
  if (named === last) return false;
  fit();
  last = surface() + surfaceNow();
  return true;
}
