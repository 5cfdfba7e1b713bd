// The past's times, outlines and player: `node --test tests/browser/node/`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { changes, gap, spans } from "../../../appliance/screen/receiver/past/marks.mjs";
import { Player } from "../../../appliance/screen/receiver/past/player.mjs";
import { dayName, dayOf, facility, hours, move, since, ticks } from "../../../appliance/screen/receiver/past/times.mjs";

const VIENNA = facility({ zone: "Europe/Vienna", offset: 60 });
const HOUR = 36e5, at = (text) => Date.parse(text);

test("a moment reads as the facility reads it, whatever zone the screen is in", () => {
  assert.equal(hours(VIENNA, at("2026-11-28T13:05:07Z")), "14:05:07");
  assert.equal(hours(VIENNA, at("2026-07-01T12:05:07Z"), false), "14:05");
  assert.equal(dayOf(VIENNA, at("2026-11-28T23:30:00Z")), "2026-11-29");
  for (const zone of [null, "No/Where"]) {
    const far = facility({ zone, offset: -210 });
    assert.equal(hours(far, at("2026-11-28T01:00:00Z")), "21:30:00");
    assert.equal(dayOf(far, at("2026-11-28T01:00:00Z")), "2026-11-27");
  }
});

test("days have names", () => {
  const now = at("2026-11-28T23:30:00Z");
  assert.deepEqual(["2026-11-29", "2026-11-28"].map((day) => dayName(VIENNA, day, now)), ["Today", "Yesterday"]);
  assert.match(dayName(VIENNA, "2026-11-20", now), /20/);
});

test("how long ago is short and never negative", () => {
  assert.deepEqual([-5, 12_000, 300_000, 3 * HOUR + 20 * 6e4, 3 * HOUR, 30 * HOUR, 60 * HOUR].map(since), ["0 s ago", "12 s ago", "5 min ago", "3 h 20 min ago", "3 h ago", "1 day ago", "2 days ago"]);
});

test("ticks are round times of the facility and few enough", () => {
  const india = facility({ zone: "Asia/Kolkata", offset: 330 });
  for (const [zone, length, most] of [[VIENNA, HOUR, 12], [VIENNA, 24 * HOUR, 8], [india, 9 * HOUR, 10], [VIENNA, 90_000, 10]]) {
    const first = at("2026-11-28T07:13:20Z"), found = ticks(zone, first, first + length, most);
    assert.ok(found.length && found.length <= most + 1, `${length}: ${found.length}`);
    assert.ok(found.every((t) => t >= first && t <= first + length));
    assert.ok(found.every((t) => /:00$/.test(hours(zone, t))));
  }
  assert.ok(ticks(india, at("2026-11-28T00:00:00Z"), at("2026-11-28T20:00:00Z"), 8).every((t) => /:00:00$/.test(hours(india, t))));
});

test("an arrow key goes a hundredth of a short bar and at most five minutes", () => {
  assert.deepEqual([6e4, HOUR, 8 * HOUR, 24 * HOUR].map(move), [1e3, 3e4, 3e5, 3e5]);
});

const LINE = { first: 0, last: 1000, spans: [[0, 400], [600, 1000]], parts: [0, 4, 0, 0, 1] };

test("a gap is where nothing was recorded", () => {
  assert.equal(gap(LINE, 400), null);
  assert.deepEqual(gap(LINE, 500), [400, 600]);
  assert.equal(gap(LINE, 601), null);
  assert.deepEqual(gap(LINE, 1001), [1000, 1000]);
});

test("outlines stay in their box, and more changes reach higher", () => {
  assert.equal(spans(LINE), "M0 0V1H2V0ZM3 0V1H5V0Z");
  const tops = changes(LINE).match(/V[\d.]+h/g).map((it) => parseFloat(it.slice(1)));
  assert.equal(tops.length, 2);
  assert.ok(0 < tops[0] && tops[0] < tops[1] && tops[1] < 1);
});

function played() {
  const sent = [], player = new Player((said) => sent.push(said), "main", 5000, () => {});
  return { sent, player, hear: (more) => player.hear({ type: "replaying", stream: "main", state: "paused", t: 5000, speed: 0, ...more }) };
}

test("whoever drags gets the last place, not all", () => {
  const { sent, player, hear } = played();
  for (const t of [1, 2, 3, 4]) player.seek(t, false);
  assert.deepEqual(sent.map((it) => it.t), [1]);
  hear({ t: 1 });
  assert.deepEqual(sent.map((it) => it.t), [1, 4]);
  assert.equal(player.now(), 4, "the handle does not jump back to what was asked before");
  hear({ t: 4 });
  assert.equal(sent.length, 2);
});

test("the clock runs as fast as it plays, and stands when it is paused", async () => {
  const { sent, player, hear } = played();
  player.faster(60);
  player.play();
  assert.deepEqual(sent, [{ type: "replay", stream: "main", t: 5000, speed: 60 }]);
  hear({ state: "playing", speed: 60 });
  await new Promise((done) => setTimeout(done, 100));
  assert.ok(player.now() > 5000 + 50 * 60 && player.now() < 5000 + 400 * 60);
  player.pause();
  const stands = player.now();
  await new Promise((done) => setTimeout(done, 30));
  assert.equal(player.now(), stands);
  assert.deepEqual(sent.at(-1), { type: "replay", stream: "main", t: stands, speed: 0 });
});

test("after a lost line it goes on where it was", () => {
  const { sent, player } = played();
  player.seek(7000, false);
  player.hear({ type: "hello" });
  assert.deepEqual(sent.at(-1), { type: "replay", stream: "main", t: 7000, speed: 0 });
  assert.equal(sent.length, 2);
});

test("what the box refuses is kept to be said", () => {
  const { player } = played();
  player.hear({ type: "error", code: "BRG460", message: "Nothing was recorded there." });
  assert.equal(player.error.code, "BRG460");
});
