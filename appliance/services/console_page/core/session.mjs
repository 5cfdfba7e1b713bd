// Who is signed in, until when, and what box this is.
import { get, lastUsed, onEnd, post, prove, remove } from "./api.mjs";
import { inZone } from "./format.mjs";
import { store } from "./store.mjs";
import { w } from "./words.mjs";

const BEAT_MS = 60_000;
const WARN_S = 60;

/** null while it is not known, false when nobody is. */
export const session = store(null);
/** What the box is called, and whether it was set up. */
export const box = store({ name: document.title, state: "done", setup: null });
/** Seconds until somebody who does nothing is signed out; null while there is time. */
export const leaving = store(null);
/** Why one was signed out, to be said where one signs in. */
export const farewell = store("");

let acted = Date.now();
for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(kind, () => (acted = Date.now()), { passive: true });

export async function begin() {
  const setup = await get("/api/setup", { quiet: true }).catch(() => null);
  if (setup) box.set((old) => ({ ...old, state: setup.state, name: setup.box || old.name, setup }));
  try {
    enter(await get("/api/session"));
  } catch (fault) {
    if (fault.code === "AWAY" || fault.status >= 500) throw fault;
    session.set(false);
  }
}

function enter(told) {
  prove(told.csrf);
  inZone(told.timezone);
  acted = Date.now();
  farewell.set("");
  if (told.box || told.facility) box.set((old) => ({ ...old, name: told.facility || told.box || old.name }));
  session.set(told.role === "admin" ? told : false);
}

export async function signIn(name, password) {
  enter(await post("/api/session", { name, password }));
  if (!session.get()) farewell.set(w("The console is for the admin's account. Sign in with one."));
}

/** After the first start: the answer to it is a session, too. */
export function setUp(told) {
  box.set((old) => ({ ...old, state: "done" }));
  enter(told);
}

export async function signOut(why = "") {
  await remove("/api/session").catch(() => {});
  leave(why);
}

function leave(why) {
  prove("");
  leaving.set(null);
  farewell.set(why);
  session.set(false);
}

onEnd(() => session.get() && leave(w("You were signed out. Sign in to go on where you were.")));

/** Stay for another while. */
export async function stay() {
  acted = Date.now();
  leaving.set(null);
  await get("/api/session").catch(() => {});
}

// The box signs out by itself who does nothing. Here that is foretold, and who reads or types keeps the session.
setInterval(() => {
  const now = session.get();
  if (!now || !now.idle_s) return;
  const left = now.idle_s - (Date.now() - acted) / 1000;
  if (left <= 0) signOut(w("You were signed out because nothing happened for a while."));
  else leaving.set(left < WARN_S ? Math.ceil(left) : null);
  if (acted > lastUsed() && Date.now() - lastUsed() > BEAT_MS) get("/api/session").catch(() => {});
}, 1000);
