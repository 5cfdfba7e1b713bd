// The line under the header: what is missing and how old what you see is; else what just changed.

import { $, put, root } from "./dom.mjs";
import { speaking } from "./speech.mjs";
import { link, now, page, seen, signals, up, wall } from "./state.mjs";
import { ago, clock, list, t, text } from "./words.mjs";

const waits = (n) => n && t(n === 1 ? "{0} question is kept for it." : "{0} questions are kept for it.", n);

export function strip() {
  const { back, joined, note, past, skew } = page, well = up(), last = seen();
  const down = list(signals.get("box.parts")).filter((p) => p.state !== "ok");
  let news = down.map((p) => text(p.sentence) || t("The {0} does not answer.", p.name)).join(" ") || note;
  if (!well) news = joined ? [note || t("The box does not answer."), last && t("Shown as of {0}, {1}.", clock(new Date(last + skew)), ago(Date.now() - last)), page.door.live() && waits(link().kept)].filter(Boolean).join(" ") : "";
  root.classList.toggle("stale", joined && !well);
  $("strip").className = news && "warn";
  const changes = [];
  for (const [name, c] of signals.values) if (name.startsWith("changes.") && c?.at) changes.push([now() - new Date(c.at), name.slice(8).replaceAll("_", " ")]);
  put($("news"), news || changes.sort(([a], [b]) => a - b).slice(0, 3).map(([ms, name]) => t("{0} changed {1}", name, ago(ms))).join("  ·  "));
  put($("state"), t(!well ? (joined ? "Not connected" : "Connecting") : back ? "Connecting" : past ? "The past" : down.length ? "Partly live" : "Live"));
  $("state").className = well && !back && !past && !down.length ? "live" : "";
  put($("speak"), t(speaking() ? "Stop" : "Speak"));
  put($("clock"), clock(new Date(Date.now() + skew), wall()));
}
