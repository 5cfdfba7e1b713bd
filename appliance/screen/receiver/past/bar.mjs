// The bar: a day, what was recorded of it and how much happened when, and a handle for the moment.

import { changes, spans } from "./marks.mjs";
import { tr } from "./tongue.mjs";
import { hours, longDay, move, ticks } from "./times.mjs";

const SVG = "http://www.w3.org/2000/svg";
const TICK_ROOM = 4.5;

export class Bar {
  line = null;
  dragging = false;

  // on.seek(t, done): somebody wants this moment; done when the hand is off. on.key(key): whether it was used
  constructor({ add }, parent, on) {
    this.add = add;
    this.on = on;
    this.el = add(parent, "div", "bar");
    Object.assign(this.el, { role: "slider", tabIndex: 0, ariaLabel: tr("Moment") });
    this.svg = this.el.appendChild(document.createElementNS(SVG, "svg"));
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    [this.there, this.marks] = ["there", "marks"].map((name) => {
      const path = this.svg.appendChild(document.createElementNS(SVG, "path"));
      path.setAttribute("class", name);
      return path;
    });
    this.handle = add(this.el, "i");
    this.hours = add(parent, "div", "hours");
    this.hours.ariaHidden = "true";
    for (const kind of ["down", "move", "up", "cancel"]) this.el["onpointer" + kind] = (event) => this.#pointer(kind, event);
    this.el.onkeydown = (event) => this.#key(event);
    this.watch = new ResizeObserver(() => this.line && this.#ticks());
    this.watch.observe(this.el);
  }

  // a day, as the box tells it
  show(line, zone) {
    this.line = line;
    this.zone = zone;
    this.svg.setAttribute("viewBox", `0 0 ${line.parts.length} 1`);
    this.there.setAttribute("d", spans(line));
    this.marks.setAttribute("d", changes(line));
    this.el.ariaValueMin = line.first;
    this.el.ariaValueMax = line.last;
    this.#ticks();
  }
  at(t, exact) {
    if (!this.line) return;
    const { first, last } = this.line, part = Math.min(1, Math.max(0, (t - first) / (last - first)));
    this.handle.style.left = `${part * 100}%`;
    const minute = Math.floor(t / 6e4);
    // a reader is told of each minute while it plays, of each moment that is chosen
    if (!exact && minute === this.told) return;
    this.told = minute;
    this.el.ariaValueNow = Math.round(t);
    this.el.ariaValueText = `${hours(this.zone, t)}, ${longDay(this.zone, t)}`;
  }
  #ticks() {
    const { first, last } = this.line, rem = parseFloat(getComputedStyle(this.el).fontSize);
    const found = ticks(this.zone, first, last, this.el.clientWidth / (TICK_ROOM * rem));
    this.hours.replaceChildren();
    for (const t of found) {
      const part = (t - first) / (last - first);
      if (part < 0.02 || part > 0.98) continue;
      this.add(this.hours, "span", "", hours(this.zone, t, false)).style.left = `${part * 100}%`;
    }
  }
  #pointer(kind, event) {
    if (!this.line || (kind !== "down" && !this.dragging) || event.button > 0) return;
    const { left, width } = this.el.getBoundingClientRect(), { first, last } = this.line;
    if (kind === "down") this.el.setPointerCapture(event.pointerId);
    this.dragging = kind === "down" || kind === "move";
    const part = Math.min(1, Math.max(0, (event.clientX - left) / width));
    if (kind !== "cancel") this.on.seek(Math.round(first + part * (last - first)), !this.dragging);
  }
  #key(event) {
    if (!this.line || event.ctrlKey || event.metaKey || event.altKey) return;
    const { first, last } = this.line, far = move(last - first), t = this.on.now();
    const to = { ArrowRight: t + far, ArrowUp: t + far, ArrowLeft: t - far, ArrowDown: t - far, PageUp: t + 10 * far, PageDown: t - 10 * far, Home: first, End: last }[event.key];
    if (to != null) this.on.seek(Math.min(last, Math.max(first, to)), true);
    else if (!this.on.key(event.key)) return;
    event.preventDefault();
  }
}
