// What the bare page does around its answers: requests and their proof, the line, lists: `node --test tests/browser/node/`.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.matchMedia = () => ({ matches: true });
globalThis.document = { documentElement: { dataset: {} } };

const at = (name) => import(`../../../appliance/screen/receiver/page/${name}.mjs`);
const { refusal, send } = await at("request");

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
