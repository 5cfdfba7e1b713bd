// The way to the past: the button that opens it, and the part of the page that shows it, fetched when it is opened.

import { $, add, make, put, root, still } from "./dom.mjs";
import { link, note, page, up, wall } from "./state.mjs";
import { refusal, send } from "./request.mjs";
import { t } from "./words.mjs";

const AWAKE_MS = 15000, ASK_AGAIN_MS = 60000;
let offered, sleeps, asking, loading;

const stream = () => decodeURI(location.pathname.slice(3)) || "main";
// on a wall whoever comes with keys needs nothing more than Enter
function reveal() {
  const button = $("travel");
  button.hidden = !offered || !!link().state || !!page.past || (wall() && !sleeps);
  if (wall() && document.activeElement === document.body) button.focus();
}

// whether this role has a past to look at; asked after the page is there, on a wall when somebody is at it
export function offer() {
  clearTimeout(asking);
  if (offered || link().state || (wall() && !sleeps)) return reveal();
  asking = setTimeout(async () => {
    // it is asked anew when the box is back
    if (!up()) return;
    const told = await fetch("/api/recordings", { headers: { "X-Background": 1 } }).then((it) => it.json(), () => ({}));
    offered = (told.recordings ?? []).some((it) => it.stream === (stream() === "main" ? page.own : stream()));
    reveal();
    if (!offered) asking = setTimeout(offer, ASK_AGAIN_MS);
  }, sleeps ? 0 : 1000);
}

// a wall shows the button while somebody is at it
export function wake() {
  page.touched = Date.now();
  if (!wall()) return;
  clearTimeout(sleeps);
  root.dataset.awake = "";
  sleeps = setTimeout(() => {
    sleeps = 0;
    delete root.dataset.awake;
    reveal();
  }, AWAKE_MS);
  offer();
}

// what is fetched runs only if it is what the page's policy names
export async function bring(name) {
  const texts = ["css", "js"].map(async (kind) => {
    const answer = await fetch(`/${name}.${kind}`);
    if (!answer.ok) throw new Error(name);
    return answer.text();
  });
  const [style, script] = await Promise.all(texts);
  add(document.head, "style", "", style);
  add(document.head, "script", "", script);
}

// whoever has seen the past may go there again
function ended(seen) {
  offered ||= seen;
  reveal();
}

export async function travel(at) {
  if (page.past || loading) return;
  loading = true;
  try {
    if (!self.showPast) await bring("past");
    await self.showPast({ page, stream: stream(), t: at, tr: t, $, add, make, put, refusal, root, send, still, wall, ended });
  } catch {
    note(t(self.showPast ? "The past cannot be shown." : "This page is older than the box: load it again."));
  }
  loading = false;
  reveal();
}
