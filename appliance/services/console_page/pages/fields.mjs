// The fields of a collection: what they are, who sees them, what is shown in their place.
import { html, useRef, useState } from "../ui.mjs";
import { get, put, remove } from "../core/api.mjs";
import { audiences, LEVELS, MASKS, TYPES } from "../core/data.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { CollectionPage } from "../parts/collection.mjs";
import { confirm } from "../parts/dialog.mjs";
import { Check, Choice } from "../parts/field.mjs";
import { AddField, MaskField } from "../parts/field_dialogs.mjs";
import { Badge, Card } from "../parts/page.mjs";
import { FaultLine, Loaded, Note } from "../parts/states.mjs";
import { Table } from "../parts/table.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

async function known(name, how) {
  const [fields, roles, seen] = await Promise.all([get(`/flex/${name}/fields`, how), get("/api/roles", how), audiences(how)]);
  return { fields, roles, audience: seen[name] ?? "admin" };
}

const show = (name, body) => put(`/api/collections/${name}`, body);

function Audience({ name, told, again }) {
  const [level, set] = useState(told.audience), was = told.audience;
  const [save, busy, fault] = useAct(async () => {
    await show(name, { audience: level });
    tell(t("Who sees {name} was changed.", { name }), { undo: () => show(name, { audience: was }).then(again) });
    await again(true);
  });
  return html`<${Card} title=${t("Who sees this collection at all")}><form class="stack" onSubmit=${(event) => (event.preventDefault(), level !== was && !busy && save())}>
    <${Choice} legend=${html`<span class="away">${t("Who sees this collection at all")}</span>`} value=${level} onValue=${set} options=${LEVELS()} />
    ${level === "wall" && was !== "wall" && html`<${Note}><div>${t("On walls, only the fields that are marked below are shown.")}</div></${Note}>`}
    <${FaultLine} fault=${fault} /><div class="row end"><${Button} kind="main" type="submit" busy=${busy} disabled=${level === was}>${t("Save")}</${Button}></div></form></${Card}>`;
}

function Masks({ name, field, roles, onMask, again }) {
  const masks = roles.map((role) => [role, role.collections[name]?.masks?.[field.name] ?? role.collections[name]?.masks?.[field.label]]).filter(([, mask]) => mask);
  const path = (role) => `/api/roles/${role.name}/collections/${name}/fields/${encodeURIComponent(field.label)}`;
  const lift = async (role, mask) => {
    await remove(path(role)).then(() => tell(t("{role} reads {field} itself again.", { role: role.label, field: field.label }), { undo: () => put(path(role), { mask }).then(again) }), tellFault);
    again(true);
  };
  return html`<div class="row" style=${{ gap: ".3rem .5rem" }}>${masks.map(([role, mask]) => html`<span key=${role.name} class="badge warn">${role.label}: ${MASKS()[mask] ?? mask}<button class="btn quiet only" type="button" aria-label=${t("Lift the mask of {field} for {role}", { field: field.label, role: role.label })} onClick=${() => lift(role, mask)}>×</button></span>`)}
    <${Button} kind="quiet" icon="eye" onClick=${() => onMask(field)} aria-label=${t("Mask {field}", { field: field.label })}>${t("Mask")}</${Button}></div>`;
}

/** Which fields walls show, as ticked: each tick goes on from what the box has by then, also where several are on their way. */
function useWalls(name, again) {
  const [ticks, set] = useState({}), way = useRef(Promise.resolve()), left = useRef(0);
  const send = async (field, on) => {
    const fields = await get(`/flex/${name}/fields`);
    await show(name, { fields: fields.filter((each) => (each.name === field.name ? on : each.wall)).map((each) => each.label) });
    tell(on ? t("Walls show {field} now.", { field: field.label }) : t("Walls do not show {field} any more.", { field: field.label }), { undo: () => tick(field, !on) });
  };
  const tick = (field, on) => {
    set((all) => ({ ...all, [field.name]: on }));
    left.current += 1;
    way.current = way.current.then(() => send(field, on)).catch(tellFault).then(() => --left.current || again(true)).then(() => left.current || set({}));
    return way.current;
  };
  return [ticks, tick];
}

export default function Fields({ name }) {
  const from = useLoad((how) => known(name, how)), [adds, add] = useState(false), [masks, mask] = useState(null), types = TYPES();
  const [ticks, tick] = useWalls(name, from.again);
  const drop = async (field) => {
    if (!(await confirm({ title: t("Remove {field}?", { field: field.label }), text: t("It is computed, so no data is lost. Questions and alerts that use it stop working."), yes: t("Remove it") }))) return;
    await remove(`/flex/${name}/fields/${encodeURIComponent(field.label)}`).then(() => tell(t("{field} was removed.", { field: field.label })), tellFault);
    from.again(true);
  };
  const columns = (told) => [
    { name: "label", label: t("Field"), show: (field) => html`<b>${field.label}</b>${field.formula && html`<br /><code class="soft">= ${field.formula}</code>`}${field.label !== field.name && html`<br /><span class="small soft">${field.name}</span>`}` },
    { name: "type", label: t("Type"), show: (field) => html`${types[field.type] ?? field.type}${field.unit && html` <${Badge}>${field.unit}</${Badge}>`}` },
    { name: "wall", label: t("On walls"), show: (field) => html`<${Check} label=${html`<span class="away">${t("Walls show {field}", { field: field.label })}</span>`} checked=${ticks[field.name] ?? field.wall} onValue=${(on) => tick(field, on)} />` },
    { name: "masks", label: t("Shown to roles as"), show: (field) => html`<${Masks} name=${name} field=${field} roles=${told.roles} onMask=${mask} again=${from.again} />` },
    { name: "acts", label: html`<span class="away">${t("Actions")}</span>`, show: (field) => field.formula && html`<${Button} kind="quiet danger" icon="trash" label=${t("Remove {field}", { field: field.label })} onClick=${() => drop(field)} />` },
  ];
  const done = (changed) => (add(false), mask(null), changed && from.again(true));
  return html`<${CollectionPage} name=${name} acts=${html`<${Button} icon="plus" onClick=${() => add(true)}>${t("Add a field")}</${Button}>`}><${Loaded} from=${from}>${(told) => html`
    <${Card} flush><${Table} label=${t("Fields of {name}", { name })} columns=${columns(told)} rows=${told.fields} id=${(field) => field.name} /></${Card}>
    <${Audience} key=${told.audience} name=${name} told=${told} again=${from.again} />
    ${adds && html`<${AddField} name=${name} fields=${told.fields} onClose=${done} />`}
    ${masks && html`<${MaskField} name=${name} field=${masks} roles=${told.roles} onClose=${done} />`}`}</${Loaded}></${CollectionPage}>`;
}
