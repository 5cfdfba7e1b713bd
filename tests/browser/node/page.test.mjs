// What the bare page does around its answers: requests and their proof, the line, lists: `node --test tests/browser/node/`.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.matchMedia = () => ({ matches: true });
globalThis.document = { documentElement: { dataset: {} } };

const at = (name) => import(`../../../appliance/screen/receiver/page/${name}.mjs`);
const { refusal, send } = await at("request");
const { keyed } = await at("dom");
const { line } = await at("line");
const { clock, inZone, when, zone } = await at("words");

const reply = (status, said) => new Response(JSON.stringify(said), { status });

test("who is signed in proves it, once the box wants that", async () => {
  const asked = [];
  globalThis.fetch = async (path, { method = "GET", headers = {}, body } = {}) => {
    asked.push([method, path, headers["X-CSRF-Token"], body]);
    if (path === "/api/session") return reply(200, { csrf: "p1" });
    return headers["X-CSRF-Token"] === "p1" ? reply(200, {}) : reply(403, { code: "BRG482" });
  };
  assert.equal((await send("POST", "/a", { n: 1 })).status, 200);
  assert.equal((await send("DELETE", "/b", undefined, { "X-CSRF-Token": "p1" })).status, 200);
  assert.deepEqual(asked, [["POST", "/a", "", '{"n":1}'], ["GET", "/api/session", undefined, undefined], ["POST", "/a", "p1", '{"n":1}'], ["DELETE", "/b", "p1", undefined]]);
});

test("another refusal is not tried again, and is said as the box says it", async () => {
  let count = 0;
  globalThis.fetch = async () => (count++, reply(403, { code: "PGF100", message: "Walls may not.", hint: "Ask staff." }));
  const answer = await send("POST", "/a");
  assert.equal(count, 1);
  assert.equal(await refusal(answer), "Walls may not. Ask staff.");
  globalThis.fetch = async () => Promise.reject(new TypeError("Failed to fetch"));
  assert.equal(await send("POST", "/a"), null);
  assert.equal(await refusal(null), "The box does not answer. Nothing was changed.");
});

// as much of an element as a list needs; who is moved or taken out loses the focus
class Element {
  children = [];
  get firstElementChild() {
    return this.children[0] ?? null;
  }
  get nextElementSibling() {
    return this.parent.children[this.parent.children.indexOf(this) + 1] ?? null;
  }
  contains(other) {
    return other === this;
  }
  remove() {
    if (document.activeElement === this) document.activeElement = null;
    if (this.parent) this.parent.children = this.parent.children.filter((it) => it !== this);
  }
  insertBefore(el, spot) {
    el.remove();
    el.parent = this;
    this.children.splice(spot ? this.children.indexOf(spot) : this.children.length, 0, el);
  }
  append(el) {
    this.insertBefore(el, null);
  }
}

test("who writes or has the focus in a list is not disturbed by what comes, goes and changes places", () => {
  const parent = new Element(), draw = (text) => keyed(parent, [...text], (it) => it, (it) => Object.assign(new Element(), { name: it }), () => {});
  const order = () => parent.children.map((it) => it.name).join("");
  for (const [from, to] of [["abcd", "bcd"], ["abcd", "cabd"], ["abcd", "dcba"], ["abc", "xcybza"], ["abcd", "cdab"], ["ab", "b"]]) {
    for (const name of to) {
      draw("");
      draw(from);
      const el = (document.activeElement = parent.children.find((it) => it.name === name) ?? null);
      draw(to);
      assert.equal(order(), to);
      assert.equal(document.activeElement, el, `${from} to ${to}, the focus on ${name}`);
    }
  }
  draw("aab");
  assert.equal(parent.children.length, 3);
});

test("clocks and days are the facility's, and the screen's where the box names no zone that is known", () => {
  const at = new Date("2026-11-28T23:30:00Z");
  inZone("Pacific/Auckland");
  assert.equal(clock(at, true), "12:30");
  assert.equal(when("2026-11-28T23:30:00Z", at), "Today 12:30");
  assert.equal(when("2026-11-29", at), "Today");
  assert.equal(when("2026-11-28T09:00:00Z", at), "Yesterday 22:00");
  inZone("America/New_York");
  assert.equal(when("2026-11-29", at), "Tomorrow");
  assert.equal(when("2026-11-28T23:30:00Z", at), "Today 18:30");
  for (const name of ["Atlantis/Capital", null, 7, undefined]) {
    inZone(name);
    assert.equal(zone(), undefined);
    assert.equal(clock(at, true), at.toTimeString().slice(0, 5));
  }
  assert.equal(when("soon"), "soon");
});

test("a line that ended with the session is not taken up again; another is", async () => {
  const sockets = [], heard = [], timers = [];
  Object.assign(globalThis, { location: { pathname: "/" }, addEventListener: () => {}, setInterval: () => {} });
  document.addEventListener = () => {};
  globalThis.WebSocket = class {
    constructor() {
      sockets.push(this);
    }
    close() {}
  };
  const later = globalThis.setTimeout;
  globalThis.setTimeout = (act) => timers.push(act);
  line("ws://box/ws", { epoch: null, version: null }, { change: () => heard.push("change"), control: (said) => heard.push(said) });
  sockets[0].onclose({ reason: "BRG401" });
  assert.deepEqual(heard, [{ type: "error", code: "BRG401" }]);
  assert.equal(timers.length, 0);
  sockets[0].onclose({ reason: "" });
  timers[0]();
  globalThis.setTimeout = later;
  assert.equal(sockets.length, 2);
});
