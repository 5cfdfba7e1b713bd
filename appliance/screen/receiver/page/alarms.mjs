// Active alerts, then what is unusual: unseen ones first, then the newest; acknowledging one tells everybody.

import { $, add, keyed, make, put } from "./dom.mjs";
import { ask } from "./questions.mjs";
import { refusal, send } from "./request.mjs";
import { link, note, page, signals } from "./state.mjs";
import { t, text, told, when } from "./words.mjs";

export function drawAlarms() {
  const { role } = page;
  // on a phone the answer has to stay in sight
  const all = [], most = innerWidth < 640 ? 1 : 3;
  for (const [name, a] of signals.values) if (name.startsWith("alert.") && a?.message) all.push({ ...a, id: "alerts/events/" + name.slice(6) });
  for (const [name, a] of signals.values) if (name.startsWith("unusual.") && a?.sentence) all.push({ ...a, id: "unusual/" + a.id, message: a.sentence, fired_at: a.told_at, odd: "odd " });
  all.sort((a, b) => !!a.odd - !!b.odd || !!a.acknowledged_at - !!b.acknowledged_at || (a.fired_at < b.fired_at ? 1 : -1));
  const create = (a) => {
    const p = make("p");
    for (const tag of ["b", "span", "button"]) add(p, tag);
    if (a.odd) add(p, "button");
    return p;
  };
  keyed($("alarms"), all.slice(0, most), (a) => a.id, create, (p, a) => {
    const [message, facts, button, rows] = p.children, seen = text(a.acknowledged_at);
    p.className = text(a.odd) + (seen && "seen");
    if (rows) {
      put(rows, t("Show rows"));
      rows.hidden = !a.plan;
      rows.onclick = () => ask(a.message, a.plan);
    }
    put(message, text(a.message));
    put(facts, told(when(text(a.fired_at)), seen && t("seen {0}", when(seen))));
    put(button, t("Acknowledge"));
    button.hidden = seen || !role || role === "wall" || link().state || page.past;
    button.onclick = () => acknowledge(a.id, button);
  });
  put($("others"), all.length > most ? t("and {0} more", all.length - most) : "");
}

async function acknowledge(id, button) {
  button.disabled = true;
  const answer = await send("POST", `/api/${id}/acknowledge`);
  note(answer?.ok ? "" : `${t("The alert could not be acknowledged.")} ${await refusal(answer)}`);
  button.disabled = false;
}
