// The big number, and what it was earlier: a line of its changes and a sentence.

import { add, clock, day, make, put, show, t, views, when } from "./given.mjs";
import { drawn } from "./icons.mjs";

const WIDE = 100, HIGH = 24;

// each value holds until the next
export function steps(points, until) {
  const values = points.map(([, value]) => value), low = Math.min(...values), span = Math.max(...values) - low || 1;
  const [first] = points[0], x = (at) => ((WIDE * (at - first)) / Math.max(1, until - first)).toFixed(1);
  const y = (value) => (HIGH - 2 - ((value - low) / span) * (HIGH - 4)).toFixed(1);
  return points.map(([at, value], i) => (i ? `H${x(at)}V${y(value)}` : `M0 ${y(value)}`)).join("") + `H${WIDE}`;
}

export function since(trend, value) {
  const at = new Date(trend.since), today = day(at) === day(new Date());
  const then = today ? clock(at, true) : when(trend.since), change = value - trend.was;
  if (!change) return t("as many as at {0}", then);
  return t(change > 0 ? "{0} more than at {1}" : "{0} fewer than at {1}", show(Math.abs(change)), then);
}

export function number(box, a, few) {
  views.number(box, a);
  const told = a.get("trend"), line = box.children[2] ?? add(box, "div", "trend");
  line.hidden = !told?.points;
  if (line.hidden) return;
  if (!line.firstChild) {
    const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    drawn("path", {}, svg);
    line.append(svg, make("i"), make("span"));
    line.children[1].ariaHidden = "true";
  }
  const [svg, arrow, words] = line.children, change = a.view.value - told.was;
  svg.firstChild.setAttribute("d", steps(told.points, Math.max(Date.now(), told.points.at(-1)[0])));
  put(arrow, change > 0 ? "▲" : change < 0 ? "▼" : "");
  put(words, few ? show(Math.abs(change)) : since(told, a.view.value));
}
