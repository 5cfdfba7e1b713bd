// A watch: how things are and the counts. A press shows the sentence, another one goes back; alerts likewise.

import { $, page, put, root, signals, surfaceNow, t } from "./given.mjs";

let bound;

export function drawWatch() {
  if (surfaceNow() !== "watch") return delete root.dataset.near;
  if (!bound) bind();
  const waits = [...signals.values].filter(([name, a]) => name.startsWith("alert.") && a?.message && !a.acknowledged_at).length;
  put($("others"), waits > 1 ? t("{0} alerts", waits) : "");
}

function bind() {
  bound = true;
  $("grid").addEventListener("click", () => surfaceNow() === "watch" && near("answer"));
  $("alarms").addEventListener("click", (event) => surfaceNow() === "watch" && event.target.tagName !== "BUTTON" && near(root.dataset.near ? "" : "alarm"));
  $("hero").addEventListener("click", () => surfaceNow() === "watch" && near(""));
  $("hero").addEventListener("keydown", (event) => surfaceNow() === "watch" && ["Enter", "Escape", " "].includes(event.key) && near(""));
}

function near(what) {
  if (what) root.dataset.near = what;
  else delete root.dataset.near;
  page.draw();
  if (!what) $("grid").querySelector("button")?.focus();
}
