// The line to the box: one WebSocket, kept up.

import { TYPE, encode, reader } from "./codec.mjs";

// milliseconds before try n; the jitter spreads the screens out
export function backoff(n, random = Math.random) {
  return Math.max(250, Math.min(2000, 250 * 2 ** n) * (0.5 + random() / 2));
}

export function line(url, signals, on) {
  let socket, heard, pinged, timer, seen, asked, tries = 0, live = false;
  const send = (raw) => socket.readyState === 1 && socket.send(raw);
  const tell = (value, type = TYPE.CONTROL) => send(encode(type, value));
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
    // who is not let in any more looks at what the box's own address says of that
    socket.onclose = ({ reason }) => (reason === "BRG401" ? on.control({ type: "error", code: reason }) : lost());
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
  const input = (value) => tell(value, TYPE.INPUT);
  return { ask: (value) => input({ type: "ask", ...value }), input, tell, send, seen: () => seen, live: () => live };
}
