// The frame around every page: where one can go, what waits, who is signed in.
import { html, useEffect, useState } from "../ui.mjs";
import { health, screens, wellness } from "../core/live.mjs";
import { usePlace } from "../core/router.mjs";
import { box, ending, leaving, session, signOut, stay } from "../core/session.mjs";
import { useStore } from "../core/store.mjs";
import { clock } from "../core/format.mjs";
import { language, LANGUAGES, speak, t, tn, w } from "../core/words.mjs";
import { Button } from "./button.mjs";
import { Dialog } from "./dialog.mjs";
import { Icon, Mark } from "./icon.mjs";
import { Tray } from "./tray.mjs";
import { Dot } from "./page.mjs";
import { Note } from "./states.mjs";

const GROUPS = [
  ["", [["", w("Overview"), "overview"]]],
  [w("Around the house"), [["screens", w("Screens"), "screen"], ["rooms", w("Rooms"), "rooms"], ["alerts", w("Alerts"), "alert"]]],
  [w("What it knows"), [["collections", w("Collections"), "data"], ["questions", w("Questions"), "question"], ["models", w("Models"), "model"]]],
  [w("Who may"), [["roles", w("Roles and policies"), "roles"], ["accounts", w("Accounts"), "people"], ["audit", w("Audit"), "audit"]]],
  [w("The box"), [["health", w("Health"), "health"], ["backups", w("Backups"), "backup"], ["updates", w("Updates"), "update"], ["logs", w("Logs"), "log"], ["settings", w("Settings"), "settings"], ["about", w("About"), "about"]]],
];

const THEME = "dreamstack-theme";
export function showTheme(theme = localStorage.getItem(THEME)) {
  if (theme) localStorage.setItem(THEME, theme), (document.documentElement.dataset.theme = theme);
}
const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export const ThemeButton = () => html`<${Button} kind="quiet" icon="theme" label=${t("Light or dark")} onClick=${() => showTheme(dark() ? "light" : "dark")} />`;

export function LanguageChoice() {
  const now = useStore(language);
  return html`<select class="btn quiet" aria-label=${t("Language")} value=${now} onChange=${(event) => speak(event.target.value, true)}>
    ${Object.entries(LANGUAGES).map(([code, name]) => html`<option key=${code} value=${code} selected=${code === now}>${name}</option>`)}</select>`;
}

const WORDS = () => ({ good: t("All is well"), warn: t("Something wants looking at"), down: t("Something is wrong") });

function Entry({ to, name, icon, here }) {
  const waits = useStore(screens)?.waiting.length ?? 0, state = wellness(useStore(health));
  const path = `/admin${to && `/${to}`}`, mine = to ? here === path || here.startsWith(`${path}/`) : here === path;
  return html`<a class="to" href=${path} aria-current=${mine ? "page" : undefined}><${Icon} name=${icon} />${t(name)}
    ${to === "screens" && waits > 0 && html`<span class="count">${waits}<span class="away">${tn(waits, "One waits to be let in", "{n} wait to be let in")}</span></span>`}
    ${to === "health" && state && state !== "good" && html`<span class="count" style=${{ background: "none" }}><${Dot} kind=${state} label=${WORDS()[state]} /></span>`}</a>`;
}

function Self() {
  const who = useStore(session);
  return html`<div class="self"><p class="who">${who?.name || t("The admin's key")}</p>
    <div class="row"><${ThemeButton} /><${LanguageChoice} /><span class="grow"></span><${Button} kind="quiet" icon="out" label=${t("Sign out")} onClick=${() => signOut()} /></div></div>`;
}

function Brand() {
  const { name } = useStore(box);
  return html`<a class="brand" href="/admin"><${Mark} /><div><b>${name}</b><span>${t("Console")}</span></div></a>`;
}

function Ending() {
  const at = useStore(ending);
  return at && html`<${Note} kind="warn" icon="warn"><div role="status">${t("Your session ends at {time}, whatever you do. Save what you are writing, and sign in again.", { time: clock(at) })}</div></${Note}>`;
}

export function Leaving() {
  const left = useStore(leaving);
  return left !== null && html`<${Dialog} title=${t("Are you still there?")} onClose=${stay}>
    <p>${tn(left, "You will be signed out in {n} second, so that nobody else uses your session.", "You will be signed out in {n} seconds, so that nobody else uses your session.")}</p>
    <footer><${Button} onClick=${() => signOut()}>${t("Sign out")}</${Button}><${Button} kind="main" onClick=${stay} autofocus>${t("Stay signed in")}</${Button}></footer></${Dialog}>`;
}

export function Frame({ children }) {
  const { path } = usePlace(), [open, set] = useState(false);
  useEffect(() => set(false), [path]);
  useEffect(() => {
    const close = (event) => event.key === "Escape" && set(false);
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);
  return html`<div class="frame">
    <a class="skip" href="#page" onClick=${(event) => (event.preventDefault(), document.querySelector("h1")?.focus())}>${t("To the page")}</a>
    <header class="top"><${Button} kind="quiet" icon="menu" label=${t("Menu")} aria-expanded=${open ? "true" : "false"} onClick=${() => set(!open)} /><${Brand} /><${ThemeButton} /></header>
    ${open && html`<button class="shade" type="button" aria-label=${t("Close the menu")} onClick=${() => set(false)}></button>`}
    <nav class=${`side${open ? " open" : ""}`} aria-label=${t("Console")}><${Brand} />
      <div class="ways">${GROUPS.map(([title, entries]) => html`<div key=${title}>${title && html`<h2>${t(title)}</h2>`}${entries.map(([to, name, icon]) => html`<${Entry} key=${to} ...${{ to, name, icon, here: path }} />`)}</div>`)}</div>
      <${Self} /></nav>
    <main class="body" id="page"><${Ending} />${children}</main>
    <${Tray} /></div>`;
}

/** A page without navigation: the way in, and the first start. */
export function Plain({ children }) {
  return html`<div class="plain"><header><${Brand} /><${LanguageChoice} /><${ThemeButton} /></header><main>${children}</main></div>`;
}
