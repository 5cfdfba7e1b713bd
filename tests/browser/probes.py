"""What the tests ask of a page in its own language. Each is an expression or a function for ``page.evaluate``."""

from typing import Final

WATCHING: Final = """() => {
  window.stayed = true;
  window.seen = [];
  window.warned = [];
  const of = (id) => document.getElementById(id), text = (id) => of(id).textContent;
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  const hero = () => window.seen.push([of("hero").dataset.kind, text("question"), text("sentence"), text("reading")]);
  const strip = () => of("strip").className === "warn" && window.warned.push(text("news"));
  new MutationObserver(hero).observe(of("hero"), all);
  new MutationObserver(strip).observe(of("strip"), all);
}"""
"""Begins to keep in ``seen`` what the answer has shown, and in ``warned`` what was missing."""

OVERFLOW: Final = """() => {
  const root = document.documentElement, wall = root.dataset.surface === "wall", out = [];
  const clips = (el) => {
    for (; el && el !== document.body; el = el.parentElement) {
      if (/auto|scroll|hidden/.test(getComputedStyle(el).overflowX)) return true;
    }
    return false;
  };
  if (root.scrollWidth > root.clientWidth) out.push(`page: ${root.scrollWidth} > ${root.clientWidth}`);
  if (wall && root.scrollHeight > root.clientHeight) out.push(`high: ${root.scrollHeight} > ${root.clientHeight}`);
  for (const el of document.body.querySelectorAll("*")) {
    const { left, right, width } = el.getBoundingClientRect();
    if (!width || el.id === "say" || clips(el.parentElement)) continue;
    if (right > root.clientWidth + 1 || left < -1) out.push(`${el.tagName}#${el.id}: ${left}..${right}`);
  }
  return out;
}"""
"""What reaches over the page's edges: to the sides, and on a wall to the bottom."""

CUT_OFF: Final = """() => ["question", "sentence", "reading", "hint", "state"].filter((id) => {
  const el = document.getElementById(id), text = el.closest("#text") ?? el;
  return el.offsetParent && text.scrollHeight > text.clientHeight + 2;
})"""
"""The words of the answer that its box hides."""

HALF_ROWS: Final = """() => [...document.querySelectorAll(".card .fig :is(li, tr)")].filter((row) => {
  const { top, bottom, left, right } = row.getBoundingClientRect(), box = row.closest(".fig").getBoundingClientRect();
  const beside = left >= box.right - 1 || right <= box.left + 1;
  return row.offsetParent && !beside && top < box.bottom - 1 && bottom > box.bottom + 3;
}).map((row) => row.textContent)"""
"""Rows of a card of which only the upper part is seen."""

CONTRAST: Final = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color, under) => {
    for (const fill of [under ? `rgb(${under})` : "white", color]) {
      canvas.fillStyle = fill;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = (el) => (el ? rgb(getComputedStyle(el).backgroundColor, ground(el.parentElement)) : [255, 255, 255]);
  const weak = [];
  for (const el of document.body.querySelectorAll("*")) {
    const own = [...el.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !el.offsetParent || el.id === "say" || /STYLE|SCRIPT/.test(el.tagName)) continue;
    const under = ground(el), ink = light(rgb(getComputedStyle(el).color, under));
    const [a, b] = [ink, light(under)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push(`${el.tagName}#${el.id}.${el.className}: ${ratio.toFixed(2)}`);
  }
  return weak;
}"""
"""Texts whose contrast is under 4.5 : 1."""

FOCUSED: Final = """() => {
  const el = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(el);
  return [el.id || el.className || el.tagName, el.textContent, outlineStyle !== "none" && outlineWidth !== "0px"];
}"""
"""What has the focus: its name, its text, and whether one sees that it has it."""

UNNAMED: Final = """() => [...document.querySelectorAll("button, input, a, [role]")]
  .filter((el) => el.offsetParent && !el.labels?.length)
  .filter((el) => !(el.textContent.trim() || el.getAttribute("aria-label") || el.title))
  .map((el) => el.outerHTML)"""
"""What can be used but has no name to be read out."""
