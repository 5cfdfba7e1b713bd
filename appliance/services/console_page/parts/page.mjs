// The parts that every page has: a title that takes the focus, tabs, facts.
import { html, useContext, useEffect, useRef } from "../ui.mjs";
import { Held } from "../core/held.mjs";
import { usePlace } from "../core/router.mjs";
import { box } from "../core/session.mjs";
import { useStore } from "../core/store.mjs";
import { Icon } from "./icon.mjs";

let shown = "";

/** A page: `lead` says in a sentence what it is for, `acts` what can be done, `back` where it belongs. */
export function Page({ title, lead, acts, back, children }) {
  const head = useRef(null), { path } = usePlace(), name = useStore(box).name, held = useContext(Held);
  useEffect(() => {
    if (!held) document.title = `${title} · ${name}`;
  }, [title, name, held]);
  useEffect(() => {
    if (shown && shown !== path) head.current?.focus({ preventScroll: true });
    shown = path;
  }, [path]);
  return html`<div class="head"><div>
      ${back && html`<a class="back" href=${back[0]}><${Icon} name="back" turn />${back[1]}</a>`}
      <h1 ref=${head} tabindex="-1">${title}</h1>${lead && html`<p>${lead}</p>`}</div>
      ${acts && html`<div class="row">${acts}</div>`}</div>
    <div class="stack">${children}</div>`;
}

export function Card({ title, acts, flush, kind = "", children, ...more }) {
  return html`<section class=${`card ${flush ? "flush" : ""} ${kind}`} ...${more}>
    ${(title || acts) && html`<header>${title && html`<h2>${title}</h2>`}${acts}</header>`}${children}</section>`;
}

/** `tabs`: pairs of an address and a name. */
export function Tabs({ label, tabs }) {
  const { path } = usePlace();
  return html`<nav class="tabs" aria-label=${label}>${tabs.map(([to, name]) => html`<a key=${to} href=${to} aria-current=${to === path ? "page" : undefined}>${name}</a>`)}</nav>`;
}

/** `facts`: pairs of a name and a value; what has none is left out. */
export const Facts = ({ facts }) => html`<dl class="facts">${facts.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl>`;

export const Badge = ({ kind = "", children }) => html`<span class=${`badge ${kind}`}>${children}</span>`;
export const Dot = ({ kind = "", label }) => html`<span class=${`dot ${kind}`} role="img" aria-label=${label}></span>`;
