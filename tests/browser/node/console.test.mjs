// What the console keeps in mind around its pages: who is signed in, what is followed: `node --test tests/browser/node/`.

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";

// in the page an import map says where it is
const preact = new URL("../../../appliance/services/console_page/vendor/preact.mjs", import.meta.url).href;
register(`data:text/javascript,${encodeURIComponent(`export const resolve = (name, about, next) => next(name === "preact" ? ${JSON.stringify(preact)} : name, about);`)}`);

const kept = new Map(), ticks = [];
let waits = [];
globalThis.localStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, String(value)) };
Object.assign(globalThis, { document: { title: "Box", hidden: false, documentElement: {} }, addEventListener: () => {} });
globalThis.setInterval = (act) => ticks.push(act);
const { setTimeout: later } = globalThis;
const turn = () => new Promise((go) => later(go, 5));
globalThis.setTimeout = (act, ms) => (waits.push({ act, ms }), 0);
const passes = async (ms) => {
  const due = waits.filter((it) => it.ms === ms);
  waits = waits.filter((it) => it.ms !== ms);
  for (const { act } of due) act();
  await turn();
};

const at = (name) => import(`../../../appliance/services/console_page/core/${name}.mjs`);
const { farewell, leaving, look, session, signIn, signOut, ending, waits: waiting } = await at("session");
const { screens } = await at("live");
const { lines } = await at("api");
const { asList, listed, valueOf } = await at("data");
const { cancel, jobs, work } = await at("jobs");
const { clock, datetime, inZone } = await at("format");
const { slug } = await at("slug");

const reply = (status, said) => new Response(JSON.stringify(said), { status });
const maria = { name: "maria", role: "admin", csrf: "p", idle_s: 900, expires_at: null };
let box = () => reply(404, {});
const asked = [];
globalThis.fetch = async (path, { method, headers } = {}) => {
  asked.push(`${method ?? "GET"} ${path} ${headers?.get?.("X-CSRF-Token") ?? ""}`.trim());
  return box(method ?? "GET", path);
};
const enters = async (told = maria) => {
  box = (method, path) => (path === "/api/session" ? reply(200, told) : reply(404, {}));
  await signIn("maria", "word");
};

test("what is done in another tab keeps this one from signing out", async () => {
  await enters();
  const { now } = Date;
  const began = now();
  try {
    Date.now = () => began + 901_000;
    kept.set("dreamstack-acted", String(began + 880_000));
    asked.length = 0;
    look();
    assert.equal(leaving.get(), null);
    assert.deepEqual(asked.filter((it) => it.startsWith("DELETE")), []);
    Date.now = () => began + 880_000 + 870_000;
    look();
    assert.equal(leaving.get(), 30);
    Date.now = () => began + 880_000 + 901_000;
    look();
    await turn();
    assert.ok(asked.includes("DELETE /api/session p"));
    assert.equal(session.get(), false);
    assert.equal(waiting.get(), "maria", "what was typed waits for her");
  } finally {
    Date.now = now;
  }
});

test("the end of a session that nothing puts off is foretold", async () => {
  await enters({ ...maria, expires_at: new Date(Date.now() + 3_600_000).toISOString() });
  look();
  assert.equal(ending.get(), null);
  const soon = new Date(Date.now() + 200_000).toISOString();
  await enters({ ...maria, expires_at: soon });
  look();
  assert.equal(ending.get(), soon);
});

test("who could not be signed out is told so, and it is tried until it is done", async () => {
  await enters();
  box = () => Promise.reject(new TypeError("Failed to fetch"));
  const out = signOut();
  await turn();
  assert.equal(session.get(), false);
  assert.match(farewell.get(), /could not be signed out/);
  assert.equal(waiting.get(), null);
  asked.length = 0;
  await passes(3000);
  assert.deepEqual(asked.filter((it) => it.startsWith("DELETE")), ["DELETE /api/session p"], "with the proof of that session");
  box = () => reply(401, { code: "BRG401", message: "Nobody." });
  await passes(3000);
  await out;
  assert.equal(farewell.get(), "You are signed out.");
});

test("who signs in again soon sees the screens, and no late answer of before", async () => {
  const answers = [];
  const follow = () => (box = (method, path) => (path.startsWith("/api/screens") ? new Promise((go) => answers.push(go)) : reply(200, path === "/api/session" ? maria : { jobs: [] })));
  await enters();
  session.set(false);
  follow();
  await signIn("maria", "word");
  await turn();
  session.set(false);
  assert.equal(screens.get(), null);
  await signIn("maria", "word");
  await turn();
  assert.ok(answers.length >= 2);
  answers.at(-1)(reply(200, { version: 7, screens: ["new"] }));
  await turn();
  assert.deepEqual(screens.get().screens, ["new"]);
  answers[0](reply(200, { version: 1, screens: ["old"] }));
  await turn();
  assert.deepEqual(screens.get().screens, ["new"]);
  session.set(false);
});

test("a short name keeps the letters under their accents", () => {
  assert.equal(slug("Intensivstation Süd – Straße 3"), "intensivstation-sud-strasse-3");
  assert.equal(slug("Ärztin (Nachtdienst)", "_", 31), "arztin_nachtdienst");
  assert.equal(slug("2. Stock", "_"), "stock");
  assert.equal(slug("救急"), "");
});

test("a value of a list may hold a comma", () => {
  const values = ["Surgery, ward 2", "Ear", 'the "old" house'];
  assert.equal(asList(values), '"Surgery, ward 2", Ear, "the ""old"" house"');
  assert.deepEqual(listed(asList(values)), values);
  assert.deepEqual(listed("a,, b ,"), ["a", "b"]);
  assert.deepEqual(valueOf("1, 2.5", "numeric", "in"), [1, 2.5]);
});

test("what broke off while it was read is a sentence, and what somebody stopped is none", async () => {
  const broken = (error) => ({ body: new ReadableStream({ pull: (to) => to.error(error) }) });
  await assert.rejects(lines(broken(new TypeError("network error")), () => {}), { code: "AWAY", message: "The box does not answer." });
  const stopped = Object.assign(new Error("stopped"), { name: "AbortError" });
  await assert.rejects(lines(broken(stopped), () => {}), { name: "AbortError" });
  const going = work("import", "file", (_, signal) => new Promise((_, stop) => signal.addEventListener("abort", () => stop(stopped))));
  await cancel(jobs.get()[0]);
  await assert.rejects(going, { name: "AbortError" });
  assert.equal(jobs.get()[0].state, "cancelled");
  assert.equal(jobs.get()[0].error, undefined);
});

test("times are the facility's, whatever zone the browser is in", () => {
  inZone("Pacific/Auckland");
  assert.match(datetime("2026-11-28T23:30:00Z"), /29.*12:30/);
  inZone("America/New_York");
  assert.match(datetime(1795908600), /28.*6:30/);
  const here = new Date("2026-11-28T23:30:00Z");
  for (const name of [null, undefined, "Atlantis/Capital"]) {
    inZone(name);
    assert.equal(clock(here), new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(here));
  }
});
