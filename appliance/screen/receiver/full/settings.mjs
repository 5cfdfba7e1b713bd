// How this screen looks and speaks; kept here alone. And the keys, behind "?".

import { $, add, dress, fit, keep, kept, make, page, root, t } from "./given.mjs";
import { choice, dialog, field } from "./dialogs.mjs";
import { KEYS, keysOn } from "./keys.mjs";
import { LANGUAGES, chosen, speakIn } from "./language.mjs";
import { SURFACES, assigned } from "./surfaces.mjs";

const SIZES = [100, 125, 150, 175, 200];
const KINDS_OF = { wall: "Wall", tablet: "Tablet", phone: "Phone", watch: "Watch", text: "Text" };

export function enlarge() {
  const size = kept("size", 100);
  root.style.setProperty("--size", SIZES.includes(size) && size !== 100 ? `${size}%` : "");
  root.toggleAttribute("data-sized", size !== 100);
  fit();
}

export function openSettings() {
  dialog(t("This screen"), (box) => {
    const form = add(box, "form");
    form.onsubmit = (event) => event.preventDefault();
    const on = (control, change) => (control.onchange = () => (change(control.type === "checkbox" ? control.checked : control.value), page.draw()));
    on(field(form, t("Language"), choice(Object.entries(LANGUAGES), chosen())), (name) => {
      keep("language", name);
      speakIn(name).then(openSettings);
    });
    on(field(form, t("Letters"), choice(SIZES.map((it) => [String(it), `${it} %`]), String(kept("size", 100)))), (size) => (keep("size", Number(size)), enlarge()));
    on(field(form, t("Colours"), choice([["light", t("Light")], ["dark", t("Dark")]], root.dataset.theme)), dress);
    const kind = field(form, t("Kind of screen"), choice([["", t("As it fits")], ...SURFACES.map((it) => [it, t(KINDS_OF[it])])], assigned() || kept("surface", "")));
    on(kind, (name) => (keep("surface", name), fit()));
    kind.disabled = !!assigned();
    if (assigned()) add(form, "p", "soft", t("The admin has chosen the kind of this screen."));
    const keys = Object.assign(make("input"), { type: "checkbox", checked: keysOn() });
    on(field(form, t("Single keys do things"), keys), (is) => keep("keys", is));
  });
}

export function openKeys() {
  dialog(t("Keys"), (box) => {
    const rows = add(add(box, "table", "keys"), "tbody");
    for (const [key, words] of KEYS) {
      const tr = add(rows, "tr");
      add(add(tr, "th"), "kbd", "", key).parentNode.scope = "row";
      add(tr, "td", "", t(words));
    }
    add(box, "p", "soft", t("Keys of one letter can be turned off under “This screen”."));
  });
  $("dialog-title")?.focus();
}
