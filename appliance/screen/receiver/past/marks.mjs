// What a bar shows, as outlines for an SVG of the width of its parts and the height 1.

// where there is a recording; what lies between is a gap
export function spans({ first, last, spans, parts }) {
  const x = (t) => Math.round(((100 * (t - first)) / (last - first)) * parts.length) / 100;
  return spans.map(([from, to]) => `M${x(from)} 0V1H${Math.max(x(to), x(from) + 0.3)}V0Z`).join("");
}

// how much changed when: the root, and the busiest as one, so that they do not hide the quiet ones
export function changes({ parts }) {
  const busy = parts.filter(Boolean).sort((a, b) => a - b), top = busy[Math.floor(busy.length * 0.97)] ?? 1;
  const high = (count) => 0.12 + 0.8 * Math.sqrt(Math.min(1, count / top));
  return parts.map((count, i) => (count ? `M${i} 1V${(1 - high(count)).toFixed(3)}h1V1Z` : "")).join("");
}

// the gap that a moment is in: its ends, or null
export function gap({ first, last, spans }, t) {
  const before = spans.filter(([from]) => from <= t).at(-1), after = spans.find(([from]) => from > t);
  if (before && t <= before[1]) return null;
  return [before?.[1] ?? first, after?.[0] ?? last];
}
