// Roles: whose rights there are, and what each may see and do.
import { html, useState } from "../ui.mjs";
import { put } from "../core/api.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { go } from "../core/router.mjs";
import { slug } from "../core/slug.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { FormDialog } from "../parts/dialog.mjs";
import { Choice, Text } from "../parts/field.mjs";
import { Icon } from "../parts/icon.mjs";
import { Badge, Card, Page, Tabs } from "../parts/page.mjs";
import { Loaded } from "../parts/states.mjs";
import { tell } from "../parts/toasts.mjs";

export const TABS = () => [["/admin/roles", t("Roles")], ["/admin/roles/see", t("See as")], ["/admin/roles/tokens", t("Tokens")]];
export const MEANT = () => ({ wall: t("Reads what is marked for walls. Writes nothing."), staff: t("Reads and writes what is for staff."), admin: t("Reads and writes everything, and decides what others may.") });
const nameOf = (label) => slug(label, "_", 31);

function Declare({ roles, onClose }) {
  const [label, setLabel] = useState(""), [level, setLevel] = useState("staff"), act = useAct((save) => save());
  const save = async () => {
    const name = nameOf(label);
    if (!name) throw { message: t("A name has a letter of the alphabet in it."), hint: t("Give it another one.") };
    if (roles.some((each) => each.name === name)) throw { message: t("There is a role of this name already."), hint: t("Give it another one.") };
    await put(`/api/roles/${name}`, { label: label.trim(), level });
    tell(t("{name} is a role now. Say what it sees.", { name: label }));
    return name;
  };
  return html`<${FormDialog} title=${t("A new role")} act=${act} submit=${t("Declare it")} onSubmit=${save} onClose=${onClose}>
    <${Text} label=${t("Name")} required maxlength="31" placeholder=${t("Nurse")} value=${label} onValue=${setLabel} />
    <${Choice} legend=${t("It starts with the rights of")} value=${level} onValue=${setLevel} options=${["wall", "staff", "admin"].map((each) => [each, each, MEANT()[each]])} /></${FormDialog}>`;
}

/** What limits a role, in a few words. */
function limits(role) {
  const each = Object.values(role.collections), rows = each.filter((one) => one.where?.length).length, masks = each.reduce((sum, one) => sum + Object.keys(one.masks ?? {}).length, 0), less = each.filter((one) => one.access && one.access !== "write").length;
  return [rows && tn(rows, "only some rows of one collection", "only some rows of {n} collections"), masks && tn(masks, "one field masked", "{n} fields masked"), less && tn(less, "less access to one collection", "less access to {n} collections")].filter(Boolean).join(" · ");
}

export default function Roles() {
  const from = useLoad("/api/roles"), [adds, add] = useState(false);
  return html`<${Page} title=${t("Roles and policies")} lead=${t("What a screen, an account or a program may see. The database itself keeps to it, whichever way somebody comes.")} acts=${html`<${Button} kind="main" icon="plus" onClick=${() => add(true)}>${t("New role")}</${Button}>`}>
    <${Tabs} label=${t("Roles and policies")} tabs=${TABS()} />
    <${Loaded} from=${from}>${(roles) => html`<${Card} flush><ul class="list">${roles.map((role) => html`<li key=${role.name}><a class="what" href=${`/admin/roles/${role.name}`}><b>${role.label}</b><span>${limits(role) || (role.built_in ? MEANT()[role.name] : t("As {level}, without limits.", { level: role.level }))}</span></a>
      <${Badge}>${role.built_in ? t("built in") : t("like {level}", { level: role.level })}</${Badge}><${Icon} name="next" turn /></li>`)}</ul></${Card}>`}</${Loaded}>
    ${adds && html`<${Declare} roles=${from.data ?? []} onClose=${(name) => (add(false), name && go(`/admin/roles/${name}`))} />`}</${Page}>`;
}
