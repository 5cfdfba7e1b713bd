// Relations: which field of a collection leads to which rows of another.
import { html, useState } from "../ui.mjs";
import { get, put, remove } from "../core/api.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { CollectionPage } from "../parts/collection.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Check, Select } from "../parts/field.mjs";
import { Icon } from "../parts/icon.mjs";
import { Badge, Card } from "../parts/page.mjs";
import { Empty, Loaded } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

function Declare({ name, catalog, onClose }) {
  const mine = catalog.collections.find((each) => each.name === name), others = catalog.collections;
  const [field, setField] = useState(mine?.fields[0]?.name ?? ""), [target, setTarget] = useState(others.find((each) => each.name !== name)?.name ?? name), [key, setKey] = useState("id"), [enforce, setEnforce] = useState(false), act = useAct((save) => save());
  const fields = others.find((each) => each.name === target)?.fields ?? [];
  const save = async () => {
    await put(`/flex/${name}/relations/${encodeURIComponent(field)}`, { target, target_field: key, enforce });
    tell(t("{field} leads to {target} now.", { field, target }));
    return true;
  };
  return html`<${FormDialog} title=${t("A relation from {name}", { name })} act=${act} submit=${t("Declare it")} onSubmit=${save} onClose=${onClose}>
    <${Select} label=${t("Its field")} value=${field} onValue=${setField} options=${(mine?.fields ?? []).map((each) => [each.name, each.label])} />
    <div class="fields"><${Select} label=${t("leads to")} value=${target} onValue=${(next) => (setTarget(next), setKey("id"))} options=${others.map((each) => [each.name, each.label])} />
      <${Select} label=${t("by its field")} value=${key} onValue=${setKey} options=${["id", ...fields.map((each) => each.name).filter((each) => each !== "id")]} /></div>
    <${Check} label=${t("Refuse rows that lead nowhere")} checked=${enforce} onValue=${setEnforce} /></${FormDialog}>`;
}

export default function Relations({ name }) {
  const from = useLoad(async (how) => ({ relations: await get(`/flex/${name}/relations`, how), catalog: await get("/api/catalog", how) })), [adds, add] = useState(false);
  const drop = async (each) => {
    if (!(await confirm({ title: t("Remove this relation?"), text: t("No data is lost. Questions can no longer go from {from} to {to}.", { from: each.collection, to: each.target }), yes: t("Remove it") }))) return;
    await remove(`/flex/${each.collection}/relations/${encodeURIComponent(each.field)}`).then(() => tell(t("The relation was removed.")), tellFault);
    from.again(true);
  };
  return html`<${CollectionPage} name=${name} acts=${html`<${Button} icon="link" onClick=${() => add(true)}>${t("Declare a relation")}</${Button}>`}><${Loaded} from=${from}>${(told) => html`
    ${told.relations.length ? html`<${Card} flush><ul class="list">${told.relations.map((each) => html`<li key=${`${each.collection}.${each.field}`}><${Icon} name="link" /><div class="what"><b>${each.collection}.${each.field} → ${each.target}.${each.target_field}</b><span>${each.origin === "declared" ? t("declared by {who}", { who: each.declared_by || t("an admin") }) : t("found by the box")}</span></div>
        <${Badge} kind=${each.enforced ? "good" : ""}>${each.enforced ? t("every value leads somewhere") : t("some values lead nowhere")}</${Badge}><div class="acts"><${Button} kind="quiet danger" icon="trash" label=${t("Remove {name}", { name: `${each.collection}.${each.field}` })} onClick=${() => drop(each)} /></div></li>`)}</ul></${Card}>`
      : html`<${Empty} icon="link" title=${t("No relations yet")} text=${t("The box finds them by itself where a field such as ward_id names rows of wards. You can declare one, too: then questions can go from one collection to the other.")} />`}
    ${adds && html`<${Declare} name=${name} catalog=${told.catalog} onClose=${(done) => (add(false), done && from.again(true))} />`}`}</${Loaded}></${CollectionPage}>`;
}
