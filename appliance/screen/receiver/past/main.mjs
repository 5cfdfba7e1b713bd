// The past: a bar over a day's recording, what plays it, and a band that says that this is not the present.

import { Bar } from "./bar.mjs";
import { Controls } from "./controls.mjs";
import { gap } from "./marks.mjs";
import { Player } from "./player.mjs";
import { speak, tr } from "./tongue.mjs";
import { dayName, dayOf, facility, hours, longDay, since } from "./times.mjs";

const TOUCHES = ["keydown", "pointerdown", "pointermove"];
const TICK_MS = 200, AGAIN_MS = 15000, BEGINS_AGO = 60000, PARTS = 240;
const PRESENT_MS = 10000;
// a wall that everybody has left must not go on showing the past
const LEFT_MS = 300000;

class Past {
  zone = facility({ zone: null, offset: -new Date().getTimezoneOffset() });
  skew = 0;

  constructor(tools) {
    Object.assign(this, tools);
    const { page, add, make, $ } = tools;
    this.el = make("section");
    Object.assign(this.el, { id: "past", ariaLabel: tr("The past") });
    const told = add(this.el, "div", "told");
    add(told, "b", "", tr("The past"));
    [this.moment, this.day, this.how] = [add(told, "time"), add(told, "span", "day"), add(told, "p", "how")];
    this.how.role = "status";
    const scrub = add(this.el, "div", "scrub"), now = () => this.now();
    this.bar = new Bar(tools, scrub, { seek: (t, done) => this.seek(t, done), key: (key) => this.key(key), now });
    const forks = () => this.fork().catch(() => this.say(tr("The box does not answer.")));
    this.controls = new Controls(tools, this.el, { step: (by) => this.player.step(by), play: () => this.toggle(), faster: (speed) => this.faster(speed), day: (day) => this.load(day, true), fork: forks, live: () => this.leave() });
    this.controls.fork.hidden = !["staff", "admin"].includes(page.role);
    this.player = new Player((said) => page.door.tell(said), tools.stream, Date.now() + page.skew - BEGINS_AGO, () => this.heard());
    this.keys = (event) => event.key === "Escape" && event.target !== $("q") && this.leave();
    this.touch = () => (this.touched = Date.now());
    this.asks = $("q").placeholder;
  }
  begin() {
    const { page, root, $ } = this;
    page.past = this;
    root.dataset.past = "";
    document.querySelector("header").after(this.el);
    $("q").placeholder = tr("Ask the present");
    addEventListener("keydown", this.keys);
    for (const kind of TOUCHES) addEventListener(kind, this.touch);
    this.touch();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.player.seek(this.t ?? this.player.now(), false);
    this.bar.el.focus({ preventScroll: true });
    this.tick();
  }
  // what the page asks of it
  now() {
    return this.player.now();
  }
  hear(said) {
    this.player.hear(said);
  }
  leave() {
    const { page, root, $ } = this;
    if (page.past !== this) return;
    page.past = null;
    page.back = true;
    this.player.live();
    this.el.remove();
    this.bar.watch.disconnect();
    clearInterval(this.timer);
    removeEventListener("keydown", this.keys);
    for (const kind of TOUCHES) removeEventListener(kind, this.touch);
    delete root.dataset.past;
    $("q").placeholder = this.asks;
    this.link(null);
    this.ended(!!this.named);
    $("travel").focus({ preventScroll: true });
    page.draw();
  }

