// Push to talk: the microphone's samples go to the box as they come, and its words come back. Nothing is heard elsewhere.
//
// Hold the button and let go, or press it once and stop speaking. What the box is sure of is asked at once; the rest
// waits in the ask box with what else it may have been.

import { $, add, ask, page, put, t, text } from "./given.mjs";
import { button } from "./dialogs.mjs";
import { icon } from "./icons.mjs";

const HELD_MS = 350, LONGEST_MS = 25000, QUIET_MS = 1500, WORDS_MS = 15000, LOUD = 0.012;
const FAULTS = { NotAllowedError: "The microphone is not allowed on this page.", NotFoundError: "This device has no microphone." };

let talk, state = "", road, patience, pressed, takes = 0;

export const audioFrame = (samples, rate, first) => {
  const raw = new Uint8Array(16 + 2 * samples.length), view = new DataView(raw.buffer);
  view.setUint8(0, 0x10);
  view.setUint8(1, first ? 2 : 0);
  view.setUint16(8, rate / 100, true);
  view.setUint16(10, 1, true);
  view.setUint32(12, 2 * samples.length, true);
  samples.forEach((it, n) => view.setInt16(16 + 2 * n, Math.max(-1, Math.min(1, it)) * 32767, true));
  return raw;
};

function become(next, note = "") {
  state = next;
  clearTimeout(patience);
  $("ask").dataset.talk = next;
  talk.ariaPressed = String(next === "on");
  if (next !== "on") talk.style.removeProperty("--level");
  const told = { on: t("Listening"), working: t("Working out what you said") }[next] ?? note;
  put($("say"), told);
  put($("heard"), note);
  $("q").placeholder = next ? told : t("Ask a question");
}

// the sound on its way: frames of what is spoken, and when it fell silent
async function record(stream) {
  const context = new AudioContext(), rate = Math.round(context.sampleRate / 100) * 100;
  await context.audioWorklet.addModule("/microphone.js");
  const node = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
  let first = true, spoke = 0, quiet = performance.now();
  node.port.onmessage = ({ data }) => {
    if (state !== "on") return;
    const now = performance.now(), level = Math.sqrt(data.reduce((sum, it) => sum + it * it, 0) / data.length);
    page.door.send(audioFrame(data, rate, first));
    first = false;
    talk.style.setProperty("--level", Math.min(1, level * 8).toFixed(2));
    if (level > LOUD) {
      spoke += 1;
      quiet = now;
    }
    // whoever holds the button says when it is enough
    if (spoke > 2 && !pressed && now - quiet > QUIET_MS) end();
  };
  context.createMediaStreamSource(stream).connect(node);
  return {
    rate,
    close() {
      node.port.onmessage = null;
      stream.getTracks().forEach((it) => it.stop());
      context.close();
    },
  };
}

async function begin() {
  if (state) return;
  // browsers give the microphone to secure pages alone
  if (!navigator.mediaDevices) return become("", t("The microphone works at the box's secure address (https) only."));
  const mine = ++takes;
  become("on");
  choices([]);
  try {
    // the box makes it loud enough itself, and what takes noise away takes words along
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const found = await record(stream);
    // let go, or taken back, before there was anything to hear
    if (state !== "on" || mine !== takes) return found.close();
    road = found;
    stream.getTracks()[0].onended = end;
    patience = setTimeout(end, LONGEST_MS);
  } catch (error) {
    if (mine === takes) become("", t(FAULTS[error.name] ?? "The microphone cannot be used."));
  }
}

function end() {
  if (state !== "on") return;
  if (!road) return become("");
  letGo();
  become("working");
  patience = setTimeout(() => become("", t("The box did not say what it heard.")), WORDS_MS);
}

function letGo() {
  if (!road) return;
  page.door.send(audioFrame([], road.rate, false));
  road.close();
  road = null;
}

export function unsay() {
  if (!state) return false;
  const rate = road?.rate ?? 16000;
  road?.close();
  road = null;
  page.door.send(audioFrame([], rate, true));
  become("");
  return true;
}

function choices(others) {
  const box = $("others-heard");
  box.replaceChildren();
  for (const other of others) {
    button(box, "chip", other, () => {
      choices([]);
      become("");
      $("q").value = "";
      ask(other);
    });
  }
}

// whether a control frame was about what was spoken
export function heardWords(said) {
  if (said.type === "hello") talk.hidden = !said.listens;
  if (state !== "working" || !(said.type === "heard" || (said.type === "error" && !said.ref))) return false;
  if (said.type === "error") become("", [text(said.message), text(said.hint)].filter(Boolean).join(" "));
  else if (said.sure) {
    become("");
    ask(text(said.text));
  } else {
    become("", t("Is this what you said? Correct it, or ask."));
    $("q").value = text(said.text);
    $("q").focus();
    choices((said.others ?? []).map(text));
  }
  return true;
}

export function nameTalk() {
  talk.ariaLabel = talk.title = t("Speak your question");
}

export function buildTalk() {
  const form = $("ask");
  talk = button(form, "bare mic", "", () => {});
  talk.id = "talk";
  talk.append(icon("mic"));
  talk.hidden = !page.listens;
  $("q").after(talk);
  const told = add($("dock"), "p", "soft");
  told.id = "heard";
  const others = add($("dock"), "nav");
  others.id = "others-heard";
  others.ariaLabel = t("What else it may have been");
  form.after(told, others);
  talk.onpointerdown = (event) => {
    if (event.button) return;
    pressed = performance.now();
    if (state === "on") pressed = 0;
    begin();
    talk.setPointerCapture(event.pointerId);
  };
  talk.onpointerup = talk.onpointercancel = () => {
    const held = pressed && performance.now() - pressed > HELD_MS, began = pressed;
    pressed = 0;
    if (held || !began) end();
  };
  // keys: a click without a pointer
  talk.onclick = (event) => {
    if (!event.detail) state === "on" ? end() : begin();
  };
  talk.onkeydown = (event) => {
    if (event.key === "Escape" && unsay()) event.stopPropagation();
  };
  $("q").addEventListener("input", () => {
    if (state) return;
    put(told, "");
    choices([]);
  });
  form.addEventListener("submit", () => {
    become("");
    choices([]);
  });
  nameTalk();
}
