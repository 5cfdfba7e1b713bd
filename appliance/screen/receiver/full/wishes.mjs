// What is sent up and answered: stop a question, pin an answer. What the box says of it comes back by its ref.

import { page } from "./given.mjs";

const WAIT_MS = 4000;
const waiting = new Map();

// null: it is done; else what is wrong, or undefined where nothing was heard
export function wish(said) {
  const ref = Math.random().toString(36).slice(2);
  return new Promise((resolve) => {
    waiting.set(ref, resolve);
    setTimeout(() => waiting.delete(ref) && resolve(undefined), WAIT_MS);
    page.door.input({ ...said, ref, ack: true });
  });
}

// whether a control frame answered one of these
export function heard(said) {
  const resolve = (said.type === "ack" || said.type === "error") && waiting.get(said.ref);
  if (!resolve) return false;
  waiting.delete(said.ref);
  resolve(said.type === "error" ? said : null);
  return true;
}
