// Rows under named columns; it scrolls by itself where it is wider than the page.
import { html } from "../ui.mjs";

/** `columns`: `{ name, label, sub, num, show(row) }`. */
export function Table({ label, columns, rows, id = (row, at) => row.id ?? at }) {
  return html`<div class="rows" tabindex="0" role="region" aria-label=${label}><table>
    <caption class="away">${label}</caption>
    <thead><tr>${columns.map((each) => html`<th key=${each.name} scope="col" class=${each.num ? "num" : undefined}>${each.label}${each.sub && html`<span class="type">${each.sub}</span>`}</th>`)}</tr></thead>
    <tbody>${rows.map((row, at) => html`<tr key=${id(row, at)}>${columns.map((each) => html`<td key=${each.name} class=${each.num ? "num" : undefined}>${each.show(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
