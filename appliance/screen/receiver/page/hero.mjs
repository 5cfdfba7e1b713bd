// The answer that is large, and the cards of the others.

import { answer, ids, status } from "./answers.mjs";
import { $, add, buttons, keyed, make, put, still } from "./dom.mjs";
import { figure } from "./figures.mjs";
import { ask } from "./questions.mjs";
import { link, page, signals, wall } from "./state.mjs";
import { as, csv, list, show, t, text, told } from "./words.mjs";

// what was said no to, here
const declined = new Set();
let since = 0, said;

// the newest answer or the one chosen; on a wall each live answer in turn
export function pick(all) {
  const turn = all.filter((id) => status(id) === "answered"), busy = all[0] && !status(all[0]);
  if (!wall()) return all.includes(page.chosen) ? page.chosen : page.pending.at(-1) ?? all[0];
  if (busy || !turn.length) return all[0];
  const { hero } = page;
  return all.includes(hero) && (Date.now() - since < 9900 || !turn[1]) ? hero : turn[(turn.indexOf(hero) + 1) % turn.length];
}

export function drawHero(id) {
  const a = answer(id ?? { question: "", ref: "", status: "none", sentence: t(page.joined && link().state !== "searching" ? "Ask about anything this box holds." : "Connecting to the box.") });
  const data = $("hero").dataset, same = data.id === a.id, shine = same && data.kind === "word" && a.kind === "word";
  if (!same || data.kind !== a.kind) since = Date.now();
  if (!same && !still.matches) $("text").animate({ opacity: [0, 1], translate: ["0 .5rem", "0"] }, 300);
  page.hero = id;
  Object.assign(data, { id: a.id, kind: a.kind });
  put($("question"), a.question);
  const offers = a.status === "confirm", no = declined.has(a.id);
  put($("sentence"), no ? t("Nothing was done.") : a.told, shine);
  put($("reading"), offers ? "" : a.reading);
  put($("hint"), text(a.error.hint));
  $("steps").dataset.at = a.stage;
  const items = page.past ? [] : a.status === "failed" ? [{ label: t("Ask again") }] : no ? [] : offers ? [...a.choices, { label: t("No") }] : a.choices;
  $("choices").className = a.status;
  buttons($("choices"), "choice", items, ({ plan }) => (offers && !plan ? open(declined.add(a.id) && a.id) : ask(a.question, plan)));
  // so that Yes and No come next
  if (offers && !same && id === page.chosen) $("hero").focus({ preventScroll: true });
  const rows = a.count > a.rows.length ? t("first {0} of {1} rows", a.rows.length, show(a.count)) : t(a.count === 1 ? "{0} row" : "{0} rows", show(a.count));
  const facts = told(a.source, rows, as(a.role), a.at, a.took && `${a.took} ms`);
  put($("source"), a.status === "answered" ? facts : text(a.error.code));
  put($("rest"), a.rest);
  $("copy").hidden = !a.rest;
  $("speak").hidden = a.status !== "answered" || !!page.past;
  $("csv").hidden = !a.rows.length;
  figure($("figure"), a);
  page.full?.hero(a);
  if (a.status && said !== a.id) put($("say"), `${a.question} ${a.told}`), (said = a.id);
}

// a frame draws so many cards as it has time for; the next one goes on with those that wait longest
const SLICE_MS = 4, FEW = 12;
let pass = 0, cost = 0.1, rest;

export function drawCards(all, goesOn) {
  const { hero } = page;
  cancelAnimationFrame(rest);
  pass += !goesOn;
  const pinned = list(signals.get("answers.pinned")), turn = all.filter((id) => id === hero || status(id) === "answered"), from = turn.indexOf(hero) & ~3;
  const shown = wall() ? turn.slice(from, from + 4) : all.filter((id) => id !== hero);
  $("more").hidden = !shown.length;
  const create = () => {
    const card = make("article", "card");
    add(add(card, "h3"), "button");
    for (const name of ["", "line", "meta"]) add(card, "div", name);
    return card;
  };
  const behind = [...$("grid").children].filter((it) => it.pass !== pass).sort((one, other) => one.pass - other.pass);
  const due = new Set(behind.slice(0, Math.max(FEW, SLICE_MS / cost))), began = performance.now();
  let late = 0, drawn = 0;
  keyed($("grid"), shown, String, create, (card, id) => {
    if (card.pass === pass) return;
    if (card.pass && !due.has(card)) return void late++;
    card.pass = pass;
    drawn++;
    const a = answer(id), [title, box, line, meta] = card.children;
    Object.assign(card.dataset, { kind: a.kind, now: id === hero });
    put(title.firstChild, a.question);
    title.firstChild.onclick = () => open(id);
    figure(box, a, true);
    put(line, a.told);
    put(meta, told((pinned.includes(id) || a.get("pinned")) && t("Pinned"), a.source, a.at));
  });
  if (drawn) cost = (cost + (performance.now() - began) / drawn) / 2;
  if (late) rest = requestAnimationFrame(() => drawCards(ids(), true));
}

export function open(id) {
  page.chosen = id;
  page.draw();
  $("hero").scrollIntoView({ block: "nearest" });
  $("hero").focus({ preventScroll: true });
}

export function takeAlong() {
  const a = answer(page.hero), href = URL.createObjectURL(new Blob(["\ufeff", csv(a.fields, a.rows)], { type: "text/csv" }));
  Object.assign(make("a"), { href, download: `${a.source || "rows"}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1e4);
}
