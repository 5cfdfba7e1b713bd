// What is typed and chosen: each with its name, a hint, and what is wrong with it.
import { html, useEffect, useId, useRef, useState } from "../ui.mjs";
import { t } from "../core/words.mjs";
import { Icon } from "./icon.mjs";

function Around({ id, label, hint, wrong, hideLabel, children }) {
  return html`<div class="field">
    <label for=${id} class=${hideLabel ? "away" : undefined}>${label}</label>
    ${children}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${wrong && html`<p class="wrong" id=${`${id}-wrong`} role="alert">${wrong}</p>`}
  </div>`;
}

const about = (id, hint, wrong) => ({
  id,
  "aria-describedby": [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined,
  "aria-invalid": wrong ? "true" : undefined,
});

export function Text({ label, hint, wrong, hideLabel, value, onValue, big, ...more }) {
  const id = useId();
  return html`<${Around} ...${{ id, label, hint, wrong, hideLabel }}>
    <input class=${`in${big ? " big" : ""}`} ...${about(id, hint, wrong)} value=${value} onInput=${(event) => onValue(event.target.value)} ...${more} />
  </${Around}>`;
}

export function Area({ label, hint, wrong, hideLabel, value, onValue, ...more }) {
  const id = useId();
  return html`<${Around} ...${{ id, label, hint, wrong, hideLabel }}>
    <textarea class="in" ...${about(id, hint, wrong)} value=${value} onInput=${(event) => onValue(event.target.value)} ...${more}></textarea>
  </${Around}>`;
}

/** `options`: values, or pairs of a value and what it is called. */
export function Select({ label, hint, wrong, hideLabel, value, onValue, options, ...more }) {
  const id = useId(), pairs = options.map((each) => (Array.isArray(each) ? each : [each, each]));
  return html`<${Around} ...${{ id, label, hint, wrong, hideLabel }}>
    <select class="in" ...${about(id, hint, wrong)} value=${value} onChange=${(event) => onValue(event.target.value)} ...${more}>
      ${pairs.map(([key, name]) => html`<option key=${key} value=${key} selected=${key === value}>${name}</option>`)}
    </select>
  </${Around}>`;
}

export const Check = ({ label, checked, onValue, ...more }) =>
  html`<label class="check"><input type="checkbox" checked=${checked} onChange=${(event) => onValue(event.target.checked)} ...${more} /><span>${label}</span></label>`;

/** One of a few, each with a word on what it means. `options`: triples of value, name and meaning. */
export function Choice({ legend, value, onValue, options }) {
  const name = useId();
  return html`<fieldset><legend class="legend">${legend}</legend>
    ${options.map(([key, title, meaning]) => html`<label class="choice" key=${key}>
      <input type="radio" name=${name} value=${key} checked=${key === value} onChange=${() => onValue(key)} />
      <div><b>${title}</b>${meaning && html`<span>${meaning}</span>`}</div></label>`)}
  </fieldset>`;
}

/** A field to seek in a list; it answers a moment after the last key, and takes a value only where that came from elsewhere. */
export function Seek({ label, value, onValue }) {
  const id = useId(), [text, set] = useState(value), timer = useRef(0), told = useRef(value);
  useEffect(() => {
    if (value === told.current) return;
    clearTimeout(timer.current);
    set((told.current = value));
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (event) => {
    const now = event.target.value;
    set(now);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onValue((told.current = now)), 300);
  };
  return html`<div class="seek"><label class="away" for=${id}>${label}</label><${Icon} name="search" />
    <input id=${id} class="in" type="search" placeholder=${label} value=${text} onInput=${typed} /></div>`;
}

/** A file, dropped or chosen. */
export function Drop({ label, hint, accept, onFile }) {
  const id = useId(), [over, set] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    set(false);
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  };
  return html`<div class=${`drop${over ? " over" : ""}`} onDragOver=${(event) => (event.preventDefault(), set(true))} onDragLeave=${() => set(false)} onDrop=${drop}>
    <${Icon} name="file" /><label for=${id}><b>${label}</b></label>${hint && html`<p class="soft">${hint}</p>`}
    <input id=${id} type="file" accept=${accept} onChange=${(event) => event.target.files[0] && onFile(event.target.files[0])} aria-label=${label} />
    <p class="small soft">${t("or drop it here")}</p></div>`;
}
