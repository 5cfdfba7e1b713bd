// What a page says while it waits, when there is nothing, and when something is wrong: always with a way on.
import { html } from "../ui.mjs";
import { t } from "../core/words.mjs";
import { Button } from "./button.mjs";
import { Icon } from "./icon.mjs";

export const Waiting = ({ lines = 3 }) => html`<div class="bones" role="status"><span class="away">${t("Loading …")}</span>${Array.from({ length: lines }, (_, i) => html`<i key=${i}></i>`)}</div>`;

export const Empty = ({ icon, title, text, children }) => html`<div class="empty"><${Icon} name=${icon} /><h2>${title}</h2><p>${text}</p>${children}</div>`;

export const Note = ({ kind = "", icon = "about", children }) => html`<div class=${`note ${kind}`}><${Icon} name=${icon} />${children}</div>`;

/** A fault in place of what should be there. */
export function FaultCard({ fault, again }) {
  return html`<div class="note down" role="alert"><${Icon} name="down" />
    <div><b>${t(fault.message)}</b>${fault.hint && html`<p>${t(fault.hint)}</p>`}${fault.code && fault.code !== "AWAY" && html`<p class="small soft">${fault.code}</p>`}</div>
    ${again && html`<${Button} onClick=${() => again()}>${t("Try again")}</${Button}>`}</div>`;
}

/** A fault beside what is there: in a form, above a list. */
export const FaultLine = ({ fault }) => fault && html`<div class="note down" role="alert"><${Icon} name="down" /><div><b>${t(fault.message)}</b>${fault.hint && html`<p>${t(fault.hint)}</p>`}${typeof fault.details === "string" && html`<p class="small">${fault.details}</p>`}</div></div>`;

/** The way to the earlier ones of a list (usePages). */
export const More = ({ from }) => from.next && html`<div class="row"><${Button} busy=${from.growing} onClick=${() => from.more()}>${t("Show earlier ones")}</${Button}></div><${FaultLine} fault=${from.stuck} />`;

/** What is loaded: bones while it is new, a fault, or the children called with it. */
export function Loaded({ from, lines, children }) {
  if (from.data === null && from.fault) return html`<${FaultCard} fault=${from.fault} again=${from.again} />`;
  if (from.data === null) return html`<${Waiting} lines=${lines} />`;
  return html`${from.fault && html`<${FaultLine} fault=${from.fault} />`}${children(from.data)}`;
}
