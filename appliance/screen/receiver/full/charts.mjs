// Lines over time by uPlot, fetched when the first is drawn; until then, and in small, the bare page's own.

import { add, bring, page, put, root, show, t, told, views, zone } from "./given.mjs";
import { moment } from "./zones.mjs";

let fetching;
const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => resize(target)));

function resize(box) {
  const { chart } = box;
  if (!chart || !box.clientWidth || !box.classList.contains("plotted")) return;
  chart.setSize(room(box));
}
const room = ({ firstChild: plot }) => ({ width: Math.max(80, plot.clientWidth), height: Math.max(80, plot.clientHeight) });

function load() {
  fetching ??= bring("chart").then(() => page.draw(), () => (fetching = null));
}

// a moment as an axis names it: the nearer they are, the finer
function named(at, span) {
  const date = new Date(at * 1000), lang = root.lang === "ar-XB" ? "en" : root.lang || undefined;
  const form = span > 400 * 86400 ? { year: "numeric" } : span > 60 * 86400 ? { month: "short", year: "2-digit" } : span > 2 * 86400 ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return date.toLocaleString(lang, { ...form, timeZone: zone() });
}

function made(box, data, style) {
  const of = (name) => style.getPropertyValue(name).trim(), soft = of("--ink"), grid = { stroke: of("--grid"), width: 1 };
  const size = parseFloat(getComputedStyle(root).fontSize), font = `${Math.round(size * 0.88)}px ${style.fontFamily}`;
  const span = () => data[0].at(-1) - data[0][0];
  const axis = { stroke: soft, font, grid, ticks: grid };
  const axes = [
    { ...axis, size: size * 2.4, space: size * 5, values: (_, ticks) => ticks.map((at) => named(at, span())) },
    { ...axis, size: size * 4, values: (_, ticks) => ticks.map((it) => show(it)) },
  ];
  const accent = of("--accent"), points = { show: data[0].length < 40, size: size * 0.45, fill: accent };
  const series = [{}, { stroke: accent, fill: accent + "26", width: Math.max(2, size / 8), points }];
  const cursor = { drag: { setScale: false, x: false, y: false }, points: { size: size * 0.7 } };
  const hooks = { setCursor: [(it) => point(box, it.cursor.idx)] };
  const y = { range: (_, low, high) => (low >= 0 ? [0, high * 1.08 || 1] : [low, high]) };
  const tzDate = (at) => (zone() ? self.uPlot.tzDate(new Date(at * 1000), zone()) : new Date(at * 1000));
  return new self.uPlot({ ...room(box), tzDate, axes, series, cursor, hooks, legend: { show: false }, scales: { y } }, data, box.firstChild);
}

// the point that the pointer or an arrow key is at, in words under the chart
function point(box, index) {
  const { data, rows, label, value } = box.line ?? {};
  if (!data) return;
  const row = rows[index ?? rows.length - 1];
  put(box.lastChild, told(show(row[label]), show(row[value])));
}

function step(box, by) {
  const { chart, line } = box, last = line.rows.length - 1, at = Math.min(last, Math.max(0, (chart.cursor.idx ?? last) + by));
  chart.setCursor({ left: chart.valToPos(line.data[0][at], "x"), top: chart.valToPos(line.data[1][at], "y") });
}

export function line(box, a, few) {
  if (few || !self.uPlot) {
    if (!few) load();
    return views.line(box, a, few);
  }
  const { label, value } = a.view, rows = a.rows.filter((row) => row[label]);
  const data = [rows.map((row) => moment(row[label]) / 1000), rows.map((row) => row[value])];
  const style = getComputedStyle(box), look = [root.dataset.theme, root.dataset.surface, root.lang, parseFloat(getComputedStyle(root).fontSize), page.full.stale(), zone()].join();
  box.line = { data, rows, label, value };
  if (box.look !== look || box.chart?.root.parentNode?.parentNode !== box) {
    box.chart?.destroy();
    box.replaceChildren();
    add(box, "div", "plot").role = "img";
    add(box, "p", "at").role = "status";
    box.look = look;
    box.classList.add("plotted");
    box.chart = made(box, data, style);
    box.onkeydown = (event) => {
      const by = box.classList.contains("plotted") && { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by || event.target !== box) return;
      event.preventDefault();
      step(box, by);
    };
    observer.observe(box);
  } else box.chart.setData(data);
  box.classList.add("plotted");
  box.firstChild.ariaLabel = t("Line over time: {0}", a.told);
  point(box, box.chart.cursor.idx);
}
