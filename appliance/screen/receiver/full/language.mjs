// The language: of the address, of this screen, of the browser, of the box; English where there is no other.

import { $, kept, learn, localise, page, root, signals, wanted } from "./given.mjs";

export const LANGUAGES = { en: "English", de: "Deutsch" };
// made of English, right to left: shows what was not translated, and whether the page can be mirrored
const PSEUDO = "ar-XB";
const AGAIN_MS = 3000;
let speaking;
const pseudo = new Proxy({}, { get: (_, english) => `⟦${String(english)}⟧` });

export function chosen() {
  const asked = [wanted.get("lang"), kept("language"), ...navigator.languages, signals.get("box.language")].filter((it) => typeof it === "string");
  if (asked[0] === PSEUDO) return PSEUDO;
  return asked.map((name) => name.slice(0, 2).toLowerCase()).find((name) => LANGUAGES[name]) ?? "en";
}

export async function speakIn(name) {
  speaking = name;
  const there = name === PSEUDO ? pseudo : name === "en" || !LANGUAGES[name] ? {} : null;
  const words = there ?? (await fetch(`/words/${name}.json`).then((it) => (it.ok ? it.json() : null)).catch(() => null));
  // another one was chosen meanwhile; or the page stays as it is until its words come
  if (speaking !== name) return;
  if (!words) return void setTimeout(() => speaking === name && speakIn(name), AGAIN_MS);
  learn(words, name === PSEUDO ? "en-GB" : navigator.languages.find((it) => it.startsWith(name)) ?? name);
  root.lang = name;
  root.dir = name === PSEUDO ? "rtl" : "ltr";
  // what the box says is English, whatever the page's own words are
  for (const id of ["sentence", "reading", "hint"]) $(id).lang = "en";
  localise();
  page.full?.rename();
  page.draw();
}

// the box's own may come after the page
export function followLanguage() {
  if (chosen() !== speaking) speakIn(chosen());
}
