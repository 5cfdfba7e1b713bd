// Rows as a grid: sorted by a press on a column, gone through with the arrow keys, edited where this role may write.

import { add, cell, columnsOf, glow, keyed, make, put, surfaceNow, t, views } from "./given.mjs";
import { edit, editable } from "./edit.mjs";

const SHOWN = 200;
const collator = new Intl.Collator(undefined, { numeric: true });
// by answer: the column it is sorted by, and which way
const sorted = new Map();

export function compare(a, b) {
  if (a == null || b == null) return (a == null) - (b == null);
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
}

// what is empty stays last, whichever way
export function inOrder(rows, by) {
  if (!by) return rows;
  const filled = rows.filter((row) => row[by.name] != null), empty = rows.filter((row) => row[by.name] == null);
  filled.sort((a, b) => compare(a[by.name], b[by.name]) * (by.down ? -1 : 1));
  return [...filled, ...empty];
}

function turn(id, name) {
  const by = sorted.get(id);
  if (by?.name !== name) sorted.set(id, { name, down: false });
  else if (!by.down) sorted.set(id, { name, down: true });
  else sorted.delete(id);
}

export function table(box, a, few) {
  if (few || ["wall", "watch", "text"].includes(surfaceNow())) return views.table(box, a, few);
  const columns = columnsOf(a.fields, a.rows, 60);
  const by = sorted.get(a.id), again = () => table(box, box.answer);
  box.answer = a;
  if (box.firstChild?.role !== "grid") {
    box.replaceChildren();
    const grid = add(box, "table", "grid");
    grid.role = "grid";
    add(add(grid, "thead"), "tr");
    add(grid, "tbody");
    grid.onkeydown = (event) => move(grid, event, box);
    grid.onfocusin = (event) => rove(grid, event.target.closest("th, td"));
    grid.ondblclick = (event) => startEdit(box, event.target.closest("td"));
  }
  const grid = box.firstChild, head = grid.tHead.rows[0];
  grid.ariaLabel = a.question;
  keyed(head, columns, (c) => c.name, (c) => {
    const th = make("th", c.side);
    th.scope = "col";
    add(th, "button", "sort").type = "button";
    return th;
  }, (th, c) => {
    const button = th.firstChild;
    put(button, c.label ?? c.name);
    th.ariaSort = by?.name !== c.name ? "none" : by.down ? "descending" : "ascending";
    button.tabIndex = -1;
    button.onclick = () => (turn(a.id, c.name), again());
  });
  const body = grid.tBodies[0];
  keyed(body, inOrder(a.rows, by).slice(0, SHOWN), (row) => String(row.id ?? JSON.stringify(row)), () => make("tr"), (tr, row, isNew) => {
    const filled = tr.cells.length;
    tr.row = row;
    keyed(tr, columns, (c) => c.name, (c) => Object.assign(make("td", c.side), { tabIndex: -1 }), (td, c) => {
      td.column = c;
      td.classList.toggle("may", editable(a, c));
      if (td.firstElementChild) return;
      put(td, cell(c, row), filled);
    });
    if (isNew) glow(tr);
  });
  if (!grid.querySelector("[tabindex='0']")) rove(grid, head.cells[0]);
}

const stopOf = (cell) => (cell.tagName === "TH" ? cell.firstChild : cell);

function rove(grid, cell) {
  if (!cell || cell.querySelector("input, select")) return;
  for (const el of grid.querySelectorAll("[tabindex='0']")) el.tabIndex = -1;
  stopOf(cell).tabIndex = 0;
}

function startEdit(box, td) {
  const input = td?.querySelector("input, select");
  if (input) return input.focus(), input.select?.();
  if (td && editable(box.answer, td.column)) edit(box.answer, td);
}

function move(grid, event, box) {
  const cell = event.target.closest("th, td"), { key } = event;
  if (!cell || /INPUT|SELECT/.test(event.target.tagName) || event.altKey || event.metaKey) return;
  if (["Enter", "F2"].includes(key) && cell.tagName === "TD") return event.preventDefault(), startEdit(box, cell);
  const rows = [...grid.rows], y = rows.indexOf(cell.parentNode), x = cell.cellIndex, last = cell.parentNode.cells.length - 1;
  const forward = document.dir === "rtl" ? -1 : 1;
  const [dy, dx] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, forward], ArrowLeft: [0, -forward], PageDown: [10, 0], PageUp: [-10, 0] }[key] ?? [0, 0];
  let to = [y + dy, x + dx];
  if (key === "Home") to = [event.ctrlKey ? 0 : y, 0];
  else if (key === "End") to = [event.ctrlKey ? rows.length - 1 : y, last];
  else if (!dy && !dx) return;
  event.preventDefault();
  stopOf(rows[Math.min(rows.length - 1, Math.max(0, to[0]))].cells[Math.min(last, Math.max(0, to[1]))]).focus();
}