  // what the box told
  heard() {
    const { player, page } = this;
    if (player.caughtUp && this.present() - this.now() < PRESENT_MS) {
      this.put(this.$("say"), "Live again");
      return this.leave();
    }
    player.caughtUp = false;
    if (player.stream && player.stream !== this.named) {
      this.named = player.stream;
      this.load("", false);
    }
    if (!player.playing && !player.error) this.link(this.now());
    this.tick(true);
    page.draw();
  }
  present() {
    return Date.now() + this.skew;
  }
  // the bar of a day; the latest one's where none is named
  async load(day, goes) {
    const mine = (this.round = (this.round ?? 0) + 1);
    this.loaded = Date.now();
    const path = `/api/recordings/${encodeURIComponent(this.named)}/timeline?parts=${PARTS}${day && "&day=" + day}`;
    const answer = await fetch(path, { headers: goes ? {} : { "X-Background": "1" } }).catch(() => null), line = answer?.ok && (await answer.json());
    // what was asked for later has come already, or will
    if (!line || this.page.past !== this || mine !== this.round) return;
    this.skew = line.now - Date.now();
    this.zone = facility(line);
    this.bar.show(line, this.zone);
    this.controls.days(line.days, line.day, (each) => dayName(this.zone, each, this.present()));
    if (goes) this.seek(line.day === dayOf(this.zone, this.present()) ? line.last - BEGINS_AGO : line.first, true);
    this.tick(true);
  }
  tick(exact = false) {
    const { zone, player, put } = this, t = this.now(), { line, dragging } = this.bar;
    if (this.wall() && Date.now() - this.touched > LEFT_MS) return this.leave();
    put(this.moment, hours(zone, t));
    put(this.day, `${longDay(zone, t)}, ${since(this.present() - t)}`);
    put(this.how, this.words(t));
    this.controls.show(player);
    this.bar.at(t, exact);
    if (!line || dragging) return;
    const day = dayOf(zone, t), today = dayOf(zone, this.present()) === line.day;
    const old = Date.now() - this.loaded;
    if ((day !== line.day && line.days.includes(day) && old > 1000) || (today && old > AGAIN_MS)) this.load(day, false);
  }
  words(t) {
    const { player, bar } = this, there = bar.line && gap(bar.line, t);
    if (this.note) return this.note;
    if (player.error) return player.error.message;
    if (there && there[1] < bar.line.last) return tr("Nothing was recorded from {0} to {1}.", hours(this.zone, there[0], false), hours(this.zone, there[1], false));
    if (player.state === "ended") return tr("The recording ends here.");
    if (player.playing) return player.speed > 1 ? tr("Playing {0} times as fast", player.speed) : tr("Playing");
    return tr("Paused");
  }

  // what people do
  seek(t, done) {
    const { player } = this;
    if (!done) this.resumes ??= player.playing;
    player.seek(t, done ? this.resumes ?? player.playing : false);
    if (done) this.resumes = null;
    this.tick(true);
  }
  toggle() {
    const { player } = this;
    if (player.playing) player.pause();
    else if (player.state === "ended" && this.present() - this.now() < PRESENT_MS) return this.leave();
    else player.play();
    this.tick();
  }
  faster(speed) {
    this.player.faster(speed);
    if (!this.player.playing) this.player.play();
    this.tick();
  }
  key(key) {
    if (key === " " || key === "Enter") this.toggle();
    else if (key === "," || key === ".") this.player.step(key === "." ? 1 : -1);
    else return false;
    return true;
  }
  say(words) {
    this.note = words;
    setTimeout(() => (this.note = ""), 8000);
    this.tick();
  }
  async fork() {
    const t = Math.round(this.now()), at = `${dayOf(this.zone, t)}-${hours(this.zone, t).replaceAll(":", "")}`;
    const name = `${this.named.replace(/[^\w.-]/g, "-").slice(0, 36)}-${at}`;
    const answer = await this.send("POST", `/api/recordings/${encodeURIComponent(this.named)}/fork`, { t, name });
    const told = answer ? await answer.clone().json() : {};
    // made before, at this very second
    if (answer?.ok || told.code === "BRG462") location.assign("/s/" + name);
    else this.say(await this.refusal(answer));
  }
  // so that the address leads here again
  link(t) {
    const url = new URL(location);
    if (t) url.searchParams.set("at", new Date(t).toISOString());
    else url.searchParams.delete("at");
    history.replaceState(null, "", url);
  }
}

self.showPast = (tools) => {
  speak(tools.tr);
  return new Past(tools).begin();
};
