// Every request to the box goes through here: its session's proof, and errors in one shape.

import { t, w } from "./words.mjs";

let proof = "";
let ended = () => {};
let used = Date.now();

/** The CSRF token of the session, sent with what changes something. */
export const prove = (token) => (proof = token || "");
/** What to do when the box no longer knows the session. */
export const onEnd = (act) => (ended = act);
/** When something was last asked on a person's behalf. */
export const lastUsed = () => used;

/** A fault as the box tells it: a code, a sentence, what was seen, and a way on. */
export class Fault extends Error {
  constructor({ code = "", message, details = null, hint = "" }, status = 0) {
    super(message);
    Object.assign(this, { code, details, hint: hint || "", status });
  }
}

const away = () => new Fault({ code: "AWAY", message: w("The box does not answer."), hint: w("It may be starting again. Try again in a moment.") });

function headers(method, { quiet, role, more, json }) {
  const out = new Headers(more);
  if (json !== undefined) out.set("Content-Type", "application/json");
  if (proof && method !== "GET") out.set("X-CSRF-Token", proof);
  if (quiet) out.set("X-Background", "1");
  if (role) out.set("X-Role", role);
  return out;
}

/** The box's reply, whatever its status; faults when there is none. `quiet` requests do not keep the session. */
export async function reach(method, path, { json, body, quiet = false, role, more, signal } = {}) {
  if (!quiet) used = Date.now();
  try {
    return await fetch(path, {
      method, signal, cache: "no-cache", headers: headers(method, { quiet, role, more, json }),
      body: json === undefined ? body : JSON.stringify(json),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw away();
  }
}

/** What a reply that is an error says. */
export async function faultOf(reply) {
  const told = await reply.json().catch(() => null);
  const fault = new Fault(told?.message ? told : { message: t("The box answered {status}.", { status: reply.status }) }, reply.status);
  if (reply.status === 401 && fault.code === "BRG401") ended(fault);
  return fault;
}

async function ask(method, path, options) {
  const reply = await reach(method, path, options);
  if (!reply.ok) throw await faultOf(reply);
  const text = await reply.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, options) => ask("GET", path, options);
export const post = (path, json, options) => ask("POST", path, { json, ...options });
export const put = (path, json, options) => ask("PUT", path, { json, ...options });
export const patch = (path, json, options) => ask("PATCH", path, { json, ...options });
export const remove = (path, options) => ask("DELETE", path, options);

/** An address with its parameters; empty ones are left out. */
export function at(path, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** Lines of JSON as they arrive, each given to `hear`. */
export async function lines(reply, hear) {
  const lost = (error) => Promise.reject(error.name === "AbortError" ? error : away());
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch(lost);
    const parts = (rest + (value ?? "")).split("\n");
    rest = done ? "" : parts.pop();
    for (const part of parts) if (part.trim()) hear(JSON.parse(part));
    if (done) return;
  }
}
