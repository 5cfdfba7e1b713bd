// Questions of this page: one waits in pending until its answer shows, and is sent again on every return.

import { ids } from "./answers.mjs";
import { page, signals, up } from "./state.mjs";
import { text } from "./words.mjs";

const flat = (words) => words.trim().replace(/\s+/g, " ").toLowerCase();
const asked = (id) => id + signals.get(`answer.${id}.asked_at`);

// whoever asks in the past is back in the present: it is there that the answer comes
export function ask(question, plan) {
  const item = { ref: Math.random().toString(36).slice(2), question, plan };
  page.pending = [...page.pending.filter((p) => !p.error), item];
  if (page.past) page.past.leave();
  else transmit(item);
  page.chosen = null;
  scrollTo(0, 0);
  page.draw();
}

export function transmit(p) {
  if (p.error || !page.door.live() || page.past) return;
  p.known = ids().map(asked);
  page.door.ask({ ref: p.ref, question: p.question, plan: p.plan });
}

export function settle() {
  for (const id of page.past ? [] : ids()) {
    const words = flat(text(signals.get(`answer.${id}.question`)));
    // one that is too long is cut
    const same = (p) => [p.question, p.question.slice(0, 200)].some((it) => flat(it) === words);
    const mine = page.pending.find((p) => same(p) && p.known?.includes(asked(id)) === false);
    if (!mine) continue;
    page.pending = page.pending.filter((p) => p !== mine);
    page.chosen = id;
  }
  for (const p of page.pending) Object.assign(p, p.error ? { status: "failed" } : { stage: up() ? "sent" : "kept" });
}
