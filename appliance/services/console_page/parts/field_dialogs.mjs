// Dialogs of a collection's fields: add one, computed or stored, and mask one for a role.
import { html, useState } from "../ui.mjs";
import { put } from "../core/api.mjs";
import { MASKS, masksOf, TYPES } from "../core/data.mjs";
import { useAct } from "../core/load.mjs";
import { t } from "../core/words.mjs";
import { FormDialog } from "./dialog.mjs";
import { Check, Choice, Select, Text } from "./field.mjs";
import { FaultLine, Note } from "./states.mjs";
import { Button } from "./button.mjs";
import { tell } from "./toasts.mjs";

export function AddField({ name, fields, onClose }) {
  const [label, setLabel] = useState(""), [kind, setKind] = useState("formula"), [formula, setFormula] = useState(""), [type, setType] = useState("text"), [wall, setWall] = useState(false), act = useAct((save) => save());
  const path = `/flex/${name}/fields/${encodeURIComponent(label.trim())}`, body = kind === "formula" ? { formula, wall } : { type };
  const [check, checking, wrong] = useAct(() => put(`${path}?dry_run=true`, body)), [fits, setFits] = useState(null);
  const save = async () => {
    await put(path, body);
    tell(t("{field} was added to {name}.", { field: label, name }));
    return true;
  };
  const numbers = fields.filter((field) => ["integer", "numeric"].includes(field.type)).slice(0, 8);
  return html`<${FormDialog} title=${t("Add a field to {name}", { name })} act=${act} submit=${t("Add it")} onSubmit=${save} onClose=${onClose}>
    <${Text} label=${t("Name")} required maxlength="63" value=${label} onValue=${setLabel} />
    <${Choice} legend=${t("What is in it")} value=${kind} onValue=${setKind} options=${[["formula", t("It is computed"), t("From other fields of the same row; it follows them by itself.")], ["type", t("It is stored"), t("Programs and people write it. It is empty at first.")]]} />
    ${kind === "formula" ? html`<${Text} label=${t("Formula")} class="in mono" required value=${formula} onValue=${(text) => (setFormula(text), setFits(null))} placeholder="capacity - occupied" hint=${numbers.length ? t("Numbers there are: {fields}", { fields: numbers.map((field) => field.label).join(", ") }) : undefined} />
      <${Check} label=${t("Walls show it")} checked=${wall} onValue=${setWall} />
      <div><${Button} busy=${checking} disabled=${!label.trim() || !formula} onClick=${() => check().then((told) => setFits(told ?? null))}>${t("Check the formula")}</${Button}></div>
      ${fits && html`<${Note} icon="good"><div role="status">${t("It fits, and gives a {type}.", { type: TYPES()[fits.field?.type] ?? fits.field?.type ?? "" })}</div></${Note}>`}<${FaultLine} fault=${wrong} />`
      : html`<${Select} label=${t("Type")} value=${type} onValue=${setType} options=${Object.entries(TYPES())} />`}
  </${FormDialog}>`;
}

const SHOWN = { initials: "M.S.", year: "1961", last4: "…5678", rounded: "50", hidden: "–" };

export function MaskField({ name, field, roles, onClose }) {
  const others = roles.filter((role) => role.name !== "admin"), [role, setRole] = useState(others[0]?.name), [mask, setMask] = useState(masksOf(field.type)[0]), act = useAct((save) => save());
  const save = async () => {
    await put(`/api/roles/${role}/collections/${name}/fields/${encodeURIComponent(field.label)}`, { mask });
    tell(t("{role} sees {field} masked from now on.", { role: others.find((each) => each.name === role).label, field: field.label }));
    return true;
  };
  return html`<${FormDialog} title=${t("Mask {field}", { field: field.label })} act=${act} submit=${t("Mask it")} onSubmit=${save} onClose=${onClose}>
    <${Select} label=${t("For the role")} value=${role} onValue=${setRole} options=${others.map((each) => [each.name, each.label])} />
    <${Choice} legend=${t("Shown in its place")} value=${mask} onValue=${setMask} options=${masksOf(field.type).map((each) => [each, MASKS()[each], t("such as {example}", { example: SHOWN[each] })])} />
    <p class="soft small">${t("The role can neither read, filter nor sort by the field itself any more.")}</p></${FormDialog}>`;
}
