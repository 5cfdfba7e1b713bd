"use strict";

const $ = (id) => document.getElementById(id);
const make = (tag, name = "", text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
const scanned = new URLSearchParams(location.hash.slice(1)).get("join");
let told = null;

// the box's answer, or null and what was wrong with it as a sentence
async function ask(method, path, body) {
  let reply, value;
  try {
    reply = await fetch(path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
    value = await reply.json();
  } catch {
    value = { message: "The box does not answer." };
  }
  if (reply?.ok) return value;
  say([value.message, value.hint].filter(Boolean).join(" "), true);
  return null;
}

function say(text, fault) {
  $("state").textContent = text;
  $("state").classList.toggle("fault", !!fault);
}

function field(label, input) {
  const around = make("label", "", label);
  around.append(input);
  return around;
}

function place(screen, room = screen.room ?? "", role = screen.role ?? "wall") {
  const name = Object.assign(make("input"), { value: screen.name ?? "", placeholder: "Wall by the door", maxLength: 80, name: "name" });
  const where = Object.assign(make("input"), { value: room, placeholder: "whole house", name: "room", pattern: "[a-z0-9][a-z0-9_\\-]{0,39}", title: "lower-case letters, digits, - and _" });
  where.setAttribute("list", "known");
  const as = Object.assign(make("select"), { name: "role" });
  for (const each of ["wall", "staff", "admin"]) as.append(make("option", "", each));
  as.value = role;
  return { parts: [field("Name", name), field("Room", where), field("Role", as)], value: () => ({ name: name.value, room: where.value, role: as.value }) };
}

function button(text, name, press) {
  const made = Object.assign(make("button", name, text), { type: "button" });
  made.onclick = async () => {
    made.disabled = true;
    await press().finally(() => (made.disabled = false));
  };
  return made;
}

// what Enter does in a card
function submits(card, text, press) {
  const made = button(text, "", press);
  made.type = "submit";
  made.onclick = null;
  card.onsubmit = async (event) => {
    event.preventDefault();
    made.disabled = true;
    await press().finally(() => (made.disabled = false));
  };
  return made;
}

function waiting(knock) {
  const card = make("form", "card" + (knock.code === scanned ? " now" : ""));
  const who = make("div", "who"), given = place({});
  who.append(make("b", "", knock.kind || "screen"), make("span", "", `at ${knock.address || "an unknown address"}`));
  const let_in = submits(card, "Let in", async () => {
    const screen = await ask("POST", `/api/screens/codes/${knock.code}`, given.value());
    if (screen) say(`${screen.name} is in.`);
  });
  const refuse = button("Refuse", "danger", async () => (await ask("DELETE", `/api/screens/codes/${knock.code}`)) && say("It was sent away."));
  card.append(make("div", "code", `${knock.code.slice(0, 3)}-${knock.code.slice(3)}`), who, ...given.parts, acts(let_in, refuse));
  return card;
}

function acts(...buttons) {
  const around = make("div", "acts");
  around.append(...buttons);
  return around;
}

function ago(seconds) {
  const s = Date.now() / 1000 - seconds;
  return s < 90 ? "a moment ago" : s < 5400 ? `${Math.round(s / 60)} min ago` : s < 129600 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86400)} days ago`;
}

function joined(screen) {
  const card = make("form", "card"), who = make("div", "who"), given = place(screen);
  who.append(make("b", "dot" + (screen.live ? " live" : ""), screen.name), make("span", "", `${screen.kind || "screen"}, ${screen.role}, ${screen.live ? "here now" : `last here ${ago(screen.seen_at)}`}${screen.address ? `, ${screen.address}` : ""}`));
  const edit = button("Change", "soft", async () => {
    card.replaceChildren(who, ...given.parts, acts(save, out));
    given.parts[0].firstElementChild.focus();
  });
  const save = submits(card, "Save", async () => {
    const changed = await ask("PATCH", `/api/screens/${screen.id}`, given.value());
    if (changed) say(`${changed.name} was changed.`), card.replaceChildren(who, edit);
  });
  const out = button("Take out", "danger", async () => {
    $("ask").querySelector("p").textContent = `${screen.name} will show nothing any more, from this moment on.`;
    $("ask").showModal();
    $("ask").onclose = async () => $("ask").returnValue === "yes" && (await ask("DELETE", `/api/screens/${screen.id}`)) && say(`${screen.name} is out.`);
  });
  card.append(who, edit);
  return card;
}

// a card keeps its element while nothing about it changed, so that nobody loses what was typed
function cards(parent, items, key, build) {
  const old = parent.kept ?? new Map(), used = (parent.kept = new Map());
  for (const item of items) used.set(key(item), old.get(key(item)) ?? build(item));
  parent.replaceChildren(...used.values());
}

function draw() {
  cards($("waits"), told.waiting, (knock) => knock.code, waiting);
  $("nobody").hidden = told.waiting.length > 0;
  $("none").hidden = told.screens.length > 0;
  const labels = new Map(told.rooms.map((room) => [room.name, room.label]));
  const rooms = [...new Set(["", ...labels.keys()])].filter((room) => told.screens.some((screen) => screen.room === room));
  for (const [room, part] of drawn) if (!rooms.includes(room)) part.remove(), drawn.delete(room);
  for (const room of rooms) {
    if (!drawn.has(room)) {
      const part = make("div");
      part.append(make("h3"), make("div"));
      drawn.set(room, $("rooms").appendChild(part));
    }
    const [title, list] = drawn.get(room).children;
    title.textContent = room ? (labels.get(room) === room ? room : `${labels.get(room)} (${room})`) : "The whole house";
    const mine = told.screens.filter((screen) => screen.room === room);
    cards(list, mine, (screen) => JSON.stringify({ ...screen, seen_at: screen.live ? 0 : screen.seen_at }), joined);
  }
  $("known").replaceChildren(...told.rooms.map((room) => Object.assign(make("option"), { value: room.name, label: room.label })));
  const live = told.screens.filter((screen) => screen.live).length;
  if (!$("state").classList.contains("fault")) say(`${live} of ${told.screens.length} screens are here now.`);
}
const drawn = new Map();

$("invite").onsubmit = async (event) => {
  event.preventDefault();
  const { room, role, uses, days } = Object.fromEntries(new FormData(event.target));
  const made = await ask("POST", "/api/tickets", { room, role, uses: +uses, days: +days });
  if (!made) return;
  $("ticket").hidden = false;
  $("ticket").firstElementChild.textContent = `appliance screen --ticket ${made.ticket}`;
  say(`A ticket for ${uses} ${uses === "1" ? "screen" : "screens"}.`);
};

(async () => {
  for (let version = -1; ; ) {
    const news = await ask("GET", `/api/screens?since=${version}&wait_s=${version < 0 ? 0 : 20}`);
    if (!news) {
      await new Promise((go) => setTimeout(go, 2000));
      continue;
    }
    $("state").classList.remove("fault");
    told = news;
    version = told.version;
    draw();
  }
})();
