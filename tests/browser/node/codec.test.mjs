// The receiver's codec, signals and words: `node --test tests/browser/node/`.
import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";

import { LIMIT, TYPE, encode, inflate, reader, split } from "../../../appliance/screen/receiver/page/codec.mjs";
import { backoff } from "../../../appliance/screen/receiver/page/line.mjs";
import { Signals } from "../../../appliance/screen/receiver/page/signals.mjs";
import { ago, csv, show, when } from "../../../appliance/screen/receiver/page/words.mjs";

/** A frame as the box writes it, byte by byte, so that the page's own encoder is not its own judge. */
function frame(type, payload, { flags = 0, length } = {}) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  const head = Buffer.alloc(16);
  head.writeUInt8(type, 0);
  head.writeUInt8(flags, 1);
  head.writeUInt16LE(7, 2);
  head.writeUInt32LE(41, 4);
  head.writeUInt32LE(length ?? body.length, 12);
  return Buffer.concat([head, body]);
}

const deflated = (type, value) => frame(type, zlib.deflateRawSync(JSON.stringify(value)), { flags: 0x04 });

/** What a reader makes of messages that arrive one after the other: frames, and the code of each fault. */
async function read(...messages) {
  const seen = [];
  const push = reader((type, value) => seen.push([type, value]), (fault) => seen.push(fault.code ?? fault));
  await Promise.all(messages.map((message) => push(new Uint8Array(message).buffer)));
  return seen;
}

const synced = (values, e = "9f3c", v = 41) => {
  const signals = new Signals();
  signals.sync({ ...values, $: { e, v } });
  return signals;
};

test("an input frame has the INPUT flag and a little-endian length", () => {
  const raw = encode(TYPE.INPUT, { type: "ask", ref: "r1", question: "Wie viele Betten? ♥" });
  const body = Buffer.from(raw.slice(16)).toString();
  assert.deepEqual([...raw.slice(0, 4)], [0x40, 0x01, 0, 0]);
  assert.equal(Buffer.from(raw).readUInt32LE(12), Buffer.byteLength(body));
  assert.deepEqual(JSON.parse(body), { type: "ask", ref: "r1", question: "Wie viele Betten? ♥" });
});

test("a control frame has no flags", () => {
  assert.deepEqual([...encode(TYPE.CONTROL, { type: "ping", t: 1 }).slice(0, 2)], [0xf0, 0]);
});

test("a frame in the middle of a larger buffer is read where it is", () => {
  const raw = frame(TYPE.DIFF, { a: 1 });
  const around = new Uint8Array(raw.length + 6);
  around.set(raw, 3);
  const [only, ...more] = split(around.subarray(3, 3 + raw.length));
  assert.equal(Buffer.from(only.payload).toString(), '{"a":1}');
  assert.equal(more.length, 0);
});

test("several frames in one message come out in order", async () => {
  const message = Buffer.concat([
    frame(TYPE.SYNC, { a: 1, $: { e: "x", v: 1 } }, { flags: 0x02 }),
    frame(TYPE.DIFF, { a: 2, $: { e: "x", b: 1, v: 2 } }),
    frame(TYPE.CONTROL, { type: "subscribed" }),
  ]);
  assert.deepEqual((await read(message)).map(([type]) => type), [TYPE.SYNC, TYPE.DIFF, TYPE.CONTROL]);
});

test("order holds while a large deflated frame inflates and small ones arrive behind it", async () => {
  const large = Object.fromEntries(Array.from({ length: 20000 }, (_, i) => [`signal.${i}`, i]));
  const seen = await read(deflated(TYPE.SYNC, large), frame(TYPE.DIFF, { n: 1 }), deflated(TYPE.DIFF, { n: 2 }), frame(TYPE.DIFF, { n: 3 }));
  assert.equal(Object.keys(seen[0][1]).length, 20000);
  assert.deepEqual(seen.slice(1).map(([, value]) => value.n), [1, 2, 3]);
});

test("an unknown frame type is skipped by its length", async () => {
  const message = Buffer.concat([frame(0x7e, Buffer.from("??")), frame(0x01, Buffer.alloc(64)), frame(TYPE.DIFF, { n: 1 })]);
  assert.deepEqual(await read(message), [[TYPE.DIFF, { n: 1 }]]);
});

test("samples come as numbers from -1 to 1, at the rate that the frame says", async () => {
  const sound = frame(TYPE.AUDIO, Buffer.from([0, 0, 0, 0x40, 0, 0x80]), { flags: 2 });
  sound.writeUInt16LE(160, 8);
  sound.writeUInt16LE(1, 10);
  const [[type, heard]] = await read(sound);
  assert.deepEqual([type, heard.first, heard.rate, [...heard.samples]], [TYPE.AUDIO, 2, 16000, [0, 0.5, -1]]);
});

for (const [what, bad, code] of [
  ["a header cut short", frame(TYPE.DIFF, { n: 1 }).subarray(0, 9), "SIG300"],
  ["a payload cut short", frame(TYPE.DIFF, { n: 1 }).subarray(0, 20), "SIG300"],
  ["an unknown flag", frame(TYPE.DIFF, { n: 1 }, { flags: 0x80 }), "SIG301"],
  ["a length over the limit", frame(TYPE.DIFF, { n: 1 }, { length: LIMIT + 1 }), "SIG302"],
  ["a length of 4 GiB", frame(TYPE.DIFF, { n: 1 }, { length: 0xffffffff }), "SIG302"],
  ["a payload that is no JSON", frame(TYPE.DIFF, Buffer.from("{nope")), "SIG303"],
  ["a payload that is a list", frame(TYPE.DIFF, [1, 2]), "SIG303"],
  ["a payload that is null", frame(TYPE.SYNC, null), "SIG303"],
  ["an empty payload", frame(TYPE.CONTROL, Buffer.alloc(0)), "SIG303"],
  ["a deflate payload that is none", frame(TYPE.DIFF, Buffer.from([0xff, 0xff, 0xff]), { flags: 0x04 }), "SIG304"],
  ["a deflate payload cut short", frame(TYPE.SYNC, zlib.deflateRawSync("x".repeat(999)).subarray(0, 6), { flags: 0x04 }), "SIG304"],
]) {
  test(`${what} gives ${code}, keeps what came before it and does not stop the reader`, async () => {
    const before = frame(TYPE.DIFF, { n: 1 }), after = frame(TYPE.DIFF, { n: 2 });
    const seen = await read(Buffer.concat([before, bad]), after);
    assert.deepEqual(seen, [[TYPE.DIFF, { n: 1 }], code, [TYPE.DIFF, { n: 2 }]]);
  });
}

