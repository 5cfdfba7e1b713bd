// Frames in, signals kept by version, answers drawn. Values reach the page as text only: they cannot run.
"use strict";

// the codec, as docs/reference/bitstream.md says

const HEADER = 16, LIMIT = 4 << 20, KEYFRAME = 2, DEFLATE = 4;
const TYPE = { AUDIO: 0x10, SYNC: 0x30, DIFF: 0x31, INPUT: 0x40, CONTROL: 0xf0 };

const fault = (code) => Object.assign(new Error("The frame cannot be read."), { code });

function encode(type, value) {
  const body = new TextEncoder().encode(JSON.stringify(value));
  const raw = new Uint8Array(HEADER + body.length), head = new DataView(raw.buffer);
  head.setUint8(0, type);
  head.setUint8(1, type === TYPE.INPUT ? 1 : 0);
  head.setUint32(12, body.length, true);
  raw.set(body, HEADER);
  return raw;
}

function* split(buffer, limit = LIMIT) {
  const raw = new Uint8Array(buffer);
  for (let at = 0; at < raw.length; ) {
    if (raw.length - at < HEADER) throw fault("SIG300");
    const head = new DataView(raw.buffer, at);
    const flags = head.getUint8(1), length = head.getUint32(12, true), from = at + HEADER;
    if (flags > 7) throw fault("SIG301");
    if (length > limit) throw fault("SIG302");
    at = from + length;
    if (at > raw.length) throw fault("SIG300");
    yield { type: head.getUint8(0), flags, rate: head.getUint16(8, true) * 100, channels: head.getUint16(10, true), payload: raw.subarray(from, at) };
  }
}

// stops at the limit: a small frame cannot fill the memory
async function inflate(bytes, limit = LIMIT) {
  const parts = [], source = new Response(bytes).body.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  for (let size = 0; ; ) {
    const { done, value } = await source.read().catch(() => Promise.reject(fault("SIG304")));
    if (done) return new Response(new Blob(parts)).arrayBuffer();
    parts.push(value);
    size += value.length;
    if (size > limit) {
      source.cancel();
      throw fault("SIG302");
    }
  }
}

function parse(bytes) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {}
  throw fault("SIG303");
}

// 16 bits, signed, little-endian, one channel; other sound, and half samples, are skipped
function pcm(bytes, rate, channels) {
  const view = new DataView(new Uint8Array(bytes).buffer);
  if (!rate || channels !== 1 || view.byteLength % 2) return null;
  return Float32Array.from({ length: view.byteLength >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32768);
}

// frames keep their order whatever inflating takes; unknown types are skipped
function reader(onFrame, onFault, limit = LIMIT) {
  let last = Promise.resolve();
  const read = async (buffer) => {
    for (const { type, flags, rate, channels, payload } of split(buffer, limit)) {
      if (!Object.values(TYPE).includes(type)) continue;
      const body = flags & DEFLATE ? await inflate(payload, limit) : payload;
      if (type !== TYPE.AUDIO) onFrame(type, parse(body));
      else {
        const samples = pcm(body, rate, channels);
        if (samples) onFrame(type, { first: flags & KEYFRAME, rate, samples });
      }
    }
  };
  return (buffer) => (last = last.then(() => read(buffer)).catch(onFault));
}

// a Map, so that no signal's name can reach a prototype
class Signals {
  values = new Map();
  epoch = null;
  version = null;

  get(name) {
    return this.values.get(name);
  }
  sync(state) {
    this.values.clear();
    this.put(state);
    this.epoch = state.$?.e ?? null;
    this.version = state.$?.v ?? null;
  }
  // false: the diff is for another version; nothing was changed
  diff(change) {
    const at = change.$;
    if (at && (at.e !== this.epoch || at.b !== this.version)) return false;
    for (const name of at?.del ?? []) this.values.delete(name);
    this.put(change);
    if (at) this.version = at.v;
    return true;
  }
  put(values) {
    for (const name in values) if (name !== "$") this.values.set(name, values[name]);
  }
}

// milliseconds before try n; the jitter spreads the screens out
function backoff(n, random = Math.random) {
  return Math.max(250, Math.min(2000, 250 * 2 ** n) * (0.5 + random() / 2));
}

// RFC 4180; a text that a spreadsheet would run gets an apostrophe in front
function csv(fields, rows) {
  const cell = (value) => {
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(value)) value = "'" + value;
    const text = value == null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [fields.map((f) => f.label ?? f.name), ...rows.map((row) => fields.map((f) => row[f.name]))];
  return lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
}

// how values, times and ages read

function clock(date, brief) {
  return date.toLocaleTimeString([], { timeStyle: brief ? "short" : "medium", hourCycle: "h23" });
}

function when(iso, now = new Date()) {
  const timed = iso.length > 10, date = new Date(timed ? iso : iso + "T00:00");
  if (isNaN(date)) return iso;
  const midnight = (day) => new Date(day).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(date) - midnight(now)) / 864e5);
  const day = ["Yesterday", "Today", "Tomorrow"][days + 1] ?? date.toLocaleDateString([], { dateStyle: "medium" });
  return timed ? `${day} ${clock(date, true)}` : day;
}

