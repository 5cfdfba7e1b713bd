// A file becomes rows: chosen, looked at without writing, and then stored, all of it or nothing.
import { html, useState } from "../ui.mjs";
import { at, Fault, faultOf, lines, reach } from "../core/api.mjs";
import { TYPES } from "../core/data.mjs";
import { number, size } from "../core/format.mjs";
import { work } from "../core/jobs.mjs";
import { useAct } from "../core/load.mjs";
import { usePlace } from "../core/router.mjs";
import { slug } from "../core/slug.mjs";
import { t, tn } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { Check, Drop, Select, Text } from "../parts/field.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { FaultLine, Note } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";
import { Progress } from "../parts/tray.mjs";

const KINDS = { csv: "csv", tsv: "csv", txt: "csv", json: "json", jsonl: "ndjson", ndjson: "ndjson" };
const nameOf = (file) => slug(file.replace(/\.[a-z]+$/i, ""), "_", 50) || "rows";

/** Send the file; `hear` gets how far it is. The last line of the answer says what came of it. */
async function send(file, to, options, hear, signal) {
  const reply = await reach("POST", at(`/flex/${to}/import`, options), { body: file, signal });
  if (!reply.ok) throw await faultOf(reply);
  let report = null, error = null;
  await lines(reply, (event) => (event.event === "done" ? (report = event.report) : event.event === "error" ? (error = event.error) : hear(event)));
  if (error || !report) throw new Fault(error ?? { message: t("The import ended early; nothing was stored."), hint: t("Try again.") });
  return report;
}

function Found({ report }) {
  const types = TYPES(), states = { new: t("new"), there: t("is there"), wider: t("becomes wider"), empty: t("empty: left out") };
  const columns = [
    { name: "label", label: t("Column"), show: (field) => html`<b>${field.label}</b>${field.column && field.column !== field.label && html`<br /><span class="small soft mono">${field.column}</span>`}` },
    { name: "type", label: t("Type"), show: (field) => html`${types[field.type] ?? field.type ?? "–"}${field.was && html` <span class="soft">${t("(was {type})", { type: types[field.was] ?? field.was })}</span>`}` },
    { name: "state", label: t("In the collection"), show: (field) => html`<${Badge} kind=${field.state === "new" ? "good" : field.state === "wider" ? "warn" : ""}>${states[field.state] ?? field.state}</${Badge}>` },
    { name: "count", label: t("Values"), num: true, show: (field) => number(field.count) },
    { name: "examples", label: t("Examples"), show: (field) => html`<span class="soft">${field.examples.join(", ")}</span>` },
  ];
  return html`<${Card} flush><${Table} label=${t("What was found in the file")} columns=${columns} rows=${report.fields} id=${(field) => field.label} /></${Card}>`;
}

const Bad = ({ bad }) => bad.length > 0 && html`<${Card} title=${t("Lines that cannot be read")}><ul class="stack tight">${bad.slice(0, 20).map((each) => html`<li key=${each.line}>${t("Line {line}:", { line: number(each.line) })} <span class="soft">${each.reason}</span></li>`)}</ul></${Card}>`;

function Choose({ onFile }) {
  return html`<${Card}><${Drop} label=${t("Choose a file")} hint=${t("CSV, or JSON: a list of objects, or one per line. Nothing is written before you have seen what was found.")} accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson" onFile=${onFile} /></${Card}>`;
}

function Done({ report, onMore }) {
  return html`<${Card}><div class="row"><${Badge} kind="good">${t("Stored")}</${Badge}><h2 class="grow">${tn(report.rows, "One row is in {name}.", "{n} rows are in {name}.", { name: report.collection })}</h2></div>
    ${report.skipped > 0 && html`<p>${tn(report.skipped, "One line was left out.", "{n} lines were left out.")}</p>`}
    <p class="soft">${t("Screens and alerts have heard of them already. At first only staff and admins see a new collection.")}</p>
    <div class="row"><${To} kind="main" href=${`/admin/collections/${report.collection}`}>${t("Look at the rows")}</${To}><${To} href=${`/admin/collections/${report.collection}/fields`}>${t("Decide who sees what")}</${To}><${Button} kind="quiet" onClick=${onMore}>${t("Another file")}</${Button}></div></${Card}><${Bad} bad=${report.bad} />`;
}

