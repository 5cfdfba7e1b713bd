// Collections: what the box holds, how much of it, and who sees it.
import { html } from "../ui.mjs";
import { get } from "../core/api.mjs";
import { audiences, LEVELS } from "../core/data.mjs";
import { number } from "../core/format.mjs";
import { useLoad } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { t, tn } from "../core/words.mjs";
import { To } from "../parts/button.mjs";
import { Seek } from "../parts/field.mjs";
import { Icon } from "../parts/icon.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { Empty, Loaded } from "../parts/states.mjs";

const MANY = 8;

export default function Collections() {
  const { query } = usePlace(), wanted = query.get("q") ?? "";
  const from = useLoad(async (how) => ({ ...(await get("/api/catalog", how)), seen: await audiences(how) }), { every: 15_000 });
  const levels = Object.fromEntries(LEVELS());
  const one = (each, seen) => html`<li key=${each.name}><a class="what" href=${`/admin/collections/${each.name}`}><b>${each.label}</b><span>${tn(each.count, "one row", "{n} rows")} · ${tn(each.fields.length, "one field", "{n} fields")}${each.label !== each.name ? ` · ${each.name}` : ""}</span></a>
    <${Badge} kind=${seen[each.name] === "wall" ? "good" : ""}>${levels[seen[each.name] ?? "admin"]}</${Badge}><${Icon} name="next" turn /></li>`;
  return html`<${Page} title=${t("Collections")} lead=${t("What the box holds: rows under named fields, as they came. What is asked is looked up here.")} acts=${html`<${To} kind="main" icon="plus" href="/admin/import">${t("Import a file")}</${To}>`}>
    <${Loaded} from=${from}>${({ collections, seen }) => {
      const shown = collections.filter((each) => `${each.name} ${each.label}`.toLowerCase().includes(wanted.toLowerCase()));
      if (!collections.length) return html`<${Empty} icon="data" title=${t("The box is empty")} text=${t("Import a CSV or JSON file, or let a program send documents. Collections and fields are made as they come.")}><${To} kind="main" href="/admin/import">${t("Import a file")}</${To}></${Empty}>`;
      return html`${collections.length > MANY && html`<${Seek} label=${t("Find a collection")} value=${wanted} onValue=${(q) => setQuery({ q })} />`}
        ${shown.length ? html`<${Card} flush><ul class="list">${shown.map((each) => one(each, seen))}</ul></${Card}>` : html`<p class="soft">${t("No collection is called like that.")}</p>`}`;
    }}</${Loaded}></${Page}>`;
}
