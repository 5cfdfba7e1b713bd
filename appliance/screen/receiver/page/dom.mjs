// Elements, text that glows when it changes, lists that keep their elements.

export const root = document.documentElement;
export const still = matchMedia("(prefers-reduced-motion: reduce)");
export const $ = (id) => document.getElementById(id);
export const make = (tag, name = "", text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
export const add = (parent, ...what) => parent.appendChild(make(...what));
// one at a time: what changes ten times a second glows on; and not more than an eye can follow
const glowing = [];
export function glow(el) {
  const now = performance.now();
  while (glowing[0] < now) glowing.shift();
  if (still.matches || el.glows > now || glowing.length > 23) return;
  glowing.push((el.glows = now + 1500));
  el.animate({ backgroundColor: ["var(--warm)", "transparent"] }, { duration: 2000, easing: "steps(10)" });
}

export function put(el, text, shine) {
  if (el.textContent === text) return;
  el.textContent = text;
  if (shine) glow(el);
}

export function keyed(parent, items, key, create, update) {
  const old = parent.kept ?? new Map(), used = (parent.kept = new Map());
  for (const item of items) {
    let id = key(item);
    while (used.has(id)) id += "+";
    used.set(id, item);
  }
  // first, so that what stays need not be moved
  for (const [id, el] of old) if (!used.has(id)) el.remove();
  let spot = parent.firstElementChild;
  for (const [id, item] of used) {
    const el = old.get(id) ?? create(item);
    used.set(id, el);
    update(el, item, old.size && !old.has(id));
    // an element that is moved loses the focus: the others go round it
    while (el !== spot && old.has(id) && el.contains(document.activeElement)) {
      const other = spot;
      spot = other.nextElementSibling;
      parent.append(other);
    }
    if (el === spot) spot = spot.nextElementSibling;
    else parent.insertBefore(el, spot);
  }
}

export function buttons(parent, name, items, press) {
  keyed(parent, items, (it) => it.label, () => make("button", name), (el, it) => {
    put(el, it.label);
    el.onclick = () => press(it);
  });
}
