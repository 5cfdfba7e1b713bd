// Who is signed in, until when, and what box this is.
import { get, lastUsed, onEnd, post, prove, remove } from "./api.mjs";
import { inZone } from "./format.mjs";
import { store } from "./store.mjs";
import { w } from "./words.mjs";

const BEAT_MS = 60_000;
const WARN_S = 60;
const ENDS_S = 300;
const AGAIN_MS = 3000;
const ACTED = "dreamstack-acted";

/** null while it is not known, false when nobody is. */
export const session = store(null);
/** What the box is called, and whether it was set up. */
export const box = store({ name: document.title, state: "done", setup: null });
/** Seconds until somebody who does nothing is signed out; null while there is time. */
export const leaving = store(null);
/** When the session ends whatever one does, once that is near. */
export const ending = store(null);
/** Why one was signed out, to be said where one signs in. */
export const farewell = store("");
/** Whose page waits for them to sign in again, with what they have typed; null where none does. */
export const waits = store(null);

let acted = Date.now(), shared = 0;
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
  waits.set(null);
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

let going = false;
const pause = (ms) => new Promise((go) => setTimeout(go, ms));
// whether the box has ended it, or knows it no longer
const over = (proof) => remove("/api/session", { more: { "X-CSRF-Token": proof }, signal: AbortSignal.timeout(5000) }).then(() => true, (fault) => fault.status === 401 || fault.code === "BRG482");

/** Sign out. A box that does not answer is told again and again: until then whoever has this browser is still signed in. */
export async function signOut(why = "", keeps = false) {
  const { csrf } = session.get();
  if (going) return;
  going = true;
  const gone = await over(csrf);
  going = false;
  if (!session.get()) return;
  if (gone) return leave(why, keeps);
  leave(w("You could not be signed out: the box does not answer. Close the browser, or leave this page open: it goes on trying."), keeps);
  for (;;) {
    await pause(AGAIN_MS);
    if (session.get()) return;
    if (!(await over(csrf))) continue;
    if (!session.get()) farewell.set(w("You are signed out."));
    return;
  }
}

function leave(why, keeps) {
  waits.set(keeps ? session.get().name : null);
  prove("");
  leaving.set(null);
  ending.set(null);
  farewell.set(why);
  session.set(false);
}

// while one is being signed out, what else was on its way may come back refused: that tells nothing new
onEnd(() => session.get() && !going && leave(w("You were signed out. Sign in to go on where you were."), true));

/** Stay for another while. */
export async function stay() {
  acted = Date.now();
  leaving.set(null);
  await get("/api/session").catch(() => {});
}

// what is done in one tab keeps the others
function share() {
  const other = Math.min(Number(localStorage.getItem(ACTED)) || 0, Date.now());
  if (acted > shared && acted > other) localStorage.setItem(ACTED, (shared = acted));
  acted = Math.max(acted, other);
}

/** Once a second. The box signs out by itself who does nothing. Here that is foretold, and who reads or types keeps the session. */
export function look() {
  const now = session.get();
  if (!now || !now.idle_s) return;
  share();
  const left = now.idle_s - (Date.now() - acted) / 1000, ends = (new Date(now.expires_at) - Date.now()) / 1000;
  ending.set(ends < ENDS_S ? now.expires_at : null);
  if (left <= 0) signOut(w("You were signed out because nothing happened for a while."), true);
  else leaving.set(left < WARN_S ? Math.ceil(left) : null);
  if (acted > lastUsed() && Date.now() - lastUsed() > BEAT_MS) get("/api/session").catch(() => {});
}
setInterval(look, 1000);
