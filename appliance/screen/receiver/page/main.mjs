// Frames in, signals kept by version, answers drawn. Values reach the page as text only: they cannot run.

import { drawAlarms } from "./alarms.mjs";
import { KINDS, answer, ids, status } from "./answers.mjs";
import { $, add, buttons, glow, keyed, make, put, root, still } from "./dom.mjs";
import { cell, columnsOf, decimals, views } from "./figures.mjs";
import { drawCards, drawHero, open, pick, takeAlong } from "./hero.mjs";
import { line } from "./line.mjs";
import { ask, settle, transmit } from "./questions.mjs";
import { refusal, send } from "./request.mjs";
import { sound, speaking } from "./speech.mjs";
import { link, note, now, page, signals, up, wall } from "./state.mjs";
import { strip } from "./strip.mjs";
import { bring, offer, travel, wake } from "./travel.mjs";
import { as, clock, csv, day, inZone, learn, list, show, t, text, told, when, zone } from "./words.mjs";

const wanted = new URLSearchParams(location.search);
const dark = matchMedia("(prefers-color-scheme: dark)"), wide = matchMedia("(min-width: 1600px) and (pointer: none)");
let drawing, ticked, made;

function dress(choice) {
  try {
    choice = choice ? (localStorage.theme = choice) : localStorage.theme;
  } catch {}
  root.dataset.theme = choice || (dark.matches ? "dark" : "light");
}

// in rem: large letters make a small screen
function fit() {
  const rem = parseFloat(getComputedStyle(root).fontSize), { dataset } = root;
  dataset.surface = page.full?.surface() || wanted.get("surface") || (wide.matches ? "wall" : innerWidth <= 240 ? "watch" : innerWidth < 40 * rem ? "phone" : "tablet");
  dataset.narrow = innerWidth < 60 * rem;
}

function draw() {
  drawing = 0;
  settle();
  drawAlarms();
  const all = ids(), name = text(signals.get("box.name")) || "DreamStack", facility = text(signals.get("box.facility"));
  document.title = facility || name;
  put($("facility"), document.title);
  const copy = signals.get("fork.of");
  put($("box"), told(facility && name, as(page.role), copy?.t && t("goes on from {0}", when(new Date(copy.t).toISOString()))));
  put($("count"), t(all.length === 1 ? "{0} answer" : "{0} answers", all.length));
  drawHero(pick(all));
  drawCards(all);
  buttons($("chips"), "chip", list(signals.get("box.suggestions")).map((label) => ({ label: String(label) })), (it) => ask(it.label));
  page.full?.draw(all);
  strip();
}

function change() {
  const at = signals.get("box.clock");
  inZone(signals.get("box.timezone"));
  // an old time of the box says nothing of the two clocks
  if (up() && !page.past && at !== ticked) page.skew = Date.parse((ticked = at)) - Date.now() || 0;
  made ??= signals.get("box.page");
  // not let in: the agent's own page shows the code
  if (["waiting", "refused"].includes(link().state)) return location.reload();
  drawing ||= requestAnimationFrame(draw);
}

function control(value) {
  if (page.full?.hear(value)) return;
  if (value.type === "hello") {
    page.role = text(value.role);
    page.screen = text(value.screen);
    page.listens = value.listens;
    page.own = value.room ? "room/" + value.room : "main";
  }
  page.past?.hear(value);
  if (value.type === "subscribed") {
    if (!page.joined && wanted.get("at")) travel(wanted.get("at"));
    page.joined = true;
    page.back = false;
    page.note = "";
    settle();
    page.pending.forEach(transmit);
    offer();
  }
  if (value.type !== "error") return;
  // a screen that was taken out, or has to prove itself anew, begins at the box's page again
  if (value.code === "BRG401") setTimeout(() => location.reload(), 1000);
  // BRG406: a part of the box is away for a moment, which is no answer to a question
  const mine = value.code !== "BRG406" && page.pending.find((p) => (value.ref ? p.ref === value.ref : !p.error));
  if (mine) mine.error = value;
  else note(text(value.message));
}

function keys(event) {
  const q = $("q");
  if (event.key === "Escape") q.value = "";
  if (event.key !== "/" || event.target === q || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  q.focus();
}

// navigator.clipboard is missing on plain http
function copy() {
  getSelection().selectAllChildren($("rest"));
  document.execCommand("copy");
  put($("copy"), t("Copied"));
  setTimeout(() => put($("copy"), t("Copy")), 1500);
}

function submit(event) {
  event.preventDefault();
  const q = $("q");
  if (q.value.trim()) ask(q.value.trim());
  q.value = "";
}

// the texts that the page begins with, in another language
function localise() {
  for (const el of document.querySelectorAll("[aria-label], [placeholder], [data-t]")) {
    el.english ??= { ariaLabel: el.ariaLabel, placeholder: el.placeholder, textContent: el.dataset.t == null ? null : el.textContent };
    for (const [name, text] of Object.entries(el.english)) if (text) el[name] = t(text);
  }
}

// at the box's own address: the richer page, over this one. Without it this one goes on
async function enrich() {
  if (location.pathname !== "/") return;
  self.receiver = { KINDS, $, add, answer, ask, bring, buttons, cell, clock, columnsOf, csv, day, decimals, dress, fit, glow, ids, keyed, learn, list, localise, make, now, open, page, pick, put, refusal, root, send, show, signals, status, still, t, text, told, transmit, up, views, wall, wanted, when, zone };
  await bring("full").catch(() => {});
}

// a new page comes with a new box: it is taken once nobody is at this one and nothing is written in it
function renew() {
  const other = signals.get("box.page"), writes = () => document.querySelector("dialog") || [...document.querySelectorAll("input")].some((it) => it.value);
  if (up() && made !== other && !page.past && Date.now() - page.touched > 6e4 && !writes()) location.reload();
}

function begin() {
  page.draw = draw;
  $("ask").onsubmit = submit;
  addEventListener("keydown", keys);
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, wake);
  $("theme").onclick = () => dress(root.dataset.theme === "dark" ? "light" : "dark");
  $("travel").onclick = () => travel();
  $("csv").onclick = takeAlong;
  $("copy").onclick = copy;
  $("speak").onclick = () => page.door.tell({ type: "speak", answer: speaking() ? null : page.hero });
  const heard = (it) => (sound(it), strip());
  page.door = line(`${location.protocol.replace("http", "ws")}//${location.host}/ws`, signals, { change, control, sound: heard });
  setInterval(renew, 1000);
  setInterval(() => (wall() && pick(ids()) !== page.hero ? draw() : strip()), 1000);
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) $("q").focus();
  draw();
  enrich();
}

dress();
fit();
dark.onchange = () => dress();
addEventListener("resize", fit);
addEventListener("DOMContentLoaded", begin);
