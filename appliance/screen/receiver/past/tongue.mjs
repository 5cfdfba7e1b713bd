// The words of the past in the page's language.

let translate = (english, ...args) => english.replace(/\{(\d)\}/g, (_, n) => args[n]);
export const speak = (way) => (translate = way);
export const tr = (...words) => translate(...words);
