// How much there was in each part of a day. The numbers are read out as a table.
import { html } from "../ui.mjs";

/** `bars`: `{ label, value, odd }`; `odd` is the part of the value that went otherwise. */
export function Bars({ label, bars, value = String }) {
  const top = Math.max(...bars.map((each) => each.value), 1), width = 100 / bars.length;
  const high = (amount) => (amount / top) * 96;
  return html`<figure class="chart"><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      ${bars.map((each, i) => html`<g key=${i}><title>${each.label}: ${value(each.value)}</title>
        <rect class="ground" x=${i * width + width * 0.15} width=${width * 0.7} y="99" height="1" />
        <rect x=${i * width + width * 0.15} width=${width * 0.7} y=${100 - high(each.value)} height=${high(each.value)} />
        <rect class="odd" x=${i * width + width * 0.15} width=${width * 0.7} y=${100 - high(each.odd ?? 0)} height=${high(each.odd ?? 0)} /></g>`)}
    </svg>
    <div class="axis" aria-hidden="true">${bars.filter((_, i) => i % 6 === 0).map((each) => html`<span key=${each.label}>${each.label}</span>`)}<span>${"24"}</span></div>
    <table class="away"><caption>${label}</caption><tbody>${bars.filter((each) => each.value).map((each) => html`<tr key=${each.label}><th scope="row">${each.label}</th><td>${value(each.value)}</td></tr>`)}</tbody></table>
  </figure>`;
}
