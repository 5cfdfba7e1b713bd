// The console: an address is a page, a page is a file, and the file is fetched when it is opened.
import { html, render, useEffect, useState } from "./ui.mjs";
import { go, usePlace } from "./core/router.mjs";
import { begin, box, session, waits } from "./core/session.mjs";
import { useStore } from "./core/store.mjs";
import { language, preferred, speak, t } from "./core/words.mjs";
import "./core/live.mjs";
import "./core/jobs.mjs";
import { Held } from "./core/held.mjs";
import { Confirms } from "./parts/dialog.mjs";
import { Frame, Leaving, Plain, showTheme } from "./parts/frame.mjs";
import { Page } from "./parts/page.mjs";
import { Empty, FaultCard, Waiting } from "./parts/states.mjs";
import { Toasts } from "./parts/toasts.mjs";
import { To } from "./parts/button.mjs";

const PAGES = [
  ["", "overview"], ["screens", "screens"], ["screens/tickets", "tickets"], ["screens/:id", "screen"], ["rooms", "rooms"], ["rooms/streams", "streams"],
  ["alerts", "alerts"], ["alerts/rules", "rules"], ["alerts/new", "new_alert"], ["collections", "collections"], ["collections/:name", "rows"], ["collections/:name/fields", "fields"],
  ["collections/:name/relations", "relations"], ["import", "import"], ["questions", "questions"], ["models", "models"], ["roles", "roles"],
  ["roles/tokens", "tokens"], ["roles/see", "see"], ["roles/:role", "role"], ["accounts", "accounts"], ["audit", "audit"], ["health", "health"], ["backups", "backups"],
  ["updates", "updates"], ["logs", "logs"], ["settings", "settings"], ["about", "about"],
];

function find(path) {
  const parts = path.split("/").slice(2);
  for (const [pattern, page] of PAGES) {
    const words = pattern ? pattern.split("/") : [];
    if (words.length !== parts.length || !words.every((word, i) => word[0] === ":" || word === parts[i])) continue;
    return { page, params: Object.fromEntries(words.map((word, i) => [word.slice(1), decodeURIComponent(parts[i])]).filter((_, i) => words[i][0] === ":")) };
  }
  return null;
}

/** The page of a file; it is kept once it was fetched. */
function Fetched({ page, params }) {
  const [state, set] = useState({});
  useEffect(() => {
    let over = false; // a file that comes late must not take the place of the page that is open by then
    const show = (found) => over || set({ page, ...found });
    import(`./pages/${page}.mjs`).then(({ default: Shown }) => show({ Shown }), () => show({ fault: { message: t("This page could not be loaded."), hint: t("The box may have been updated. Load the page again.") } }));
    return () => (over = true);
  }, [page]);
  if (state.page !== page) return html`<${Waiting} />`;
  if (state.fault) return html`<${FaultCard} fault=${state.fault} again=${() => location.reload()} />`;
  return html`<${state.Shown} key=${page + JSON.stringify(params)} ...${params} />`;
}

const Nowhere = () => html`<${Page} title=${t("There is nothing here")}><${Empty} icon="search" title=${t("No page has this address")} text=${t("It may have moved. The menu leads everywhere.")}><${To} href="/admin" kind="main">${t("To the overview")}</${To}></${Empty}></${Page}>`;

/** The page of who is signed in; unseen, but as it was, while it waits for them to sign in again. */
function Kept({ path, held }) {
  const found = find(path);
  return html`<${Held.Provider} value=${held}><div hidden=${held} inert=${held}><${Frame}>${found ? html`<${Fetched} ...${found} />` : html`<${Nowhere} />`}</${Frame}></div></${Held.Provider}>`;
}

function App() {
  const { path, hash } = usePlace(), who = useStore(session), known = useStore(box), waiting = useStore(waits), [fault, set] = useState(null);
  useStore(language); // another language is drawn in place: what somebody has typed stays
  const start = () => (set(null), begin().then(() => speak(preferred(session.get()?.language || box.get().setup?.language)), set));
  useEffect(() => void start(), []);
  const scanned = path === "/admin" && hash.startsWith("#join=");
  useEffect(() => {
    if (scanned) go(`/admin/screens${hash}`, { replace: true });
    else if (path === "/setup" && who !== null && known.state === "done" && (who || !known.setup?.reset)) go("/admin", { replace: true });
    else if (path !== "/setup" && who === false && known.state === "new") go("/setup", { replace: true });
  }, [path, scanned, who, known.state]);
  const over = html`<${Confirms} key="confirms" /><${Leaving} key="leaving" /><${Toasts} key="toasts" />`;
  if (fault) return html`<${Plain}><div class="gate" style=${{ margin: "auto" }}><${FaultCard} fault=${fault} again=${start} /></div></${Plain}>`;
  if (who === null || scanned) return html`<${Plain}><span class="away" role="status">${t("Loading …")}</span></${Plain}>`;
  if (path === "/setup" && (known.state === "new" || (!who && known.setup?.reset))) return html`<${Plain}><${Fetched} page="setup" params=${{}} /></${Plain}>${over}`;
  const whose = who ? who.name : waiting;
  return html`${whose !== null && html`<${Kept} key=${`of ${whose}`} path=${path} held=${!who} />`}
    ${!who && html`<${Plain} key="signin"><${Fetched} page="signin" params=${{}} /></${Plain}>`}${over}`;
}

showTheme();
render(html`<${App} />`, document.getElementById("app"));
