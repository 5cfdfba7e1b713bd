// One sentence about what was just done or could not be, with a way on; it goes by itself.

import { add, make } from "./given.mjs";

const SHOWN_MS = 10000;
let box, going;

// way: { label, press }
export function toast(words, way) {
  if (!box) {
    box = make("div");
    Object.assign(box, { id: "toast", role: "status" });
    document.body.append(box);
  }
  clearTimeout(going);
  box.replaceChildren();
  add(box, "span", "", words);
  if (way) {
    const button = add(box, "button", "", way.label);
    button.type = "button";
    button.onclick = () => (hush(), way.press());
  }
  going = setTimeout(hush, SHOWN_MS);
}

export const hush = () => box?.replaceChildren();
export const undoes = () => box?.querySelector("button")?.click();
