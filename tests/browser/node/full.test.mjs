// What the richer page works out: orders, parts, trends, alerts, cells: `node --test tests/browser/node/`.

import assert from "node:assert/strict";
import { test } from "node:test";

// what the bare page gives; nothing here draws
globalThis.self = globalThis;
globalThis.ResizeObserver = class {};
globalThis.matchMedia = () => ({ matches: false });
const t = (english, ...args) => english.replace(/\{(\d)\}/g, (_, n) => args[n]);
const show = (value) => (value == null ? "–" : typeof value === "number" ? new Intl.NumberFormat(tongue, { useGrouping: "min2" }).format(value) : String(value));
const learned = [];
let zone, tongue = "en-GB";
globalThis.receiver = { t, show, clock: (date) => date.toISOString().slice(11, 16), when: (iso) => iso.slice(0, 10), views: {}, page: { role: "staff", draw: () => {} }, root: { dataset: {} }, learn: (words) => learned.push(words), localise: () => {}, $: () => ({}), signals: new Map(), wanted: new Map(), zone: () => zone, day: (date) => new Date(date).toISOString().slice(0, 10), told: (...facts) => facts.filter(Boolean).join(", ") };

const at = (name) => import(`../../../appliance/screen/receiver/full/${name}.mjs`);
const { compare, inOrder } = await at("table");
const { parts } = await at("palette");
const { since, steps } = await at("trend");
const { message, watched } = await at("alert");
const { editable } = await at("edit");
const { begun, parsed } = await at("entry");
const { fromClock, moment, toClock } = await at("zones");
const { press } = await at("keys");
const { speakIn } = await at("language");
const { SURFACES, assigned, surface } = await at("surfaces");

test("rows are sorted as people expect: numbers by size, texts with numbers in them too, what is empty last", () => {
  const rows = [{ a: 10 }, { a: 9 }, { a: null }, { a: 100 }];
  assert.deepEqual(inOrder(rows, { name: "a", down: false }).map((row) => row.a), [9, 10, 100, null]);
  assert.deepEqual(inOrder(rows, { name: "a", down: true }).map((row) => row.a), [100, 10, 9, null]);
  assert.equal(inOrder(rows, undefined), rows);
  assert.ok(compare("C-9", "C-10") < 0);
  assert.ok(compare("Ärzte", "Zimmer") < 0);
});

test("parts are in the order of their sums, and the smallest of many are one", () => {
  const rows = Array.from({ length: 9 }, (_, n) => ({ name: `p${n}`, count: n })).concat({ name: "p0", count: 20 });
  const found = parts(rows, "name", "count");
  assert.equal(found.names[0], "p0");
  assert.equal(found.names.length, 6);
  assert.deepEqual(found.rest.toSorted(), ["p1", "p2", "p3"]);
  assert.equal([...found.sums.values()].reduce((a, b) => a + b), 56);
});

test("a trend says how many more or fewer, and draws each value until the next", () => {
  const trend = { was: 10, since: new Date(Date.now() - 6e4).toISOString() };
  assert.match(since(trend, 12), /^2 more than at \d\d:\d\d$/);
  assert.match(since(trend, 9), /^1 fewer than at/);
  assert.match(since(trend, 10), /^as many as at/);
  assert.match(since({ was: 1, since: "2020-01-02T08:00:00Z" }, 2), /2020-01-02$/);
  assert.equal(steps([[0, 1], [50, 3]], 100), "M0 22.0H50.0V2.0H100");
});

test("an alert watches the answer's own plan, and its sentence has the number's place", () => {
  const plan = { collection: "beds", select: [{ field: "*", aggregate: "count" }], where: [{ field: "status", op: "eq", value: "free" }] };
  assert.deepEqual(watched(plan), { collection: "beds", where: plan.where, aggregate: { op: "count", field: "*" }, group: [] });
  const a = { view: { kind: "number", value: 7 }, told: "7 beds are free.", reading: "number of beds", get: () => plan };
  assert.equal(message(a), "{value} beds are free.");
  assert.equal(message({ ...a, told: "There are no beds." }), "number of beds: {value}");
  const grouped = { ...plan, group: ["ward"] };
  assert.equal(message({ ...a, view: { kind: "bars" }, get: () => grouped }), "number of beds: {value} ({ward})");
});

test("what is typed into a cell becomes a value of its field, or is refused", () => {
  assert.equal(parsed(" 12,5 ", { type: "numeric" }), 12.5);
  assert.equal(parsed("", { type: "integer" }), null);
  assert.throws(() => parsed("many", { type: "integer" }), /many/);
  assert.throws(() => parsed("1.5", { type: "integer" }), /no whole number/);
  assert.equal(parsed("true", { type: "boolean" }), true);
  assert.equal(parsed("false", { type: "boolean" }), false);
  assert.equal(parsed("", { type: "boolean" }), null);
  assert.equal(parsed(" free ", { type: "text" }), "free");
  assert.deepEqual(parsed('{"a": [1]}', { type: "jsonb" }), { a: [1] });
  assert.throws(() => parsed("{a", { type: "jsonb" }), /cannot be read/);
  assert.equal(begun({ a: [1] }, { type: "jsonb" }), '{"a":[1]}');
  assert.equal(begun(null, { type: "timestamptz" }), "");
});

