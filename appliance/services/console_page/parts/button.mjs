// Buttons, and links that look like them.
import { html } from "../ui.mjs";
import { Icon } from "./icon.mjs";

const looks = (kind, only) => ["btn", kind, only && "only"].filter(Boolean).join(" ");
const inside = (icon, busy, children) => html`${busy ? html`<i class="spin" aria-hidden="true"></i>` : icon && html`<${Icon} name=${icon} />`}${children}`;

/** `kind`: main, quiet, danger, or two of them; `busy` shows that it is being done and takes no second press. */
export function Button({ kind = "", icon, busy = false, label, children, type = "button", disabled, onClick, ...more }) {
  const press = (event) => (busy || disabled ? event.preventDefault() : onClick?.(event));
  return html`<button type=${type} class=${looks(kind, label && !children)} aria-label=${label} title=${label && !children ? label : undefined}
    aria-disabled=${busy || disabled ? "true" : undefined} onClick=${press} ...${more}>${inside(icon, busy, children)}</button>`;
}

export const To = ({ kind = "", icon, label, children, ...more }) =>
  html`<a class=${looks(kind, label && !children)} aria-label=${label} ...${more}>${inside(icon, false, children)}</a>`;
