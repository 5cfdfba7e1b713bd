// One view per kind of answer, large in the hero and small in a card.

import { add, glow, keyed, make, put } from "./dom.mjs";
import { page } from "./state.mjs";
import { show, text, told } from "./words.mjs";

// years and numbers of rows stay as they are
export const cell = (c, row) => show(c.plain ? row[c.name]?.toString() : row[c.name], c.digits);
// the first columns, with the side their values stand at
export const columnsOf = (fields, rows, most) =>
  fields.slice(0, most).map((f) => ({ ...f, side: rows.some((row) => typeof row[f.name] === "number") ? "r" : "", digits: decimals(rows, f.name) }));
export const decimals = (rows, name) => (rows.some((row) => row[name] % 1) ? 2 : 0);

// the richer page has its own of some
export const views = {
  number(box, { view }) {
    const value = box.firstChild ?? add(box, "b"), label = value.nextSibling ?? add(box, "span"), told = show(view.value);
    put(value, told, value.textContent);
    put(label, text(view.label));
    box.style.setProperty("--n", told.length + 1);
  },
  bars(box, { rows, view: { label, value } }, few) {
    const top = Math.max(...rows.map((row) => Math.abs(row[value]) || 0)), digits = decimals(rows, value);
    const bar = () => {
      const li = make("li");
      for (const tag of ["span", "i", "b"]) add(li, tag);
      return li;
    };
    keyed(box.firstChild ?? add(box, "ol"), rows.slice(0, few ? 4 : 200), (row) => show(row[label]), bar, (li, row, isNew) => {
      const [name, track, count] = li.children, told = show(row[value], digits);
      if (isNew || (count.textContent && count.textContent !== told)) glow(li);
      put(name, show(row[label]));
      put(count, told);
      track.style.setProperty("--w", Math.abs(row[value]) / top);
    });
  },
  // what lies under the line, each row at its time
  line(box, { rows, view: { label, value } }) {
    const all = rows.filter((row) => row[label]), ends = [all[0], all.at(-1)], top = Math.max(...all.map((row) => row[value]));
    const x = (row) => new Date(row[label]) - new Date(all[0][label]);
    const at = all.map((row) => `${(100 * x(row)) / x(ends[1])}% ${100 - (100 * row[value]) / top}%`);
    if (!box.firstChild) for (const tag of ["i", "b", "b"]) add(box, tag);
    box.firstChild.style.clipPath = `polygon(0 100%, ${at}, 100% 100%)`;
    ends.map((row, i) => put(box.children[i + 1], told(show(row[label]), show(row[value]))));
  },
  table(box, { rows, fields }, few) {
    const columns = columnsOf(fields, rows, few ? 2 : 60);
    const cells = (tag, say) => {
      const tr = make("tr");
      for (const c of columns) add(tr, tag, c.side, say(c));
      return tr;
    };
    if (!box.firstChild) {
      const table = add(box, "table");
      add(table, "thead").append(cells("th", (c) => c.label ?? c.name));
      add(table, "tbody");
    }
    keyed(box.firstChild.lastChild, rows.slice(0, few ? 3 : 200), (row) => String(row.id ?? JSON.stringify(Object.values(row).filter((it) => typeof it !== "number"))), () => cells("td", () => ""), (tr, row, isNew) => {
      const filled = tr.textContent;
      columns.forEach((c, i) => put(tr.cells[i], cell(c, row), filled));
      if (isNew) glow(tr);
    });
  },
};
export function figure(box, a, few) {
  const mark = a.id + a.kind + JSON.stringify(a.fields);
  if (box.mark !== mark) box.replaceChildren();
  box.mark = mark;
  box.className = "fig " + a.kind;
  (page.full?.views[a.kind] ?? views[a.kind])?.(box, a, few);
}
