// Bars made of parts, and one bar for parts of a whole; every part has its number beside its colour.

import { add, decimals, glow, keyed, make, put, show, t } from "./given.mjs";
import { parts, tone } from "./palette.mjs";

const NAMED = 0.07;
const rest = (names) => t("{0} others", names.length);

function legend(box, names, others) {
  const all = others.length ? [...names, null] : names;
  keyed(box, all, String, () => {
    const item = make("span", "key");
    add(item, "i");
    return item.append(make("b")), item;
  }, (item, name) => {
    tone(item.firstChild, all.indexOf(name));
    put(item.lastChild, name === null ? rest(others) : show(name));
  });
}

function segments(track, amounts, whole, digits) {
  keyed(track, amounts, (it) => String(it.index), () => add(make("i"), "b").parentNode, (el, { index, amount }) => {
    tone(el, index);
    el.style.setProperty("--w", amount / whole);
    put(el.firstChild, amount / whole >= NAMED ? show(amount, digits) : "");
  });
}

export function stacked(box, { rows, view: { label, part, value } }, few) {
  const { names, rest: others } = parts(rows, part, value), { sums, names: bars } = order(rows, label, value);
  const top = Math.max(...sums.values()), digits = decimals(rows, value), amount = (it) => Number(it?.[value]) || 0;
  if (!box.firstChild) {
    add(box, "p", "legend");
    add(box, "ol");
  }
  const [keys, items] = box.children;
  keys.hidden = few;
  if (!few) legend(keys, names, others);
  keyed(items, bars.slice(0, few ? 4 : 200), String, () => {
    const li = make("li");
    for (const [tag, name] of [["span"], ["div", "track"], ["b"]]) add(li, tag, name);
    return li;
  }, (li, bar, isNew) => {
    const [name, track, count] = li.children, own = rows.filter((row) => row[label] === bar);
    const amounts = names.map((it, index) => ({ index, amount: amount(own.find((row) => row[part] === it)) })).filter((it) => it.amount > 0);
    const left = own.filter((row) => others.includes(row[part])).reduce((sum, row) => sum + amount(row), 0);
    if (left) amounts.push({ index: names.length, amount: left });
    const told = show(sums.get(bar), digits);
    if (isNew || (count.textContent && count.textContent !== told)) glow(li);
    put(name, show(bar));
    put(count, told);
    segments(track, amounts, top || 1, digits);
  });
}

// time in its order, other names by their sums
function order(rows, label, value) {
  const sums = new Map();
  for (const row of rows) sums.set(row[label], (sums.get(row[label]) ?? 0) + (Number(row[value]) || 0));
  const names = [...sums.keys()], timed = names.every((it) => /^\d{4}-\d\d-\d\d/.test(it));
  return { sums, names: names.sort((a, b) => (timed ? (a < b ? -1 : 1) : sums.get(b) - sums.get(a))) };
}

export function share(box, { rows, view: { label, value } }, few) {
  const { sums, names, rest: others } = parts(rows, label, value), whole = [...sums.values()].reduce((a, b) => a + b, 0) || 1;
  const left = others.reduce((sum, name) => sum + sums.get(name), 0);
  const all = [...names.map((name, index) => ({ index, name: show(name), amount: sums.get(name) })), ...(left ? [{ index: names.length, name: rest(others), amount: left }] : [])];
  if (!box.firstChild) {
    add(box, "div", "track whole");
    add(box, "ol");
  }
  const [track, items] = box.children, digits = decimals(rows, value);
  segments(track, all.map((it) => ({ ...it, amount: it.amount })), whole, digits);
  keyed(items, few ? all.slice(0, 3) : all, (it) => it.name, () => {
    const li = make("li");
    for (const tag of ["i", "span", "b", "em"]) add(li, tag);
    return li;
  }, (li, { index, name, amount }, isNew) => {
    const [swatch, label_, percent, count] = li.children, told = `${show(Math.round((1000 * amount) / whole) / 10)} %`;
    if (isNew || (percent.textContent && percent.textContent !== told)) glow(li);
    tone(swatch, index);
    put(label_, name);
    put(percent, told);
    put(count, show(amount, digits));
  });
}