test("a small frame that inflates over the limit is refused", async () => {
  const bomb = zlib.deflateRawSync(Buffer.alloc(LIMIT * 4));
  assert.ok(bomb.length < 100_000);
  await assert.rejects(inflate(bomb), { code: "SIG302" });
});

test("inflating gives back every byte up to the limit", async () => {
  const plain = Buffer.alloc(5000, "bed ");
  assert.deepEqual(Buffer.from(await inflate(zlib.deflateRawSync(plain), 5000)), plain);
});

test("a sync replaces everything; $ is not a signal", () => {
  const signals = synced({ "orders.count": 17, "orders.draft": true });
  signals.sync({ "orders.count": 18, $: { e: "new", v: 1 } });
  assert.deepEqual([...signals.values], [["orders.count", 18]]);
  assert.deepEqual([signals.epoch, signals.version], ["new", 1]);
});

test("a diff changes, adds and deletes, and moves the version", () => {
  const signals = synced({ "orders.count": 17, "orders.draft": true, kept: 1 });
  const applied = signals.diff({ "orders.count": 18, added: null, $: { e: "9f3c", b: 41, v: 42, del: ["orders.draft", "never.was"] } });
  assert.equal(applied, true);
  assert.deepEqual(Object.fromEntries(signals.values), { "orders.count": 18, kept: 1, added: null });
  assert.equal(signals.version, 42);
});

for (const [what, at] of [
  ["another base", { e: "9f3c", b: 40, v: 42 }],
  ["another epoch", { e: "beef", b: 41, v: 42 }],
]) {
  test(`a diff with ${what} changes nothing and asks for a sync`, () => {
    const signals = synced({ a: 1, b: 2 });
    assert.equal(signals.diff({ a: 9, $: { ...at, del: ["b"] } }), false);
    assert.deepEqual(Object.fromEntries(signals.values), { a: 1, b: 2 });
    assert.equal(signals.version, 41);
  });
}

test("a diff before any sync asks for one", () => {
  assert.equal(new Signals().diff({ a: 1, $: { e: "9f3c", b: 41, v: 42 } }), false);
});

test("a diff without $ is applied as it is", () => {
  const signals = synced({ brightness: 0.2 });
  assert.equal(signals.diff({ brightness: 0.7 }), true);
  assert.equal(signals.get("brightness"), 0.7);
  assert.equal(signals.version, 41);
});

test("a signal named after a prototype is only a name", async () => {
  const [[, value]] = await read(frame(TYPE.SYNC, Buffer.from('{"__proto__":{"evil":1},"constructor":2}')));
  const signals = new Signals();
  signals.sync(value);
  assert.equal({}.evil, undefined);
  assert.deepEqual(signals.get("__proto__"), { evil: 1 });
  assert.equal(signals.get("toString"), undefined);
});

test("waits grow from 250 ms to 2 s and differ between screens", () => {
  for (let n = 0; n < 40; n += 1) {
    for (const random of [0, 0.5, 0.999]) {
      const wait = backoff(n, () => random);
      assert.ok(wait >= 250 && wait <= 2000, `${n}: ${wait}`);
    }
  }
  assert.ok(backoff(9, () => 0) < backoff(9, () => 1));
  assert.equal(backoff(30, () => 1), 2000);
});

test("CSV quotes what needs it and disarms formulas, but not negative numbers", () => {
  const fields = [{ name: "a", label: "Item, name" }, { name: "b" }];
  const rows = [{ a: 'He said "7"', b: -3 }, { a: "=HYPERLINK(1)", b: null }, { a: "two\nlines", b: { x: 1 } }];
  assert.equal(csv(fields, rows), '"Item, name",b\r\n"He said ""7""",-3\r\n\'=HYPERLINK(1),\r\n"two\nlines","{""x"":1}"\r\n');
});

test("values read as people write them", () => {
  assert.equal(show(null), "–");
  assert.equal(show(true), "yes");
  assert.equal(show(1234), "1234");
  assert.equal(show({ a: 1 }), '{"a":1}');
  assert.equal(show("<b>bold</b>"), "<b>bold</b>");
  assert.equal(show("2026-11-23x"), "2026-11-23x");
});

test("dates and times read by the day they fall on", () => {
  const noon = new Date(2026, 10, 23, 12);
  assert.equal(when("2026-11-23", noon), "Today");
  assert.equal(when("2026-11-22", noon), "Yesterday");
  assert.match(when(new Date(2026, 10, 24, 0, 5).toISOString(), noon), /^Tomorrow 00:05$/);
  assert.match(when("2027-03-01", noon), /2027/);
  assert.equal(when("2026-13-45", noon), "2026-13-45");
});

test("ages are short and never negative", () => {
  assert.deepEqual([-5000, 3000, 125_000, 7_300_000].map(ago), ["just now", "3 s ago", "2 min ago", "2 h ago"]);
});
