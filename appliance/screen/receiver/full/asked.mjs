// What was asked on this screen today: kept here alone, searched, asked again, forgotten.

import { $, add, answer, ask, clock, ids, keep, kept, keyed, make, open, page, put, t } from "./given.mjs";
import { icon } from "./icons.mjs";
import { button } from "./dialogs.mjs";

const KEPT = 200;
const today = () => new Date().toDateString();
const flat = (words) => words.trim().replace(/\s+/g, " ").toLowerCase();
const noted = new Set();
let panel, search, items;

const asked = () => {
  const held = kept("asked", {});
  return held.day === today() && Array.isArray(held.items) ? held.items : [];
};

// a question is noted when it leaves; the newest first, each once
export function note() {
  const fresh = page.pending.filter((p) => !noted.has(p.ref));
  if (!fresh.length) return;
  for (const p of fresh) noted.add(p.ref);
  const told = fresh.map(({ question, ref }) => ({ question, ref, at: Date.now() }));
  const rest = asked().filter((it) => !told.some((p) => flat(p.question) === flat(it.question)));
  keep("asked", { day: today(), items: [...told.toReversed(), ...rest].slice(0, KEPT) });
  drawAsked();
}

// how this screen called a question when it sent it
export const refOf = (question) => asked().find((it) => flat(it.question) === flat(question))?.ref;

function go({ question }) {
  const id = ids().find((it) => flat(answer(it).question) === flat(question));
  if (id == null) ask(question);
  else open(id);
}

export function drawAsked() {
  if (!panel || panel.hidden) return;
  const words = flat(search.value), found = asked().filter((it) => flat(it.question).includes(words));
  keyed(items, found, (it) => it.question, () => {
    const li = make("li"), press = add(li, "button", "again");
    press.type = "button";
    for (const tag of ["time", "span", "b"]) add(press, tag);
    return li;
  }, (li, it) => {
    const [time, question, value] = li.firstChild.children, id = ids().find((id) => flat(answer(id).question) === flat(it.question));
    const a = id != null && answer(id);
    put(time, clock(new Date(it.at), true));
    put(question, it.question);
    put(value, a?.kind === "number" ? String(a.view.value) : "");
    li.firstChild.onclick = () => go(it);
  });
  panel.dataset.empty = found.length ? "" : t(asked().length ? "Nothing that was asked today has these words." : "What you ask today is listed here, on this screen alone.");
  put(panel.querySelector(".none"), panel.dataset.empty);
}

export function toggleAsked(shows = !panel || panel.hidden) {
  if (!panel) buildAsked();
  panel.hidden = !shows;
  $("asked-open").ariaExpanded = String(shows);
  if (!shows) return $("asked-open").focus();
  drawAsked();
  search.focus();
}
export const askedShown = () => panel && !panel.hidden;

function buildAsked() {
  panel = make("aside");
  Object.assign(panel, { id: "asked", hidden: true });
  const head = add(panel, "header");
  const title = add(head, "h2"), out = button(head, "bare", "", () => toggleAsked(false));
  out.append(icon("close"));
  title.id = "asked-title";
  panel.setAttribute("aria-labelledby", title.id);
  search = add(panel, "input");
  search.type = "search";
  search.oninput = drawAsked;
  items = add(panel, "ol");
  add(panel, "p", "none").role = "status";
  const forget = button(panel, "", "", () => {
    keep("asked", {});
    drawAsked();
  });
  panel.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), toggleAsked(false)));
  panel.rename = () => {
    put(title, t("Asked today"));
    search.placeholder = search.ariaLabel = t("Search");
    out.ariaLabel = t("Close");
    put(forget, t("Forget these"));
    drawAsked();
  };
  panel.rename();
  document.querySelector("main").append(panel);
}
export const renameAsked = () => panel?.rename();
