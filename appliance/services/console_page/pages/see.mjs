// What a role or a screen sees: its rows and its signals, as the box itself gives them to it.
import { html } from "../ui.mjs";
import { at, get } from "../core/api.mjs";
import { cell } from "../core/format.mjs";
import { screens } from "../core/live.mjs";
import { useLoad } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { useStore } from "../core/store.mjs";
import { t, tn } from "../core/words.mjs";
import { Select } from "../parts/field.mjs";
import { Badge, Card, Page, Tabs } from "../parts/page.mjs";
import { Picture } from "../parts/picture.mjs";
import { Empty, Loaded, Note } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";
import { TABS } from "./roles.mjs";

const ROWS = 8;

function Collection({ role, each }) {
  const names = each.fields.map((field) => field.name);
  const from = useLoad((how) => get(at(`/rest/${each.name}`, { select: names.join(","), limit: ROWS }), { role, ...how }));
  const columns = each.fields.map((field) => ({ name: field.name, label: field.label, sub: field.masked ? t("masked") : undefined, show: (row) => cell(row[field.name], field.type) }));
  return html`<${Card} flush><${Loaded} from=${from}>${(rows) => (rows.length ? html`<${Table} label=${t("{name} as {role}", { name: each.label, role })} columns=${columns} rows=${rows} />` : html`<p class="soft" style=${{ padding: "1.2rem" }}>${t("No row of it.")}</p>`)}</${Loaded}></${Card}>`;
}

function Data({ role, wanted }) {
  const from = useLoad(at("/api/catalog", { role }));
  return html`<${Loaded} from=${from}>${({ collections }) => {
    if (!collections.length) return html`<${Empty} icon="eye" title=${t("It sees nothing")} text=${t("No collection is for this role.")} />`;
    const shown = collections.find((each) => each.name === wanted) ?? (wanted ? null : collections[0]);
    return html`<div class="row"><${Select} label=${t("Collection")} value=${shown?.name ?? ""} onValue=${(collection) => setQuery({ collection })} options=${[...(shown ? [] : [["", wanted]]), ...collections.map((each) => [each.name, each.label])]} /><span class="soft">${tn(collections.length, "It sees one collection", "It sees {n} collections")}${shown ? `; ${tn(shown.count, "one row of {name}", "{n} rows of {name}", { name: shown.label })}` : ""}.</span></div>
      ${shown ? html`<${Collection} key=${role + shown.name} role=${role} each=${shown} />` : html`<${Note} icon="eye"><div>${t("This role does not see {name} at all.", { name: wanted })}</div></${Note}>`}`;
  }}</${Loaded}>`;
}

function Signals({ asked }) {
  const from = useLoad(at("/api/admin/see", asked), { every: 5000 });
  return html`<${Card} title=${t("Signals it holds now")}><${Loaded} from=${from}>${(told) => {
    const all = Object.entries(told.signals ?? {});
    return html`<details><summary>${tn(all.length, "one signal", "{n} signals")}</summary><div class="rows" tabindex="0" role="region" aria-label=${t("Signals it holds now")}><table><tbody>${all.map(([name, value]) => html`<tr key=${name}><th scope="row" class="mono">${name}</th><td class="mono small">${JSON.stringify(value).slice(0, 300)}</td></tr>`)}</tbody></table></div></details>`;
  }}</${Loaded}></${Card}>`;
}

export default function See() {
  const { query } = usePlace(), told = useStore(screens), roles = useLoad("/api/roles"), id = query.get("screen") ?? "";
  const screen = told?.screens.find((each) => each.id === id), role = screen?.role ?? query.get("role") ?? "wall";
  const options = [...(roles.data ?? []).map((each) => [`role:${each.name}`, t("the role {name}", { name: each.label })]), ...(told?.screens ?? []).map((each) => [`screen:${each.id}`, t("the screen {name}", { name: each.name })])];
  const choose = (value) => setQuery(value.startsWith("screen:") ? { screen: value.slice(7), role: "" } : { role: value.slice(5), screen: "" });
  return html`<${Page} title=${t("Roles and policies")} lead=${t("Look through somebody else's eyes. Nothing here is made up: the box gives exactly what it would give them.")}>
    <${Tabs} label=${t("Roles and policies")} tabs=${TABS()} />
    <div class="row"><${Select} label=${t("See as")} value=${id ? `screen:${id}` : `role:${role}`} onValue=${choose} options=${options} />${screen && html`<${Badge}>${screen.role}</${Badge}>`}</div>
    <section class="card screen" style=${{ maxWidth: "38rem" }}><${Picture} key=${id + role} path=${screen ? `/api/screens/${id}/picture.png?width=960` : at("/api/admin/see/picture.png", { role, width: 960 })} alt=${screen ? t("What {name} shows now", { name: screen.name }) : t("What a wall with this role would show now")} /></section>
    <${Data} key=${role} role=${role} wanted=${query.get("collection") ?? ""} />
    <${Signals} key=${id + role} asked=${screen ? { screen: id } : { role }} />
  </${Page}>`;
}
