// Where in the console one is: the address decides, and going back goes back.
import { store, useStore } from "./store.mjs";

const read = () => ({ path: location.pathname.replace(/\/+$/, "") || "/", query: new URLSearchParams(location.search), hash: location.hash });
export const place = store(read());
export const usePlace = () => useStore(place);

addEventListener("popstate", () => place.set(read()));
addEventListener("hashchange", () => place.set(read()));

export function go(to, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  place.set(read());
  if (!replace) scrollTo(0, 0);
}

/** Change the address's parameters and stay: what is filtered can be linked to. */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) value === "" || value == null ? query.delete(name) : query.set(name, value);
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ""), { replace: true });
}

/** Links of the console change the page without loading it anew. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || !/^\/(admin|setup)(\/|$)/.test(to.pathname)) return;
  event.preventDefault();
  go(to.pathname + to.search + to.hash);
});
