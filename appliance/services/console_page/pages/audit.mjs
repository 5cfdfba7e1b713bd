// Who did what, when, from where. Nothing in it can be changed, and a missing line would show.
import { html, useState } from "../ui.mjs";
import { at, get } from "../core/api.mjs";
import { datetime } from "../core/format.mjs";
import { useAct, usePages } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Seek } from "../parts/field.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { Empty, FaultLine, Loaded, More, Note } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";

const words = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
const detail = (each) => [each.target, ...Object.entries(each.detail ?? {}).map(([name, value]) => `${name}: ${words(value)}`)].filter(Boolean).join(" · ");

function Checked({ told }) {
  const title = told.ok ? tn(told.entries, "One line, and none is missing.", "{n} lines, and none is missing.") : t("The audit was changed by somebody else than the box.");
  return html`<${Note} kind=${told.ok ? "" : "down"} icon=${told.ok ? "good" : "down"}><div role="status"><b>${title}</b>${told.problem && html`<p>${told.problem}</p>`}<p class="small soft mono">${told.head}</p></div></${Note}>`;
}

export default function Audit() {
  const { query } = usePlace(), q = query.get("q") ?? "", [told, tell] = useState(null);
  const from = usePages((before) => at("/api/admin/audit", { q, before, limit: 100 }), (page) => page.entries);
  const [check, busy, fault] = useAct(async () => tell(await get("/api/admin/audit/check")));
  const columns = [
    { name: "at", label: t("When"), show: (each) => html`<span class="nowrap">${datetime(each.at)}</span>` },
    { name: "who", label: t("Who"), show: (each) => html`<b>${each.who}</b>` },
    { name: "did", label: t("Did what"), show: (each) => html`${each.what || each.action}${each.status >= 400 && html` <${Badge} kind="warn">${t("refused")}</${Badge}>`}` },
    { name: "detail", label: t("With what"), show: (each) => html`<span class="soft">${detail(each)}</span>` },
    { name: "from", label: t("From"), show: (each) => html`<span class="mono small">${each.address}</span>` },
  ];
  return html`<${Page} title=${t("Audit")} lead=${t("Every change by an admin, every way in and every failed try. Lines are only ever added; each seals the one before, so that a missing one shows.")} acts=${html`<${Button} icon="roles" busy=${busy} onClick=${check}>${t("Is it whole?")}</${Button}>`}>
    ${told && html`<${Checked} told=${told} />`}<${FaultLine} fault=${fault} />
    <${Seek} label=${t("Find a line")} value=${q} onValue=${(next) => setQuery({ q: next })} />
    <${Loaded} from=${from}>${() => (from.items.length ? html`<${Card} flush><${Table} label=${t("Audit")} columns=${columns} rows=${from.items} /></${Card}><${More} from=${from} />`
      : html`<${Empty} icon="audit" title=${q ? t("No line is like that") : t("Nothing was done yet")} text=${t("What admins do shows up here.")} />`)}</${Loaded}></${Page}>`;
}