function ago(ms) {
  const s = Math.floor(ms / 1000);
  return s < 1 ? "just now" : s < 60 ? `${s} s ago` : s < 3600 ? `${Math.floor(s / 60)} min ago` : `${Math.floor(s / 3600)} h ago`;
}

function show(value, digits = 0) {
  if (value == null || value === "") return "–";
  if (typeof value === "number") return value.toLocaleString([], { useGrouping: "min2", minimumFractionDigits: digits, maximumFractionDigits: 2 });
  if (typeof value !== "string") return { true: "yes", false: "no" }[value] ?? JSON.stringify(value);
  return /^\d{4}-\d\d-\d\d($|[T ]\d\d:\d\d)/.test(value) ? when(value) : value;
}

// the line to the box: one WebSocket, kept up

function line(url, signals, on) {
  let socket, heard, pinged, timer, seen, asked, tries = 0, live = false;
  const tell = (value, type = TYPE.CONTROL) => socket.readyState === 1 && socket.send(encode(type, value));
  const lost = () => {
    if (live) seen = heard;
    live = false;
    socket.onclose = socket.onmessage = null;
    socket.close();
    timer = setTimeout(open, backoff(tries++));
    on.change();
  };
  const resync = () => {
    if (!asked) tell({ type: "need_sync" });
    asked = true;
  };
  const control = (value) => {
    const { type, t } = value;
    if (type === "hello") tell({ type: "subscribe", stream: decodeURI(location.pathname.slice(3)) || "main", e: signals.epoch, v: signals.version });
    if (type === "ping") tell({ type: "pong", t });
    if (type === "gap") resync();
    if (type === "subscribed") live = !(tries = 0);
    on.control(value);
  };
  const frame = (type, value) => {
    if (type === TYPE.AUDIO) return on.sound(value);
    if (type === TYPE.CONTROL) control(value);
    if (type === TYPE.DIFF && !signals.diff(value)) resync();
    if (type === TYPE.SYNC) signals.sync(value), (asked = false);
    on.change();
  };
  const bad = ({ code = "SIG303", message }) => {
    tell({ type: "error", code, message, details: null, hint: null });
    signals.epoch = signals.version = null;
    lost();
  };
  const open = () => {
    clearTimeout(timer);
    const mine = (socket = new WebSocket(url)), push = reader((...it) => mine === socket && frame(...it), (it) => mine === socket && bad(it));
    socket.binaryType = "arraybuffer";
    heard = Date.now();
    pinged = asked = 0;
    socket.onmessage = (event) => {
      heard = Date.now();
      if (event.data.byteLength) push(event.data);
    };
    socket.onclose = lost;
  };
  const hurry = () => socket.onclose || open();
  // silence counts only while a ping waits: a sleeping tab has not lost the box
  setInterval(() => {
    const now = Date.now(), waits = pinged > heard && now - pinged > 2500;
    if (pinged <= heard && now - heard > 1900) tell({ type: "ping", t: (pinged = now) });
    if (socket.onclose && now - heard > 5000 && (waits || !socket.readyState)) lost();
  }, 500);
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  open();
  return { ask: (value) => tell({ type: "ask", ...value }, TYPE.INPUT), speak: (answer) => tell({ type: "speak", answer }), seen: () => seen, live: () => live };
}

