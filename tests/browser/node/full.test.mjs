// What the richer page works out: orders, parts, trends, alerts, cells: `node --test tests/browser/node/`.

import assert from "node:assert/strict";
import { test } from "node:test";

// what the bare page gives; nothing here draws
globalThis.self = globalThis;
globalThis.ResizeObserver = class {};
globalThis.matchMedia = () => ({ matches: false });
const t = (english, ...args) => english.replace(/\{(\d)\}/g, (_, n) => args[n]);
const show = (value) => (value == null ? "–" : String(value));
globalThis.receiver = { t, show, clock: (date) => date.toISOString().slice(11, 16), when: (iso) => iso.slice(0, 10), views: {}, page: { role: "staff" }, root: { dataset: {} }, signals: new Map(), wanted: new Map(), told: (...facts) => facts.filter(Boolean).join(", ") };

const at = (name) => import(`../../../appliance/screen/receiver/full/${name}.mjs`);
const { compare, inOrder } = await at("table");
const { parts } = await at("palette");
const { since, steps } = await at("trend");
const { message, watched } = await at("alert");
const { editable, parsed } = await at("edit");
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
  assert.equal(parsed("yes", { type: "boolean" }), true);
  assert.equal(parsed("0", { type: "boolean" }), false);
  assert.equal(parsed(" free ", { type: "text" }), "free");
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
