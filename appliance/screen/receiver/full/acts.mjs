// What can be done with an answer: stop it, say that it was not meant, pin it, be told of it, see it otherwise.

import { $, add, ask, list, make, own, page, put, signals, t, wall } from "./given.mjs";
import { button, dialog } from "./dialogs.mjs";
import { openAlert } from "./alert.mjs";
import { refOf } from "./asked.mjs";
import { toast } from "./toast.mjs";
import { wish } from "./wishes.mjs";

let shown, follows, stopper, meant, pinner, teller, looks;
// by answer: how it is looked at, where somebody chose
const looked = new Map();

export function buildActs() {
  follows = make("p");
  follows.id = "follows";
  $("question").before(follows);
  stopper = button(document.body, "choice", "", stop);
  stopper.id = "stop";
  $("steps").after(stopper);
  meant = button(document.body, "link", "", openMeant);
  meant.id = "meant";
  $("reading").after(meant);
  pinner = button(document.body, "", "", pin);
  pinner.id = "pin";
  teller = button(document.body, "", "", () => openAlert(shown));
  teller.id = "tell";
  $("speak").before(pinner, teller);
  looks = make("div", "looks");
  looks.role = "radiogroup";
  $("figure").before(looks);
}

// other ways to look at the same rows
const ways = ({ was, view, rows }) => (was === "line" ? ["line", "table"] : was === "stacked" ? ["stacked", "table"] : was === "bars" ? ["bars", ...(rows.length > 1 && rows.every((row) => row[view.value] >= 0) ? ["share"] : []), "table"] : []);
const NAMES = { line: "Line", bars: "Bars", stacked: "Bars", share: "Share", table: "Table" };

// what is drawn of an answer: as somebody chose, else shares where it asks for them
export function look(a) {
  a.was = a.kind;
  if (a.kind === "bars" && a.view.share) a.kind = "share";
  const way = looked.get(a.id);
  if (way && ways(a).includes(way)) a.kind = way;
}

export function hero(a) {
  shown = a;
  const mine = page.past ? false : a.kind === "work" && (page.role === "admin" || !!refOf(a.question));
  put(follows, a.get("follows") ? t("Goes on from: {0}", a.get("follows")) : "");
  put(stopper, t("Stop"));
  stopper.hidden = !mine;
  put(meant, t("Not what I meant"));
  meant.hidden = a.status !== "answered" || !!page.past || wall();
  pinner.hidden = a.status !== "answered" || !a.get("plan") || !own() || !!page.past;
  put(pinner, t(a.get("pinned") ? "Take off the walls" : "Pin"));
  teller.hidden = page.role !== "admin" || !!page.past || !a.get("plan")?.select?.some((it) => it.aggregate);
  put(teller, t("Alert"));
  drawLooks(a);
}

function drawLooks(a) {
  const all = ways(a);
  looks.hidden = !all.length || a.status !== "answered";
  looks.ariaLabel = t("Show as");
  if (looks.dataset.all !== all.join()) {
    looks.dataset.all = all.join();
    looks.replaceChildren(...all.map((way) => Object.assign(make("button"), { type: "button", role: "radio", value: way, onclick: () => choose(way) })));
    looks.onkeydown = arrows;
  }
  for (const el of looks.children) {
    const on = el.value === a.kind;
    put(el, t(NAMES[el.value]));
    el.ariaChecked = String(on);
    el.tabIndex = on ? 0 : -1;
  }
}

function choose(way) {
  looked.set(shown.id, way);
  page.draw();
}

function arrows(event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = [...looks.children], to = all[(all.indexOf(event.target) + by + all.length) % all.length];
  choose(to.value);
  to.focus();
}
export function otherLook() {
  const all = ways(shown ?? {});
  if (all.length) choose(all[(all.indexOf(shown.kind) + 1) % all.length]);
}

export const act = (id) => !$(id).hidden && $(id).click();

const notDone = (said) => (said ? [said.message, said.hint].filter(Boolean).join(" ") : t("The box does not answer."));

async function stop() {
  const { id, question } = shown, waiting = page.pending.find((p) => p.ref === id);
  if (waiting) page.pending = page.pending.filter((p) => p !== waiting);
  page.draw();
  const said = await wish({ type: "cancel", answer: waiting ? undefined : id, asked: waiting?.ref ?? refOf(question) });
  if (said !== null) toast(notDone(said));
}

function openMeant() {
  const a = shown, choices = list(a.get("alternatives"));
  dialog(t("What did you mean?"), (box, close) => {
    add(box, "p", "soft", t("It was read as: {0}", a.reading)).lang = "en";
    if (!choices.length) add(box, "p", "", t("The box knows no other reading. Say it in other words."));
    for (const it of choices) {
      const other = button(box, "choice", it.label, () => (close(), ask(a.question, it.plan)));
      other.lang = "en";
    }
    button(box, "choice", t("In other words"), () => {
      close();
      $("q").value = a.question;
      $("q").focus();
      $("q").select();
    });
  });
}

async function pin() {
  const a = shown;
  if (a.get("pinned")) return pinned({ answer: a.id, off: true }, t("It is no longer on the walls."));
  const rooms = list(signals.get("box.rooms"));
  if (!rooms.length) return pinned({ answer: a.id }, t("It is on all walls now, under the live answers."));
  dialog(t("On which walls?"), (box, close) => {
    const to = (label, room, said) => button(box, "choice", label, () => (close(), pinned({ answer: a.id, room }, said)));
    to(t("The whole house"), "", t("It is on all walls now, under the live answers."));
    for (const room of rooms) to(room.label, room.name, t("It is on the walls of {0} now.", room.label));
  });
}

async function pinned(what, words) {
  const said = await wish({ type: "pin", ...what });
  toast(said === null ? words : notDone(said));
}
