// What the pages say. English is written where it is shown; the files in words/ hold the other languages, by the English.
import { store } from "./store.mjs";

export const LANGUAGES = { en: "English", de: "Deutsch" };
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];
const CHOSEN = "dreamstack-language";

let said = {};
export const language = store("en");

/** A text in the page's language; `{name}` stands for a value. */
export function t(text, values) {
  const found = said[text] ?? text;
  return values ? found.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all) : found;
}

/** One or many: `n` is filled in. */
export const tn = (n, one, many, values) => t(n === 1 ? one : many, { n: new Intl.NumberFormat(language.get()).format(n), ...values });

/** A text that is translated elsewhere: tables of names are written with it. */
export const w = (text) => text;

/** The language that this browser chose, or that the box is set to, or that the browser speaks. */
export function preferred(ofBox) {
  const chosen = localStorage.getItem(CHOSEN);
  return [chosen, ofBox, navigator.language.slice(0, 2)].find((each) => each in LANGUAGES) ?? "en";
}

export async function speak(code, keep = false) {
  if (keep) localStorage.setItem(CHOSEN, code);
  said = code === "en" ? {} : (await import(`../words/${code}.mjs`)).default;
  document.documentElement.lang = code;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr";
  language.set(code);
}
