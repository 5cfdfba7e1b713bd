// Small drawings beside words; a button that has no word has a name.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  alert: "M12 4a5 5 0 0 0-5 5c0 5-2 6-2 7h14c0-1-2-2-2-7a5 5 0 0 0-5-5zM10 19.5a2 2 0 0 0 4 0",
  asked: "M5 6h14M5 12h14M5 18h9",
  close: "M6 6l12 12M18 6L6 18",
  mic: "M12 4a2.5 2.5 0 0 0-2.5 2.5v5a2.5 2.5 0 0 0 5 0v-5A2.5 2.5 0 0 0 12 4zM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  pin: "M9 4h6l-.7 6 3.2 3.5H6.500L9.700 10zM12 13.5V20",
  settings: "M4 8h9M19 8h1M4 16h1M11 16h9M16 5.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5zM8 13.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z",
};

export function drawn(tag, attributes, parent) {
  const el = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  parent?.append(el);
  return el;
}

export function icon(name) {
  const svg = drawn("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" });
  drawn("path", { d: PATHS[name] }, svg);
  return svg;
}
