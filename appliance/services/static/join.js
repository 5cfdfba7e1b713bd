"use strict";

const $ = (id) => document.getElementById(id);
const kind = innerWidth >= 1600 && matchMedia("(pointer: none)").matches ? "wall" : innerWidth < 280 ? "watch" : innerWidth < 640 ? "phone" : "tablet";
const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket") ?? "";
const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const ask = (path, body) => fetch(path, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

// a key that no script can read out, kept by the browser
async function ownKey() {
  if (!isSecureContext || !crypto.subtle || !window.indexedDB) return null;
  const open = indexedDB.open("dreamstack", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("keys");
  const store = (mode) => open.result.transaction("keys", mode).objectStore("keys");
  const done = (request) => new Promise((yes, no) => ((request.onsuccess = () => yes(request.result)), (request.onerror = no)));
  await done(open);
  const held = await done(store("readonly").get("own"));
  if (held) return held;
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  await done(store("readwrite").put(made, "own"));
  return made;
}

async function proof() {
  const key = await ownKey().catch(() => null);
  if (!key) return {};
  const { nonce } = await (await ask("/api/join/nonce")).json();
  const said = new TextEncoder().encode("dreamstack join " + nonce);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, said);
  return { public: text(await crypto.subtle.exportKey("raw", key.publicKey)), nonce, signature: text(signature) };
}

function show(say, more = "", code = "", qr = "") {
  $("say").textContent = say;
  $("more").textContent = more;
  $("code").textContent = code && code.slice(0, 3) + "-" + code.slice(3);
  $("code").ariaLabel = code && "Code of this screen: " + [...code].join(" ");
  $("code").hidden = $("qr").hidden = !code;
  if (qr && $("qr").src !== qr) $("qr").src = qr;
}

let proved;
async function look() {
  let answer;
  try {
    const body = { kind, ticket, ...(proved ? {} : await proof()) };
    const reply = await ask("/api/join", body);
    answer = await reply.json();
    proved = reply.ok || proved;
  } catch {
    show("The box does not answer.", "This screen asks again by itself.");
    return 2000;
  }
  if (answer.state === "approved") return location.replace(location.pathname), 1e9;
  if (answer.code && answer.state === "waiting") {
    const minutes = Math.ceil(answer.expires_s / 60);
    show("Tell your admin this code.", `It is good for ${minutes} more ${minutes === 1 ? "minute" : "minutes"}. Or scan the picture with the admin's phone.`, answer.code, answer.qr);
    return 1500;
  }
  show(answer.message ?? "This screen was not let in.", answer.hint ?? "");
  proved = answer.code === "BRG401" ? false : proved;
  return 10000;
}

(async () => {
  for (;;) await new Promise(async (go) => setTimeout(go, await look()));
})();
