// Long work: the box's own, and what this page does itself. It goes on while one looks at other pages.
import { get, remove } from "./api.mjs";
import { session } from "./session.mjs";
import { store } from "./store.mjs";
import { w } from "./words.mjs";

const FAST_MS = 1200;
const SLOW_MS = 20_000;

export const NAMES = { backup: w("Backup"), drill: w("Restore drill"), restore: w("Restore"), import: w("Import"), model: w("Model"), update: w("Update") };

const ofBox = store([]);
const own = store([]);
/** All work, the newest first: `{ id, kind, state, progress, said, result, error }`. */
export const jobs = store([]);
const heard = new Map();
const join = () => jobs.set([...own.get(), ...ofBox.get()]);
ofBox.listen(join);
own.listen(join);

export const goesOn = (job) => job.state === "running" || job.state === "waiting";

let timer = 0;
export async function look() {
  clearTimeout(timer);
  if (!session.get()) return;
  try {
    const told = await get("/api/admin/jobs", { quiet: true });
    const all = told.jobs;
    ofBox.set(all);
    for (const job of all) if (!goesOn(job) && heard.has(job.id)) heard.get(job.id)(job), heard.delete(job.id);
  } catch { /* it is asked again */ }
  clearTimeout(timer);
  timer = setTimeout(look, ofBox.get().some(goesOn) || heard.size ? FAST_MS : SLOW_MS);
}
session.listen((now) => now && look());

/** Follow a job that was started: resolves once it has ended. */
export function ended(job) {
  const told = new Promise((done) => heard.set(job.id, done));
  look();
  return told;
}

export const cancel = async (job) => (job.cancel ? job.cancel() : remove(`/api/admin/jobs/${job.id}`).then(look));

let count = 0;
/** Work of this page: `act(report, signal)`; `report(progress, said)` shows how far it is. */
export async function work(kind, said, act) {
  const stop = new AbortController(), id = `page-${++count}`;
  const change = (changes) => own.set((all) => all.map((each) => (each.id === id ? { ...each, ...changes } : each)));
  own.set((all) => [{ id, kind, state: "running", progress: null, said, cancel: () => stop.abort() }, ...all].slice(0, 8));
  try {
    const result = await act((progress, words) => change({ progress, said: words ?? said }), stop.signal);
    change({ state: "done", progress: 1, cancel: undefined });
    return result;
  } catch (fault) {
    change(stop.signal.aborted ? { state: "cancelled", cancel: undefined } : { state: "failed", error: fault, cancel: undefined });
    throw fault;
  }
}

/** Take what has ended off the tray. */
export const clear = () => {
  own.set((all) => all.filter(goesOn));
  cleared.set((all) => new Set([...all, ...ofBox.get().filter((each) => !goesOn(each)).map((each) => each.id)]));
};
export const cleared = store(new Set());
