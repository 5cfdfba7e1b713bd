// A question over the page. The browser keeps the focus inside, Escape closes it, and the focus goes back.
import { html, useContext, useEffect, useRef, useId } from "../ui.mjs";
import { Held } from "../core/held.mjs";
import { session } from "../core/session.mjs";
import { store, useStore } from "../core/store.mjs";
import { t } from "../core/words.mjs";
import { Button } from "./button.mjs";
import { FaultLine } from "./states.mjs";

export function Dialog({ title, onClose, wide = false, children }) {
  const of = useRef(null), id = useId(), held = useContext(Held);
  useEffect(() => {
    if (held) return undefined; // over the page where one signs in it would be in the way
    const box = of.current;
    box.showModal();
    box.querySelector("[autofocus], input, select, textarea, footer .btn")?.focus();
    return () => box.close(); // closed, it gives the focus back; taken away, it does not
  }, [held]);
  const cancel = (event) => (event.preventDefault(), onClose());
  return html`<dialog ref=${of} class=${wide ? "wide" : undefined} aria-labelledby=${id} onCancel=${cancel}><div>
    <header><h2 id=${id}>${title}</h2><${Button} kind="quiet" icon="close" label=${t("Close")} onClick=${onClose} /></header>
    ${children}
  </div></dialog>`;
}

/** A dialog around a form: what it does may fail, which is said in it. */
export function FormDialog({ title, onClose, onSubmit, submit, act, danger, wide, children }) {
  const [run, busy, fault] = act;
  const send = async (event) => {
    event.preventDefault();
    if (busy) return;
    const done = await run(onSubmit);
    if (done !== undefined) onClose(done);
  };
  return html`<${Dialog} title=${title} onClose=${() => onClose()} wide=${wide}><form class="stack" onSubmit=${send}>
    ${children}
    <${FaultLine} fault=${fault} />
    <footer><${Button} onClick=${() => onClose()}>${t("Cancel")}</${Button}>
      <${Button} kind=${danger ? "danger main" : "main"} type="submit" busy=${busy}>${submit}</${Button}></footer>
  </form></${Dialog}>`;
}

const asked = store(null);

/** Ask before something that cannot be taken back; true when it was said. `yes` is what it does, as a word. */
export const confirm = (question) => new Promise((answer) => asked.set({ ...question, answer }));

const say = (answer) => {
  const question = asked.get();
  asked.set(null);
  question?.answer(answer);
};
session.listen((now) => now || say(false)); // who is signed out has not said yes

export function Confirms() {
  const question = useStore(asked);
  if (!question) return null;
  return html`<${Dialog} key=${question.title} title=${question.title} onClose=${() => say(false)}>
    <p>${question.text}</p>
    <footer><${Button} onClick=${() => say(false)} autofocus>${question.no ?? t("Leave it")}</${Button}>
      <${Button} kind=${question.danger === false ? "main" : "danger main"} onClick=${() => say(true)}>${question.yes}</${Button}></footer>
  </${Dialog}>`;
}
