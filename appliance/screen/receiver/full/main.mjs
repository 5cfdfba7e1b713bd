// The richer page: takes over from the bare one where that leaves room for it.

import { $, KINDS, page, root, t } from "./given.mjs";
import { buildActs, hero, look } from "./acts.mjs";
import { drawAsked, note, renameAsked, toggleAsked } from "./asked.mjs";
import { line } from "./charts.mjs";
import { button } from "./dialogs.mjs";
import { forgetCatalog } from "./edit.mjs";
import { icon } from "./icons.mjs";
import { press, roving } from "./keys.mjs";
import { followLanguage } from "./language.mjs";
import { enlarge, openSettings } from "./settings.mjs";
import { drawSign } from "./signs.mjs";
import { share, stacked } from "./stacked.mjs";
import { followSurface, surface } from "./surfaces.mjs";
import { table } from "./table.mjs";
import { buildTalk, heardWords, nameTalk } from "./talk.mjs";
import { number } from "./trend.mjs";
import { drawTakeover, drawTurn, fitSentence } from "./walls.mjs";
import { drawWatch } from "./watch.mjs";
import { heard } from "./wishes.mjs";

const tools = [];
let chips, cards, current;

function tool(name, label, press_) {
  const el = button(document.querySelector("header"), "tool", "", press_);
  el.append(icon(name));
  tools.push(() => (el.ariaLabel = el.title = t(label)));
  $("theme").before(el);
  return el;
}

const full = {
  views: { number, line, stacked, share, table },
  surface,
  look,
  stale: () => root.classList.contains("stale"),
  hero(a) {
    hero(a);
    current = a;
  },
  draw(all) {
    if (followSurface()) page.draw();
    followLanguage();
    note();
    drawAsked();
    drawTakeover();
    drawSign();
    drawTurn(all);
    drawWatch();
    chips();
    cards();
    if (current) fitSentence(current);
  },
  hear(said) {
    if (said.type === "hello") forgetCatalog();
    return heard(said) || heardWords(said);
  },
  rename() {
    for (const name of tools) name();
    renameAsked();
    nameTalk();
  },
};

function takeOver() {
  KINDS.push("stacked");
  buildActs();
  const asked = tool("asked", "Asked today", () => toggleAsked());
  asked.id = "asked-open";
  asked.ariaExpanded = "false";
  tool("settings", "This screen", openSettings).id = "settings";
  buildTalk();
  chips = roving($("chips"), ".chip");
  cards = roving($("grid"), "h3 button");
  root.dataset.full = "";
  page.full = full;
  addEventListener("keydown", press, true);
  full.rename();
  enlarge();
  page.draw();
}

takeOver();
