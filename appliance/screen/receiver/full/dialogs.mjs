// A dialog: a heading, what fill puts in, and a way out. The browser keeps the focus inside, and gives it back.

import { add, make, t } from "./given.mjs";
import { icon } from "./icons.mjs";

let open_ = null;

// a dialog that was closed is told of it a moment later
export const isOpen = () => !!open_?.open;
export const closeAll = () => open_?.close();

export function dialog(title, fill) {
  closeAll();
  const box = make("dialog"), head = add(box, "header"), heading = add(head, "h2", "", title), out = add(head, "button", "bare");
  heading.id = "dialog-title";
  box.setAttribute("aria-labelledby", heading.id);
  out.append(icon("close"));
  Object.assign(out, { type: "button", ariaLabel: t("Close"), onclick: () => box.close() });
  const from = document.activeElement;
  box.onclose = () => {
    box.remove();
    // the next one may be open by now
    if (open_ !== box) return;
    open_ = null;
    if (from?.isConnected) from.focus({ preventScroll: true });
  };
  // a press beside it closes it; a handler that returns false would stop every press in it
  box.addEventListener("click", (event) => event.target === box && box.close());
  fill(box, () => box.close());
  document.body.append(box);
  open_ = box;
  box.showModal();
  return box;
}

export function button(parent, name, label, press) {
  const el = add(parent, "button", name, label);
  el.type = "button";
  el.onclick = press;
  return el;
}

// a label and its control, in a line of a form
export function field(form, label, control) {
  const line = add(form, "label", "field");
  add(line, "span", "", label);
  line.append(control);
  return control;
}

export function choice(options, value) {
  const select = make("select");
  for (const [id, label] of options) select.append(Object.assign(make("option", "", label), { value: id, selected: id === value }));
  return select;
}
