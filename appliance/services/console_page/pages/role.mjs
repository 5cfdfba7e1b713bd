// One role: which rows it has of each collection, what it does with them, and what is masked.
import { html, useState } from "../ui.mjs";
import { get, put, remove } from "../core/api.mjs";
import { ACCESS, MASKS, said } from "../core/data.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { go } from "../core/router.mjs";
import { t } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { asked, Conditions, entered } from "../parts/conditions.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Choice } from "../parts/field.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { Loaded, Note } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";
import { MEANT } from "./roles.mjs";

function Policy({ role, collection, onClose }) {
  const had = role.collections[collection.name] ?? {}, [access, setAccess] = useState(had.access ?? "write"), [where, setWhere] = useState(entered(had.where ?? [])), act = useAct((save) => save());
  const path = `/api/roles/${role.name}/collections/${collection.name}`, free = access === "write" && !where.length;
  const save = async () => {
    if (free) await remove(path).catch((fault) => { if (fault.code !== "PGF150") throw fault; });
    else await put(path, { access, where: access === "none" ? [] : asked(where, collection.fields) });
    tell(t("What {role} sees of {name} was changed.", { role: role.label, name: collection.label }));
    return true;
  };
  const options = [["write", t("Reads and writes"), t("As far as its level may.")], ["read", t("Reads"), t("Changes nothing.")], ["none", t("Sees nothing of it"), t("Not even that there is such a thing.")]];
  return html`<${FormDialog} wide title=${t("{role} and {name}", { role: role.label, name: collection.label })} act=${act} submit=${t("Save")} onSubmit=${save} onClose=${onClose}>
    <${Choice} legend=${t("What it does with the rows")} value=${access} onValue=${setAccess} options=${options} />
    ${access !== "none" && html`<${Conditions} legend=${t("Only rows where all of this holds")} none=${t("No condition: every row.")} fields=${collection.fields} value=${where} onValue=${setWhere} />`}</${FormDialog}>`;
}

function Line({ role, collection, onEdit }) {
  const had = role.collections[collection.name] ?? {}, masks = Object.entries(had.masks ?? {});
  const words = [ACCESS()[had.access ?? "write"], ...(had.where ?? []).map((each) => t("only where {condition}", { condition: said(each) }))].join(" · ");
  return html`<li><div class="what"><b>${collection.label}</b><span>${words}</span></div>
    ${masks.map(([field, mask]) => html`<${Badge} key=${field} kind="warn">${field}: ${MASKS()[mask] ?? mask}</${Badge}>`)}
    <div class="acts"><${To} kind="quiet" icon="eye" label=${t("See {name} as {role}", { name: collection.label, role: role.label })} href=${`/admin/roles/see?role=${role.name}&collection=${collection.name}`} /><${Button} kind="quiet" icon="edit" label=${t("Change what {role} sees of {name}", { role: role.label, name: collection.label })} onClick=${() => onEdit(collection)} /></div></li>`;
}

export default function Role({ role: name }) {
  const from = useLoad(async (how) => ({ role: await get(`/api/roles/${name}`, how), catalog: await get("/api/catalog", how) })), [edits, edit] = useState(null);
  const drop = async (role) => {
    if (!(await confirm({ title: t("Remove the role {name}?", { name: role.label }), text: t("Its tokens end at once. No data is lost."), yes: t("Remove it") }))) return;
    await remove(`/api/roles/${name}`).then(() => (tell(t("{name} was removed.", { name: role.label })), go("/admin/roles")), tellFault);
  };
  const frame = (role, children) => html`<${Page} title=${role?.label ?? name} back=${["/admin/roles", t("Roles and policies")]} lead=${role && (role.built_in ? MEANT()[role.name] : t("A role with the rights of {level} to begin with.", { level: role.level }))}
    acts=${html`<${To} icon="eye" href=${`/admin/roles/see?role=${name}`}>${t("See as this role")}</${To}>${role && !role.built_in && html`<${Button} kind="danger" icon="trash" onClick=${() => drop(role)}>${t("Remove")}</${Button}>`}`}>${children}</${Page}>`;
  if (!from.data) return frame(null, html`<${Loaded} from=${from}>${() => null}</${Loaded}>`);
  const { role, catalog } = from.data;
  return frame(role, html`${name === "admin" ? html`<${Note}><div>${t("The admin sees everything; nothing can be taken from it.")}</div></${Note}>` : html`
    <p class="soft">${t("Which fields are masked is decided at a collection's fields.")}</p>
    <${Card} flush><ul class="list">${catalog.collections.map((each) => html`<${Line} key=${each.name} role=${role} collection=${each} onEdit=${edit} />`)}</ul></${Card}>`}
    ${edits && html`<${Policy} role=${role} collection=${edits} onClose=${(done) => (edit(null), done && from.again(true))} />`}`);
}
