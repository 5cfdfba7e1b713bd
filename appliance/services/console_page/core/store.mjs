// A value that components share: it is set anywhere, and who uses it is drawn anew.
import { useEffect, useState } from "../ui.mjs";

export function store(value) {
  const heard = new Set();
  return {
    get: () => value,
    set(next) {
      value = typeof next === "function" ? next(value) : next;
      for (const each of [...heard]) each(value);
    },
    listen(act) {
      heard.add(act);
      return () => heard.delete(act);
    },
  };
}

export function useStore(from) {
  const [value, set] = useState(from.get());
  useEffect(() => {
    set(from.get());
    return from.listen(set);
  }, [from]);
  return value;
}
