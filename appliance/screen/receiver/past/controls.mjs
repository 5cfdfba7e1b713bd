// The buttons under the bar: to the change before, play, to the change after, how fast, which day, fork, live.

import { tr } from "./tongue.mjs";

const SPEEDS = [1, 4, 16, 60];

export class Controls {
  constructor({ add, make }, parent, on) {
    this.make = make;
    const button = (where, name, label, text, press) => {
      const el = add(where, "button", name, text);
      if (label) el.ariaLabel = el.title = tr(label);
      el.type = "button";
      el.onclick = press;
      return el;
    };
    const row = add(parent, "div", "doing"), steps = add(row, "div", "steps");
    button(steps, "before", "To the change before", "", () => on.step(-1));
    this.play = button(steps, "play", "Play", "", on.play);
    button(steps, "after", "To the change after", "", () => on.step(1));
    const fast = add(row, "div", "speeds");
    Object.assign(fast, { role: "group", ariaLabel: tr("Speed") });
    this.speeds = SPEEDS.map((speed) => button(fast, "", tr("{0} times as fast", speed), `${speed}×`, () => on.faster(speed)));
    this.day = add(row, "select");
    this.day.ariaLabel = tr("Day");
    this.day.onchange = () => on.day(this.day.value);
    this.fork = button(row, "fork", "Go on live from this moment, as a new stream", tr("Fork"), on.fork);
    this.live = button(row, "live", "Back to the present", tr("Live"), on.live);
  }
  show({ playing, speed }) {
    this.play.classList.toggle("plays", playing);
    this.play.ariaLabel = this.play.title = tr(playing ? "Pause" : "Play");
    this.speeds.forEach((el, i) => (el.ariaPressed = SPEEDS[i] === speed));
  }
  days(days, shown, name) {
    this.day.hidden = days.length < 2;
    this.day.replaceChildren(...days.toReversed().map((day) => Object.assign(this.make("option", "", name(day)), { value: day })));
    this.day.value = shown;
  }
}
