// What the box shows of the past: asks for a moment, a speed, a step, and keeps the clock that the box tells.

export class Player {
  state = "paused";
  speed = 1;
  stream = null;
  error = null;
  #at;
  #since = 0;
  #waits = 0;
  #next = null;

  // tell: sends a control frame; changed: called when the box has told something
  constructor(tell, stream, at, changed) {
    Object.assign(this, { tell, asked: stream, changed });
    this.#at = at;
  }

  get playing() {
    return this.state === "playing";
  }
  now() {
    return this.#at + (this.playing ? (performance.now() - this.#since) * this.speed : 0);
  }
  #set(at) {
    this.#at = at;
    this.#since = performance.now();
  }
  // one at a time: whoever drags wants the last place, not all
  #say(what) {
    if (this.#waits && performance.now() - this.#waits < 5000) return (this.#next = what);
    this.#waits = performance.now();
    this.tell({ type: "replay", ...what });
  }
  seek(t, plays = this.playing) {
    if (typeof t === "number") this.#set(t);
    this.state = plays ? "playing" : "paused";
    this.#say({ stream: this.asked, t, speed: plays ? this.speed : 0 });
  }
  play() {
    this.seek(this.now(), true);
  }
  // at the moment that is seen: the box's own clock went on until this reaches it
  pause() {
    this.seek(Math.round(this.now()), false);
  }
  faster(speed) {
    this.#set(this.now());
    this.speed = speed;
    if (this.playing) this.#say({ speed });
  }
  step(by) {
    if (this.state === "ended" && by > 0) return;
    this.#set(this.now());
    this.state = "paused";
    this.#say({ step: by });
  }
  live() {
    this.tell({ type: "replay", stream: this.asked, live: true });
  }
  // the line was lost and is back
  again() {
    this.#waits = 0;
    this.seek(this.now());
  }
  hear(said) {
    if (said.type === "hello") return this.again();
    if (said.type !== "replaying" && said.type !== "error") return;
    this.#waits = 0;
    if (this.#next) {
      const next = this.#next;
      this.#next = null;
      return this.#say(next);
    }
    this.error = said.type === "error" ? said : null;
    if (said.type === "replaying" && said.state !== "live") {
      const was = this.state;
      Object.assign(this, { stream: said.stream, state: said.state });
      this.#set(said.t);
      if (said.state === "ended" && was === "playing") this.caughtUp = true;
    }
    this.changed();
  }
}
