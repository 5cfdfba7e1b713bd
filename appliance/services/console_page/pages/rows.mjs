// The rows of a collection, a page at a time; the filter and the order are in the address.
import { html, useEffect, useRef, useState } from "../ui.mjs";
import { at, faultOf, reach } from "../core/api.mjs";
import { listed, opsOf, OPS, TYPES } from "../core/data.mjs";
import { cell, number } from "../core/format.mjs";
import { useLoad } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { CollectionPage } from "../parts/collection.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Card } from "../parts/page.mjs";
import { Empty, Loaded } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";

const PAGE = 50;
const quoted = (text) => (/[,()."\\]/.test(text) ? `"${text.replace(/(["\\])/g, "\\$1")}"` : text);

/** A filter as PostgREST takes it. */
export function restFilter(op, text) {
  if (op === "null") return "is.null";
  if (op === "like") return `ilike.*${text}*`;
  return op === "in" ? `in.(${listed(text).map(quoted).join(",")})` : `${op}.${text}`;
}

async function rowsOf(name, query) {
  const from = Number(query.get("from") ?? 0), field = query.get("field");
  const asked = { limit: PAGE, offset: from, order: query.get("order") ?? "id" };
  if (field) asked[field] = restFilter(query.get("op") ?? "eq", query.get("value") ?? "");
  const reply = await reach("GET", at(`/rest/${name}`, asked), { more: { Prefer: "count=exact" } });
  if (!reply.ok && reply.status !== 416) throw await faultOf(reply);
  const rows = reply.ok ? await reply.json() : [], total = Number(reply.headers.get("content-range")?.split("/")[1]);
  return { rows, total: Number.isFinite(total) ? total : from + rows.length, from };
}

function Filter({ fields, query }) {
  const given = query.get("field") ?? "", [field, setField] = useState(given), [op, setOp] = useState(query.get("op") ?? "eq"), [value, setValue] = useState(query.get("value") ?? "");
  useEffect(() => given || (setField(""), setValue("")), [given]);
  const type = fields.find((each) => each.name === field)?.type ?? "text";
  const send = (event) => (event.preventDefault(), setQuery(field ? { field, op, value: op === "null" ? "" : value, from: "" } : { field: "", op: "", value: "", from: "" }));
  return html`<form class="when" onSubmit=${send}>
    <${Select} label=${t("Where")} value=${field} onValue=${setField} options=${[["", t("any field")], ...fields.map((each) => [each.name, each.label])]} />
    <${Select} label=${t("Comparison")} value=${op} onValue=${setOp} options=${opsOf(type).map((each) => [each, OPS()[each]])} />
    ${op !== "null" && html`<${Text} label=${t("Value")} value=${value} onValue=${setValue} placeholder=${op === "in" ? t("one, two, three") : ""} />`}
    <${Button} type="submit" icon="search">${t("Show")}</${Button}>
    ${given && html`<${Button} kind="quiet" onClick=${() => setQuery({ field: "", op: "", value: "", from: "" })}>${t("Show all")}</${Button}>`}</form>`;
}

function Sorted({ field, query }) {
  const [by, way] = (query.get("order") ?? "id").split("."), mine = by === field.name;
  const words = mine && way !== "desc" ? t("Sort by {field}, the largest first", { field: field.label }) : t("Sort by {field}", { field: field.label });
  const turn = () => setQuery({ order: mine && way !== "desc" ? `${field.name}.desc` : field.name, from: "" });
  return html`<button class="btn quiet" style=${{ paddingInline: "0", color: "inherit" }} type="button" aria-label=${words} onClick=${turn}>${field.label}${mine ? (way === "desc" ? " ↓" : " ↑") : ""}</button>`;
}

function Pages({ told }) {
  const { from, rows, total } = told, last = from + rows.length;
  return html`<div class="row"><span class="soft grow">${t("{first} to {last} of {total}", { first: number(from + 1), last: number(last), total: number(total) })}</span>
    <${Button} icon="back" disabled=${!from} onClick=${() => setQuery({ from: Math.max(from - PAGE, 0) || "" })}>${t("Before")}</${Button}>
    <${Button} icon="next" disabled=${last >= total} onClick=${() => setQuery({ from: last })}>${t("Next")}</${Button}></div>`;
}

export default function Rows({ name }) {
  const { query } = usePlace(), types = TYPES();
  const fields = useLoad(`/flex/${name}/fields`), from = useLoad(() => rowsOf(name, query)), key = query.toString();
  const asked = useRef(key);
  useEffect(() => {
    if (asked.current === key) return;
    asked.current = key;
    from.again(from.data !== null);
  }, [key]);
  const columns = (all) => [{ name: "id", label: html`<${Sorted} field=${{ name: "id", label: "id" }} query=${query} />`, num: true, show: (row) => html`<span class="soft">${row.id}</span>` },
    ...all.map((field) => ({ name: field.name, label: html`<${Sorted} field=${field} query=${query} />`, sub: [types[field.type] ?? field.type, field.unit].filter(Boolean).join(", "), num: ["integer", "numeric"].includes(field.type), show: (row) => cell(row[field.name], field.type) }))];
  return html`<${CollectionPage} name=${name}><${Loaded} from=${fields}>${(all) => html`
    <${Filter} fields=${all} query=${query} />
    <${Loaded} from=${from} lines=${6}>${(told) => (told.rows.length ? html`<${Card} flush><${Table} label=${t("Rows of {name}", { name })} columns=${columns(all)} rows=${told.rows} /></${Card}><${Pages} told=${told} />`
      : html`<${Empty} icon="data" title=${query.get("field") ? t("No row is like that") : t("No rows yet")} text=${query.get("field") ? t("Try another value, or show all.") : t("Rows come by importing a file or from programs.")} />`)}</${Loaded}>`}</${Loaded}></${CollectionPage}>`;
}
