// What goes on by itself while somebody is signed in: screens come and go, and the box is well or not.
import { get } from "./api.mjs";
import { session } from "./session.mjs";
import { store } from "./store.mjs";

const AGAIN_MS = 2000;
const HEALTH_MS = 8000;

/** `{ version, join, screens, waiting, rooms }`, or null until it is known. */
export const screens = store(null);
/** `{ status, checks }`, or null; `status` is "away" when the box does not answer. */
export const health = store(null);

const rest = (ms) => new Promise((go) => setTimeout(go, ms));
// who follows; another after each signing in, so that an old question that is answered late says nothing
let following = null;
const here = (mine) => mine === following;

async function followScreens(mine) {
  for (let version = -1; here(mine); ) {
    try {
      const told = await get(`/api/screens?since=${version}&wait_s=${version < 0 ? 0 : 20}`, { quiet: true });
      version = told.version;
      if (here(mine)) screens.set(told);
    } catch {
      version = -1;
      await rest(AGAIN_MS);
    }
  }
}

/** Look at once, as after something was changed here. */
export async function lookAtHealth() {
  const reply = await fetch("/health", { headers: { "X-Background": "1" } }).catch(() => null);
  const told = await reply?.json().catch(() => null);
  health.set(told?.checks ? told : { status: "away", checks: [] });
}

async function followHealth(mine) {
  while (here(mine)) {
    if (!document.hidden) await lookAtHealth();
    await rest(HEALTH_MS);
  }
}

session.listen((now) => {
  if (!!now === !!following) return;
  following = now ? {} : null;
  if (now) followScreens(following), followHealth(following);
  else screens.set(null);
});

/** How it is in one word: good, warn or down. */
export function wellness(told) {
  if (!told) return "";
  if (told.status !== "ok") return "down";
  return told.checks.some((each) => each.state !== "ok") ? "warn" : "good";
}