function Look({ file, onLeave, onDone, to }) {
  const [name, setName] = useState(to || nameOf(file.name)), [encoding, setEncoding] = useState(""), [skip, setSkip] = useState(false), [how, setHow] = useState(null), [report, setReport] = useState(null);
  const options = { format: KINDS[file.name.split(".").pop().toLowerCase()] ?? "csv", encoding, skip_bad: skip ? "true" : "" };
  const far = (event) => setHow({ of: Math.min(event.bytes / file.size, 1), rows: event.rows });
  const [look, looking, wrong] = useAct(async () => setReport(await send(file, name, { ...options, dry_run: "true" }, far)));
  const [store, storing, failed] = useAct(() => work("import", t("{file} into {name}", { file: file.name, name }), async (report, signal) => {
    onDone(await send(file, name, options, (event) => (far(event), report(event.bytes / file.size, tn(event.rows, "one row read", "{n} rows read"))), signal));
  }));
  const changed = (set) => (value) => (set(value), setReport(null));
  const busy = looking || storing, bad = wrong?.details?.bad;
  return html`<${Card} title=${file.name} acts=${html`<span class="soft">${size(file.size)}</span><${Button} kind="quiet" onClick=${onLeave}>${t("Another file")}</${Button}>`}>
      <form class="stack" onSubmit=${(event) => (event.preventDefault(), busy || (report ? store() : look()))}>
        <div class="fields"><${Text} label=${t("Into the collection")} required pattern="[a-z][a-z0-9_]*" title=${t("lower-case letters, digits and underscores, a letter first")} value=${name} onValue=${changed(setName)} disabled=${busy} />
          <${Select} label=${t("Letters are written in")} value=${encoding} onValue=${changed(setEncoding)} options=${[["", t("UTF-8 (usual)")], ["cp1252", "Windows-1252"], ["iso-8859-1", "ISO 8859-1"], ["iso-8859-15", "ISO 8859-15"], ["utf-16", "UTF-16"]]} /></div>
        <${Check} label=${t("Leave lines out that cannot be read")} checked=${skip} onValue=${changed(setSkip)} />
        <${FaultLine} fault=${wrong ?? failed} />
        ${busy && html`<${Progress} of=${how?.of} label=${storing ? t("Storing") : t("Reading the file")} />`}
        <div class="row end">${report && html`<span class="grow soft" role="status">${tn(report.rows, "One row would be stored", "{n} rows would be stored")}${report.new ? ` (${t("a new collection")})` : ""}. ${t("Nothing was written yet.")}</span>`}
          <${Button} kind="main" type="submit" busy=${busy}>${report ? t("Store them") : t("Look into it")}</${Button}></div>
      </form></${Card}>
    <${Bad} bad=${report?.bad ?? bad ?? []} />${report && html`<${Found} report=${report} />`}`;
}

export default function Import() {
  const to = usePlace().query.get("to") ?? "", [file, setFile] = useState(null), [done, setDone] = useState(null);
  const anew = () => (setFile(null), setDone(null));
  return html`<${Page} title=${t("Import a file")} back=${[to ? `/admin/collections/${to}` : "/admin/collections", to || t("Collections")]} lead=${t("All rows of the file become rows of a collection, or none.")}>
    ${done ? html`<${Done} report=${done} onMore=${anew} />` : file ? html`<${Look} key=${file.name + file.lastModified} file=${file} to=${to} onLeave=${anew} onDone=${setDone} />` : html`<${Choose} onFile=${setFile} />`}
    ${!file && html`<${Note}><div>${t("From a terminal or a program the same is done by")} <code>appliance import</code> ${t("and")} <code>POST /flex/…/import</code>.</div></${Note}>`}
  </${Page}>`;
}