// the page

function start() {
  const root = document.documentElement, wanted = new URLSearchParams(location.search).get("surface");
  const dark = matchMedia("(prefers-color-scheme: dark)"), wide = matchMedia("(min-width: 1600px) and (pointer: none)");
  const dress = (choice) => {
    try {
      choice = choice ? (localStorage.theme = choice) : localStorage.theme;
    } catch {}
    root.dataset.theme = choice || (dark.matches ? "dark" : "light");
  };
  const fit = () => (root.dataset.surface = wanted || (wide.matches ? "wall" : innerWidth < 280 ? "watch" : innerWidth < 640 ? "phone" : "tablet"));
  dress();
  fit();
  dark.onchange = () => dress();
  addEventListener("resize", fit);
  addEventListener("DOMContentLoaded", () => page(root, dress));
}

const STAGES = { kept: "Kept until the box is back", sent: "Sent to the box", queued: "Waiting", reading: "Reading the question", looking: "Looking it up" };

function page(root, dress) {
  const $ = (id) => document.getElementById(id), signals = new Signals(), still = matchMedia("(prefers-reduced-motion: reduce)");
  // what was said no to, here
  const declined = new Set();
  let pending = [], chosen, hero, since = 0, note = "", skew = 0, ticked, joined, drawing, said, role;
  const wall = () => root.dataset.surface === "wall";
  // a kiosk's agent says how things are with the box: it may be away while the line to the agent is there
  const link = () => signals.get("screen.box") ?? {}, up = () => door.live() && [undefined, "live", "catching up"].includes(link().state);
  const seen = () => (door.live() ? link().seen : door.seen());

  // elements, text that glows when it changes, lists that keep their elements
  const make = (tag, name = "", text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const add = (parent, ...what) => parent.appendChild(make(...what));
  const glow = (el) => still.matches || el.animate({ backgroundColor: ["var(--warm)", "transparent"] }, { duration: 2000, easing: "steps(10)" });
  const put = (el, text, shine) => {
    if (el.textContent === text) return;
    el.textContent = text;
    if (shine) glow(el);
  };
  const keyed = (parent, items, key, create, update) => {
    const old = parent.kept ?? new Map(), used = (parent.kept = new Map());
    let spot = parent.firstElementChild;
    for (const item of items) {
      let id = key(item);
      while (used.has(id)) id += "+";
      const el = old.get(id) ?? create(item);
      used.set(id, el);
      update(el, item, old.size && !old.has(id));
      if (el === spot) spot = spot.nextElementSibling;
      else parent.insertBefore(el, spot);
    }
    for (const [id, el] of old) if (!used.has(id)) el.remove();
  };
  const buttons = (parent, name, items, press) =>
    keyed(parent, items, (it) => it.label, () => make("button", name), (el, it) => {
      put(el, it.label);
      el.onclick = () => press(it);
    });
  const list = (value) => (Array.isArray(value) ? value.filter((it) => it != null) : []);
  const text = (value) => (typeof value === "string" ? value : "");
  const told = (...facts) => facts.filter(Boolean).join(", ");
  const as = (who) => who && `as ${who}`;
  const decimals = (rows, name) => (rows.some((row) => row[name] % 1) ? 2 : 0);

  // of an answer that is not for this screen a room's wall gets what it may see of it
  const said_of = (id, name) => signals.get(`answer.${id}.${name}`) ?? signals.get(`answer.${id}.shared`)?.[name];
  // what the signals say of an answer, every type checked; a question on its way is its own answer
  const answer = (id) => {
    const get = (name) => (id.question == null ? said_of(id, name) : id[name]), a = { id: id.ref ?? id };
    for (const name of ["question", "status", "stage", "reading", "sentence", "rest", "source", "role", "read_at"]) a[name] = text(get(name));
    for (const name of ["rows", "fields", "choices"]) a[name] = list(get(name));
    a.view = get("view") ?? {};
    a.error = get("error") ?? {};
    if (!a.fields.length) a.fields = Object.keys(a.rows[0] ?? {}).map((name) => ({ name }));
    a.count = get("row_count") ?? a.rows.length;
    a.took = get("took_ms");
    a.at = a.read_at && clock(new Date(a.read_at));
    a.told = a.sentence || text(a.error.message);
    const { kind, value } = a.view, drawn = kind === "number" ? value != null : views[kind] && a.rows.some((row) => row[value] > 0);
    a.kind = drawn ? kind : a.rows.length && kind !== "text" ? "table" : "word";
    if (a.status !== "answered") a.kind = a.status ? "word" : "work";
    if (!a.status) a.told = get("position") > 1 ? `Waiting, place ${get("position")} in the queue` : STAGES[a.stage] ?? STAGES.queued;
    return a;
  };
  const ids = () => [...new Set([...list(signals.get("answers.order")), ...list(signals.get("answers.pinned"))])].filter((id) => said_of(id, "question") != null);
  const status = (id) => said_of(id, "status");

  // one view per kind, large in the hero and small in a card
  const views = {
    number(box, { view }) {
      const value = box.firstChild ?? add(box, "b"), label = value.nextSibling ?? add(box, "span"), told = show(view.value);
      put(value, told, value.textContent);
      put(label, text(view.label));
      box.style.setProperty("--n", told.length + 1);
    },
    bars(box, { rows, view: { label, value } }, few) {
      const top = Math.max(...rows.map((row) => Math.abs(row[value]) || 0)), digits = decimals(rows, value);
      const bar = () => {
        const li = make("li");
        for (const tag of ["span", "i", "b"]) add(li, tag);
        return li;
      };
      keyed(box.firstChild ?? add(box, "ol"), rows.slice(0, few ? 4 : 200), (row) => show(row[label]), bar, (li, row, isNew) => {
        const [name, track, count] = li.children, told = show(row[value], digits);
        if (isNew || (count.textContent && count.textContent !== told)) glow(li);
        put(name, show(row[label]));
        put(count, told);
        track.style.setProperty("--w", Math.abs(row[value]) / top);
      });
    },
    // what lies under the line, each row at its time
    line(box, { rows, view: { label, value } }) {
      const all = rows.filter((row) => row[label]), ends = [all[0], all.at(-1)], top = Math.max(...all.map((row) => row[value]));
      const x = (row) => new Date(row[label]) - new Date(all[0][label]);
      const at = all.map((row) => `${(100 * x(row)) / x(ends[1])}% ${100 - (100 * row[value]) / top}%`);
      if (!box.firstChild) for (const tag of ["i", "b", "b"]) add(box, tag);
      box.firstChild.style.clipPath = `polygon(0 100%, ${at}, 100% 100%)`;
      ends.map((row, i) => put(box.children[i + 1], told(show(row[label]), show(row[value]))));
    },
    table(box, { rows, fields }, few) {
      const columns = fields.slice(0, few ? 2 : 60).map((f) => ({ ...f, side: rows.some((row) => typeof row[f.name] === "number") ? "r" : "", digits: decimals(rows, f.name) }));
      const cells = (tag, say) => {
        const tr = make("tr");
        for (const c of columns) add(tr, tag, c.side, say(c));
        return tr;
      };
      if (!box.firstChild) {
        const table = add(box, "table");
        add(table, "thead").append(cells("th", (c) => c.label ?? c.name));
        add(table, "tbody");
      }
      keyed(box.firstChild.lastChild, rows.slice(0, few ? 3 : 200), (row) => String(row.id ?? JSON.stringify(row)), () => cells("td", () => ""), (tr, row, isNew) => {
        const filled = tr.textContent;
        columns.forEach((c, i) => put(tr.cells[i], show(row[c.name], c.digits), filled));
        if (isNew) glow(tr);
      });
    },
  };
  const figure = (box, a, few) => {
    const mark = a.id + a.kind + JSON.stringify(a.fields);
    if (box.mark !== mark) box.replaceChildren();
    box.mark = mark;
    box.className = "fig " + a.kind;
    views[a.kind]?.(box, a, few);
  };

  // the hero: the newest answer or the one chosen; on a wall each live answer in turn
  const pick = (all) => {
    const turn = all.filter((id) => status(id) === "answered"), busy = all[0] && !status(all[0]);
    if (!wall()) return all.includes(chosen) ? chosen : pending.at(-1) ?? all[0];
    if (busy || !turn.length) return all[0];
    return all.includes(hero) && (Date.now() - since < 9900 || !turn[1]) ? hero : turn[(turn.indexOf(hero) + 1) % turn.length];
  };
  const drawHero = (id) => {
    const a = answer(id ?? { question: "", ref: "", status: "none", sentence: joined && link().state !== "searching" ? "Ask about anything this box holds." : "Connecting to the box." });
    const data = $("hero").dataset, same = data.id === a.id, shine = same && data.kind === "word" && a.kind === "word";
    if (!same || data.kind !== a.kind) since = Date.now();
    if (!same && !still.matches) $("text").animate({ opacity: [0, 1], translate: ["0 .5rem", "0"] }, 300);
    hero = id;
    Object.assign(data, { id: a.id, kind: a.kind });
    put($("question"), a.question);
    const offers = a.status === "confirm", no = declined.has(a.id);
    put($("sentence"), no ? "Nothing was done." : a.told, shine);
    put($("reading"), offers ? "" : a.reading);
    put($("hint"), text(a.error.hint));
    $("steps").dataset.at = a.stage;
    const items = a.status === "failed" ? [{ label: "Ask again" }] : no ? [] : offers ? [...a.choices, { label: "No" }] : a.choices;
    $("choices").className = a.status;
    buttons($("choices"), "choice", items, ({ plan }) => (offers && !plan ? open(declined.add(a.id) && a.id) : ask(a.question, plan)));
    // so that Yes and No come next
    if (offers && !same && id === chosen) $("hero").focus({ preventScroll: true });
    const part = a.count > a.rows.length ? `first ${a.rows.length} of ` : "", rows = `${part}${show(a.count)} row${a.count === 1 ? "" : "s"}`;
    const facts = told(a.source, rows, as(a.role), a.at, a.took && `${a.took} ms`);
    put($("source"), a.status === "answered" ? facts : text(a.error.code));
    put($("rest"), a.rest);
    $("copy").hidden = !a.rest;
    $("speak").hidden = a.status !== "answered";
    $("csv").hidden = !a.rows.length;
    figure($("figure"), a);
    if (a.status && said !== a.id) put($("say"), `${a.question} ${a.told}`), (said = a.id);
  };
  const drawCards = (all) => {
    const pinned = list(signals.get("answers.pinned")), turn = all.filter((id) => id === hero || status(id) === "answered"), from = turn.indexOf(hero) & ~3;
    const shown = wall() ? turn.slice(from, from + 4) : all.filter((id) => id !== hero);
    $("more").hidden = !shown.length;
    const create = () => {
      const card = make("article", "card");
      add(add(card, "h3"), "button");
      for (const name of ["", "line", "meta"]) add(card, "div", name);
      return card;
    };
    keyed($("grid"), shown, String, create, (card, id) => {
      const a = answer(id), [title, box, line, meta] = card.children;
      Object.assign(card.dataset, { kind: a.kind, now: id === hero });
      put(title.firstChild, a.question);
      title.firstChild.onclick = () => open(id);
      figure(box, a, true);
      put(line, a.told);
      put(meta, told(pinned.includes(id) && "Pinned", a.source, a.at));
    });
  };
  const open = (id) => {
    chosen = id;
    draw();
    $("hero").scrollIntoView({ block: "nearest" });
    $("hero").focus({ preventScroll: true });
  };

  // a question waits in pending until its answer shows, and is sent again on every return
  const flat = (words) => words.trim().replace(/\s+/g, " ").toLowerCase();
  const asked = (id) => id + signals.get(`answer.${id}.asked_at`);
  const ask = (question, plan) => {
    const item = { ref: Math.random().toString(36).slice(2), question, plan };
    pending = [...pending.filter((p) => !p.error), item];
    transmit(item);
    chosen = null;
    scrollTo(0, 0);
    draw();
  };
  const transmit = (p) => {
    if (p.error || !door.live()) return;
    p.known = ids().map(asked);
    door.ask({ ref: p.ref, question: p.question, plan: p.plan });
  };
  const settle = () => {
    for (const id of ids()) {
      const words = flat(text(signals.get(`answer.${id}.question`)));
      // one that is too long is cut
      const same = (p) => [p.question, p.question.slice(0, 200)].some((it) => flat(it) === words);
      const mine = pending.find((p) => same(p) && p.known?.includes(asked(id)) === false);
      if (!mine) continue;
      pending = pending.filter((p) => p !== mine);
      chosen = id;
    }
    for (const p of pending) Object.assign(p, p.error ? { status: "failed" } : { stage: up() ? "sent" : "kept" });
  };

  const waits = (n) => n && `${n} question${n === 1 ? " is" : "s are"} kept for it.`;
  // what is missing and how old what you see is; else what just changed
  const strip = () => {
    const well = up(), last = seen(), now = Date.now(), down = list(signals.get("box.parts")).filter((p) => p.state !== "ok");
    let news = down.map((p) => text(p.sentence) || `The ${p.name} does not answer.`).join(" ") || note;
    if (!well) news = joined ? [note || "The box does not answer.", last && `Shown as of ${clock(new Date(last + skew))}, ${ago(now - last)}.`, door.live() && waits(link().kept)].filter(Boolean).join(" ") : "";
    root.classList.toggle("stale", joined && !well);
    $("strip").className = news && "warn";
    const changes = [];
    for (const [name, c] of signals.values) if (name.startsWith("changes.") && c?.at) changes.push([now + skew - new Date(c.at), name.slice(8).replaceAll("_", " ")]);
    put($("news"), news || changes.sort(([a], [b]) => a - b).slice(0, 3).map(([ms, name]) => `${name} changed ${ago(ms)}`).join("  ·  "));
    put($("state"), well ? (down.length ? "Partly live" : "Live") : joined ? "Not connected" : "Connecting");
    $("state").className = well && !down.length ? "live" : "";
    put($("speak"), speaking() ? "Stop" : "Speak");
    put($("clock"), clock(new Date(now + skew), wall()));
  };

  // active alerts, then what is unusual: unseen ones first, then the newest; acknowledging one tells everybody
  const drawAlarms = () => {
    // on a phone the answer has to stay in sight
    const all = [], most = innerWidth < 640 ? 1 : 3;
    for (const [name, a] of signals.values) if (name.startsWith("alert.") && a?.message) all.push({ ...a, id: "alerts/events/" + name.slice(6) });
    for (const [name, a] of signals.values) if (name.startsWith("unusual.") && a?.sentence) all.push({ ...a, id: "unusual/" + a.id, message: a.sentence, fired_at: a.told_at, odd: "odd " });
    all.sort((a, b) => !!a.odd - !!b.odd || !!a.acknowledged_at - !!b.acknowledged_at || (a.fired_at < b.fired_at ? 1 : -1));
    const create = (a) => {
      const p = make("p");
      for (const tag of ["b", "span", "button"]) add(p, tag);
      if (a.odd) add(p, "button");
      return p;
    };
    keyed($("alarms"), all.slice(0, most), (a) => a.id, create, (p, a) => {
      const [message, facts, button, rows] = p.children, seen = text(a.acknowledged_at);
      p.className = text(a.odd) + (seen && "seen");
      if (rows) {
        put(rows, "Show rows");
        rows.hidden = !a.plan;
        rows.onclick = () => ask(a.message, a.plan);
      }
      put(message, text(a.message));
      put(facts, told(when(text(a.fired_at)), seen && `seen ${when(seen)}`));
      put(button, "Acknowledge");
      button.hidden = seen || !role || role === "wall" || link().state;
      button.onclick = () => acknowledge(a.id, button);
    });
    put($("others"), all.length > most ? `and ${all.length - most} more` : "");
  };
  const acknowledge = async (id, button) => {
    button.disabled = true;
    const answer = await fetch(`/api/${id}/acknowledge`, { method: "POST" }).catch(() => ({}));
    if (!answer.ok) note = "The alert could not be acknowledged.";
    button.disabled = false;
  };

  const draw = () => {
    drawing = 0;
    settle();
    drawAlarms();
    const all = ids(), name = text(signals.get("box.name")) || "DreamStack", facility = text(signals.get("box.facility"));
    document.title = facility || name;
    put($("facility"), document.title);
    put($("box"), told(facility && name, as(role)));
    put($("count"), `${all.length} answers`);
    drawHero(pick(all));
    drawCards(all);
    buttons($("chips"), "chip", list(signals.get("box.suggestions")).map((label) => ({ label: String(label) })), (it) => ask(it.label));
    strip();
  };
  const change = () => {
    const at = signals.get("box.clock");
    // an old time of the box says nothing of the two clocks
    if (up() && at !== ticked) skew = Date.parse((ticked = at)) - Date.now() || 0;
    // not let in: the agent's own page shows the code
    if (["waiting", "refused"].includes(link().state)) return location.reload();
    drawing ||= requestAnimationFrame(draw);
  };
  const control = (value) => {
    if (value.type === "hello") role = text(value.role);
    if (value.type === "subscribed") {
      joined = true;
      note = "";
      settle();
      pending.forEach(transmit);
    }
    if (value.type !== "error") return;
    // a screen that was taken out, or has to prove itself anew, begins at the box's page again
    if (value.code === "BRG401") setTimeout(() => location.reload(), 1000);
    // BRG406: a part of the box is away for a moment, which is no answer to a question
    const mine = value.code !== "BRG406" && pending.find((p) => !p.error);
    if (mine) mine.error = value;
    else note = text(value.message);
    setTimeout(() => (note = ""), 1e4);
  };

  // speech: each piece begins where the one before it ends; a first one ends what still sounds
  let voice, ends = 0;
  const speaking = () => ends > (voice?.currentTime ?? 0);
  const sound = ({ first, rate, samples }) => {
    if (first) {
      voice?.close();
      voice = null;
      ends = 0;
    }
    if (samples.length) {
      voice ??= new AudioContext({ sampleRate: rate });
      const piece = voice.createBuffer(1, samples.length, rate), player = voice.createBufferSource();
      piece.copyToChannel(samples, 0);
      player.buffer = piece;
      player.connect(voice.destination);
      player.start((ends = Math.max(ends, voice.currentTime)));
      ends += piece.duration;
    }
    strip();
  };
  $("speak").onclick = () => door.speak(speaking() ? null : hero);

  const q = $("q");
  $("ask").onsubmit = (event) => {
    event.preventDefault();
    if (q.value.trim()) ask(q.value.trim());
    q.value = "";
  };
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") q.value = "";
    if (event.key !== "/" || event.target === q || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    q.focus();
  });
  $("theme").onclick = () => dress(root.dataset.theme === "dark" ? "light" : "dark");
  $("csv").onclick = () => {
    const a = answer(hero), href = URL.createObjectURL(new Blob(["\ufeff", csv(a.fields, a.rows)], { type: "text/csv" }));
    Object.assign(make("a"), { href, download: `${a.source || "rows"}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1e4);
  };
  // navigator.clipboard is missing on plain http
  $("copy").onclick = () => {
    getSelection().selectAllChildren($("rest"));
    document.execCommand("copy");
    put($("copy"), "Copied");
    setTimeout(() => put($("copy"), "Copy"), 1500);
  };
  const door = line(`${location.protocol.replace("http", "ws")}//${location.host}/ws`, signals, { change, control, sound });
  setInterval(() => (wall() && pick(ids()) !== hero ? draw() : strip()), 1000);
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) q.focus();
  draw();
}

if (typeof module === "undefined") start();
else module.exports = { TYPE, LIMIT, Signals, encode, split, inflate, reader, backoff, csv, show, when, ago };
