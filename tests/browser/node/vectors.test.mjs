// The vectors of the specification (tests/vectors/README.md), run by the page's codec: `node --test tests/browser/node/`.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import zlib from "node:zlib";

import { LIMIT, TYPE, encode, reader, split } from "../../../appliance/screen/receiver/page/codec.mjs";
import { Signals } from "../../../appliance/screen/receiver/page/signals.mjs";

const root = path.join(import.meta.dirname, "../../..");

const vectors = (name) => JSON.parse(fs.readFileSync(path.join(root, "tests/vectors", `${name}.json`), "utf8")).vectors;
const bytes = (hex) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const known = new Set(Object.values(TYPE));

/** What the page's reader makes of messages: [type, value] of each frame that it takes, then the code of a fault. */
async function read(limit, ...messages) {
  const seen = [];
  const push = reader((type, value) => seen.push([type, value]), (fault) => seen.push(fault.code ?? fault), limit);
  for (const message of messages) await push(message.slice().buffer);
  return seen;
}

/** What the page makes of a frame of sound: one channel only, as numbers from -1 to 1. */
function sound(frame) {
  const raw = Buffer.from(frame.payload, "hex");
  const samples = Float32Array.from({ length: raw.length / 2 }, (_, i) => raw.readInt16LE(2 * i) / 32768);
  return { first: frame.flags & 2, rate: frame.width * 100, samples };
}

/** Browsers refuse bytes after the end of deflate, as the Compression Standard says; Node.js before 22 does not. */
async function lenient() {
  const stream = new Response(Buffer.concat([zlib.deflateRawSync("a"), Buffer.from("more")])).body;
  return new Response(stream.pipeThrough(new DecompressionStream("deflate-raw"))).text().then(() => true, () => false);
}

for (const vector of vectors("frames")) {
  test(`frames: ${vector.name}`, async () => {
    const expected = vector.frames.filter((frame) => known.has(frame.type)).map((frame) => [frame.type, frame.type === TYPE.AUDIO ? sound(frame) : frame.json]);
    if (vector.name === "bytes after the end of deflate" && (await lenient())) {
      expected.push([TYPE.DIFF, { ward: "Cardiology, Cardiology, Cardiology" }]);
    } else if (vector.error) expected.push(vector.error);
    assert.deepEqual(await read(vector.limit ?? LIMIT, bytes(vector.bytes)), expected);
  });

  // the page skips these, but must find where each begins and ends, and what its header says
  if (!vector.error && !vector.inflates) {
    test(`frames, split: ${vector.name}`, () => {
      const found = [...split(bytes(vector.bytes), vector.limit)].map(({ type, flags, payload }) => [type, flags, Buffer.from(payload).toString("hex")]);
      const payload = (frame) => frame.payload ?? Buffer.from(JSON.stringify(frame.json)).toString("hex");
      assert.deepEqual(found, vector.frames.map((frame) => [frame.type, frame.flags, payload(frame)]));
    });
  }

  const [told] = vector.frames;
  if (vector.encodes && (told.type === TYPE.INPUT || told.type === TYPE.CONTROL)) {
    test(`frames, written: ${vector.name}`, () => assert.deepEqual(encode(told.type, told.json), bytes(vector.bytes)));
  }
}

for (const vector of vectors("signals")) {
  test(`signals: ${vector.name}`, async () => {
    const signals = new Signals(), { have } = vector;
    signals.sync({ ...have.values, $: { e: have.e, v: have.v } });
    for (const step of vector.steps) {
      const [[type, value]] = await read(LIMIT, bytes(step.bytes));
      let asks;
      if (type === TYPE.CONTROL && value.type === "gap") asks = "need_sync";
      if (type === TYPE.DIFF && !signals.diff(value)) asks = "need_sync";
      if (type === TYPE.SYNC) signals.sync(value);
      assert.equal(asks, step.asks);
      assert.deepEqual([signals.epoch, signals.version], [step.e, step.v]);
      assert.deepEqual(signals.values, new Map(Object.entries(step.values)));
    }
  });
}

test("pictures: the page skips each by its length", async () => {
  const frames = vectors("pictures").flatMap((vector) => vector.steps ?? [vector]).map((step) => Buffer.from(bytes(step.bytes)));
  assert.ok(frames.length > 7);
  const after = encode(TYPE.CONTROL, { type: "ping" });
  assert.deepEqual(await read(LIMIT, new Uint8Array(Buffer.concat([...frames, after]))), [[TYPE.CONTROL, { type: "ping" }]]);
});

for (const vector of vectors("sound")) {
  test(`sound: ${vector.name}`, async () => {
    const heard = { payload: vector.samples, flags: vector.begins ? 2 : 0, width: vector.rate / 100 };
    const expected = vector.error || vector.channels !== 1 ? [] : [[TYPE.AUDIO, sound(heard)]];
    assert.deepEqual(await read(LIMIT, bytes(vector.bytes)), expected);
  });
}
