// Colours that people tell apart who see colours otherwise, after Okabe and Ito; each has a pattern too.

export const TONES = 7;

// what is shown beyond the colours there are, is one part more
export function tone(el, index) {
  el.classList.add("tone");
  el.dataset.tone = index % TONES;
}

// names in the order of their sums, so that a part has one colour in all bars, and the largest the first one
export function parts(rows, name, value) {
  const sums = new Map();
  for (const row of rows) sums.set(row[name], (sums.get(row[name]) ?? 0) + (Number(row[value]) || 0));
  const names = [...sums.keys()].sort((a, b) => sums.get(b) - sums.get(a));
  return { sums, names: names.slice(0, names.length > TONES ? TONES - 1 : TONES), rest: names.length > TONES ? names.slice(TONES - 1) : [] };
}
