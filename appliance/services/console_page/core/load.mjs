// What a page shows comes from the box: loaded, kept fresh, or a fault with a way to try again.
import { useCallback, useContext, useEffect, useRef, useState } from "../ui.mjs";
import { get } from "./api.mjs";
import { Held } from "./held.mjs";

/** `{ data, fault, loading, again }` of an address, or of a function that returns a promise; `every` ms it is asked anew. */
export function useLoad(from, { every = 0, when = true } = {}) {
  const [state, set] = useState({ data: null, fault: null, loading: true });
  const latest = useRef(from), round = useRef(0), held = useContext(Held), slept = useRef(false);
  latest.current = from;
  const key = typeof from === "string" ? from : "";
  const load = useCallback(async (quiet = false) => {
    const mine = ++round.current;
    if (!quiet) set((old) => ({ ...old, loading: true }));
    try {
      const source = latest.current;
      const data = typeof source === "string" ? await get(source, { quiet }) : await source({ quiet });
      if (mine === round.current) set({ data, fault: null, loading: false });
    } catch (fault) {
      if (mine === round.current) set((old) => ({ data: quiet || fault.code === "AWAY" || fault.status === 401 ? old.data : null, fault, loading: false }));
    }
  }, []);
  useEffect(() => {
    if (when) load();
  }, [key, when]);
  useEffect(() => {
    if (slept.current && !held && when) load(true);
    slept.current = held;
  }, [held]);
  useEffect(() => {
    if (!every || !when || held) return undefined;
    const timer = setInterval(() => document.hidden || load(true), every);
    return () => clearInterval(timer);
  }, [every, key, when, held]);
  return { ...state, again: load };
}

/** Something that is done once asked for: `[do, busy, fault, clear]`. */
export function useAct(act) {
  const [state, set] = useState({ busy: false, fault: null });
  const run = async (...given) => {
    set({ busy: true, fault: null });
    try {
      const result = await act(...given);
      set({ busy: false, fault: null });
      return result ?? true;
    } catch (fault) {
      set({ busy: false, fault: fault.name === "AbortError" ? null : fault }); // who stopped it knows
      return undefined;
    }
  };
  return [run, state.busy, state.fault, () => set({ busy: false, fault: null })];
}

/** Lists that grow page by page: `{ items, more, next, ... }`; `path(before)` is a page's address. */
export function usePages(path, read = (told) => told.items ?? told) {
  const first = path(null);
  const start = useLoad(first);
  const [added, add] = useState({ of: first, items: [], next: undefined });
  const mine = added.of === first ? added : { items: [], next: undefined };
  const items = start.data ? [...read(start.data), ...mine.items] : [];
  const next = mine.next === undefined ? start.data?.next ?? null : mine.next;
  const [more, growing, stuck] = useAct(async () => {
    const told = await get(path(next));
    add({ of: first, items: [...mine.items, ...read(told)], next: told.next ?? null });
  });
  // what was added went on from a first page that is another one then
  const again = (quiet) => (add({ of: first, items: [], next: undefined }), start.again(quiet));
  return { ...start, again, items, next, more, growing, stuck };
}