test("a number is read in the page's language, and one that may be another is refused", () => {
  const read = (text, before = null) => parsed(text, { type: "numeric" }, before);
  assert.equal(read("1,500"), 1500);
  assert.equal(read("12,345.25"), 12345.25);
  assert.equal(read("1.500,25"), 1500.25);
  assert.equal(read("-0.125"), -0.125);
  assert.throws(() => read("1.500"), /two ways/);
  assert.equal(read("4.125", 3.9), 4.125, "its values have decimals");
  assert.equal(begun(1500.5, { type: "numeric" }), "1500.5");
  tongue = "de";
  assert.equal(read("1.500"), 1500);
  assert.equal(read("1,5"), 1.5);
  assert.equal(read("1.5"), 1.5);
  assert.equal(read("12 345,25"), 12345.25);
  assert.throws(() => read("1,500"), /two ways/);
  assert.equal(begun(1500.5, { type: "numeric" }), "1500,5");
  tongue = "en-GB";
});

test("a moment is entered and shown on the facility's clock, whatever zone the screen is in", () => {
  for (const [name, iso, clock] of [["Europe/Berlin", "2026-07-01T22:30:00Z", "2026-07-02T00:30"], ["Asia/Kolkata", "2026-01-01T00:00:05Z", "2026-01-01T05:30:05"], ["America/New_York", "2026-11-01T12:30:00Z", "2026-11-01T07:30"], ["UTC", "2026-11-28T10:00:00Z", "2026-11-28T10:00"]]) {
    zone = name;
    assert.equal(toClock(iso), clock);
    assert.equal(fromClock(clock).toISOString(), iso.replace("Z", ".000Z"));
    assert.equal(parsed(clock, { type: "timestamptz" }), iso.replace("Z", ".000Z"));
  }
  zone = "Europe/Berlin";
  assert.equal(moment("2026-11-28").toISOString(), "2026-11-27T23:00:00.000Z");
  assert.equal(parsed("2026-11-28", { type: "date" }), "2026-11-28");
  zone = undefined;
});

test("numbers over many rows are not edited, nor is anything by a wall", () => {
  const get = (plan) => () => plan;
  const rows = [{ id: 1 }];
  assert.equal(editable({ get: get({ collection: "beds", group: ["ward"] }), rows }, { name: "ward" }), false);
  assert.equal(editable({ get: get({ collection: "beds", select: [{ aggregate: "count" }] }), rows }, { name: "count" }), false);
  assert.equal(editable({ get: get(null), rows }, { name: "bed" }), false);
  receiver.page.role = "wall";
  assert.equal(editable({ get: get({ collection: "beds", select: [{ field: "bed" }] }), rows }, { name: "bed" }), false);
  receiver.page.role = "staff";
});

test("the admin's word decides which kind of screen it is, if it is a kind", () => {
  receiver.page.screen = "s1";
  assert.equal(surface(), "");
  for (const kind of SURFACES) {
    receiver.signals.set("to.s1.surface", kind);
    assert.equal(assigned(), kind);
    assert.equal(surface(), kind);
  }
  receiver.signals.set("to.s1.surface", "billboard");
  assert.equal(surface(), "");
});

test("words that do not come are asked for again, and those of a language that was left are not used", async () => {
  const waits = [], answers = [], later = globalThis.setTimeout, answer = (words) => new Response(JSON.stringify(words));
  Object.defineProperty(globalThis, "navigator", { value: { languages: ["de-CH"] }, configurable: true });
  globalThis.setTimeout = (act) => waits.push(act);
  globalThis.fetch = () => new Promise((...both) => answers.push(both));
  try {
    const first = speakIn("de");
    answers[0][1](new TypeError("Failed to fetch"));
    await first;
    assert.deepEqual(learned, []);
    assert.equal(receiver.root.lang, undefined, "the page is what it was");
    const again = waits[0]();
    answers[1][0](answer({ Ask: "Fragen" }));
    await again;
    assert.deepEqual(learned, [{ Ask: "Fragen" }]);
    assert.equal(receiver.root.lang, "de");
    const left = speakIn("de");
    await speakIn("en");
    answers[2][0](answer({ Ask: "Fragen" }));
    await left;
    assert.deepEqual(learned.at(-1), {});
    assert.equal(receiver.root.lang, "en");
  } finally {
    globalThis.setTimeout = later;
  }
});

test("with single keys off a space still presses, and a slider keeps its keys", () => {
  globalThis.localStorage = { getItem: () => "false" };
  const stopped = (key, slider) => {
    let is = false;
    press({ key, target: { tagName: "DIV", closest: () => slider }, preventDefault: () => {}, stopImmediatePropagation: () => (is = true) });
    return is;
  };
  assert.equal(stopped("p", null), true);
  assert.equal(stopped(" ", null), false);
  assert.equal(stopped(".", {}), false);
  delete globalThis.localStorage;
});
