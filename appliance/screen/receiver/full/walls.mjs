// A wall is read from three metres: its largest words are a twelfth of its height, an alert takes it all.

import { $, add, make, put, root, signals, t, wall } from "./given.mjs";

const TWELFTH = 1 / 12, LEAST = 0.45;
let mark, hint;

// the sentence is as large as it has to be: beside its figure, else in its place, else a little smaller
export function fitSentence(a) {
  const hero = $("hero"), sentence = $("sentence"), words = $("text");
  if (!wall()) {
    if (mark) sentence.style.fontSize = hero.dataset.fit = mark = "";
    return;
  }
  const now = [a.id, a.kind, a.told, a.question, innerWidth, innerHeight, document.body.className].join("|");
  if (now === mark) return;
  mark = now;
  sentence.style.fontSize = "";
  hero.dataset.fit = "beside";
  if (a.kind === "number") return;
  // in the middle of their box words reach over both its ends
  const fits = () => {
    const { top, bottom } = words.getBoundingClientRect(), shown = [...words.children].filter((el) => el.offsetHeight);
    return shown.every((el) => el.getBoundingClientRect().top >= top && el.getBoundingClientRect().bottom <= bottom) && words.scrollWidth <= words.clientWidth + 1;
  };
  const size = (part) => (sentence.style.fontSize = `${(innerHeight * TWELFTH * part).toFixed(1)}px`);
  size(1);
  if (!fits()) hero.dataset.fit = "over";
  for (let part = 1; !fits() && part > LEAST; part -= 0.05) size(part);
}

const waits = () => [...signals.values].some(([name, a]) => name.startsWith("alert.") && a?.message && !a.acknowledged_at);

export function drawTakeover() {
  const takes = wall() && waits();
  root.toggleAttribute("data-alarmed", takes);
  hint ??= document.body.appendChild(Object.assign(make("p"), { id: "told" }));
  hint.hidden = !takes;
  if (takes) put(hint, t("Acknowledge it on a tablet or a phone. Until then it stays here."));
}

// how many live answers there are, and which of them is shown, as dots
export function drawTurn(all) {
  const turn = all.filter((id) => signals.get(`answer.${id}.status`) === "answered");
  const dots = $("dots") ?? $("more").appendChild(Object.assign(make("div"), { id: "dots", ariaHidden: "true" }));
  dots.hidden = !wall() || turn.length < 5;
  while (dots.childElementCount > turn.length) dots.lastChild.remove();
  while (dots.childElementCount < turn.length) add(dots, "i");
  const at = $("hero").dataset.id;
  [...dots.children].forEach((dot, i) => dot.classList.toggle("on", turn[i] === at));
}
