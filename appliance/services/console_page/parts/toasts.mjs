// What was done, told for a while, with a way to take it back where there is one.
import { html, useEffect, useRef } from "../ui.mjs";
import { store, useStore } from "../core/store.mjs";
import { t } from "../core/words.mjs";
import { Button } from "./button.mjs";

const SHOWN_MS = 8000;
const told = store([]);
let count = 0;

/** Tell it; `undo` takes it back. */
export const tell = (text, { undo, urgent } = {}) => told.set((all) => [...all.slice(-2), { id: ++count, text, undo, urgent }]);
/** Tell what went wrong, as a sentence and a way on. */
export const tellFault = (fault) => tell([fault.message, fault.hint].filter(Boolean).map((each) => t(each)).join(" "), { urgent: true });

function Toast({ each }) {
  const timer = useRef(0);
  const drop = () => told.set((all) => all.filter((other) => other.id !== each.id));
  const wait = () => (timer.current = setTimeout(drop, SHOWN_MS));
  useEffect(() => (wait(), () => clearTimeout(timer.current)), []);
  const undo = async () => {
    drop();
    await each.undo().catch(tellFault);
  };
  return html`<div class="toast" onMouseEnter=${() => clearTimeout(timer.current)} onMouseLeave=${wait} onFocusIn=${() => clearTimeout(timer.current)} onFocusOut=${wait}>
    <p class="grow" role=${each.urgent ? "alert" : undefined}>${each.text}</p>
    ${each.undo && html`<${Button} onClick=${undo}>${t("Undo")}</${Button}>`}
    <${Button} icon="close" label=${t("Dismiss")} onClick=${drop} /></div>`;
}

export function Toasts() {
  const all = useStore(told);
  return html`<div class="toasts" role="status" aria-live="polite">${all.map((each) => html`<${Toast} key=${each.id} each=${each} />`)}</div>`;
}
