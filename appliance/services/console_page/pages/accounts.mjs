// Accounts: people who sign in, and as what.
import { html, useState } from "../ui.mjs";
import { get, patch, post, remove } from "../core/api.mjs";
import { ago } from "../core/format.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { session, signOut } from "../core/session.mjs";
import { useStore } from "../core/store.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { Empty, Loaded } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

export const PASSWORD_HINT = () => t("At least ten characters; a few words are easy to remember.");

function Edit({ account, roles, onClose }) {
  const [name, setName] = useState(account.name ?? ""), [role, setRole] = useState(account.role ?? "staff"), [password, setPassword] = useState(""), act = useAct((save) => save());
  const save = async () => {
    if (account.name) await patch(`/api/accounts/${encodeURIComponent(account.name)}`, { ...(role !== account.role && { role }), ...(password && { password }) });
    else await post("/api/accounts", { name: name.trim(), role, password });
    tell(account.name ? t("{name} was changed.", { name }) : t("{name} can sign in now.", { name }));
    return true;
  };
  return html`<${FormDialog} title=${account.name ? t("The account {name}", { name: account.name }) : t("A new account")} act=${act} submit=${t("Save")} onSubmit=${save} onClose=${onClose}>
    <${Text} label=${t("Name")} required maxlength="64" autocomplete="off" autocapitalize="none" disabled=${!!account.name} value=${name} onValue=${setName} />
    <${Select} label=${t("Acts as")} value=${role} onValue=${setRole} options=${roles.map((each) => [each.name, each.label])} />
    <${Text} label=${account.name ? t("A new password") : t("Password")} type="password" autocomplete="new-password" minlength="10" required=${!account.name} value=${password} onValue=${setPassword} hint=${account.name ? t("Left empty, it stays. A new one ends this account's sessions at once.") : PASSWORD_HINT()} /></${FormDialog}>`;
}

export default function Accounts() {
  const from = useLoad(async (how) => ({ accounts: await get("/api/accounts", how), roles: await get("/api/roles", how) })), [edits, edit] = useState(null), me = useStore(session);
  const drop = async (account) => {
    if (!(await confirm({ title: t("Remove {name}?", { name: account.name }), text: t("Its sessions end at once. What it did stays in the audit."), yes: t("Remove it") }))) return;
    const gone = await remove(`/api/accounts/${encodeURIComponent(account.name)}`).then(() => (tell(t("{name} was removed.", { name: account.name })), true), (fault) => (tellFault(fault), false));
    gone && account.name === me.name ? signOut() : from.again(true);
  };
  return html`<${Page} title=${t("Accounts")} lead=${t("Everybody who looks after this box has an account, so that the audit says who did what.")} acts=${html`<${Button} kind="main" icon="plus" onClick=${() => edit({})}>${t("New account")}</${Button}>`}>
    <${Loaded} from=${from}>${(told) => {
      const all = told.accounts.accounts;
      return html`${all.length ? html`<${Card} flush><ul class="list">${all.map((account) => html`<li key=${account.name}><div class="what"><b>${account.name}${account.name === me.name ? ` (${t("you")})` : ""}</b><span>${account.seen_at ? t("last here {when}", { when: ago(account.seen_at) }) : t("was not here yet")}${account.sessions ? ` · ${tn(account.sessions, "signed in once", "signed in {n} times")}` : ""}</span></div><${Badge} kind=${account.role === "admin" ? "good" : ""}>${account.role}</${Badge}>
        <div class="acts"><${Button} kind="quiet" icon="edit" label=${t("Change {name}", { name: account.name })} onClick=${() => edit(account)} /><${Button} kind="quiet danger" icon="trash" label=${t("Remove {name}", { name: account.name })} onClick=${() => drop(account)} /></div></li>`)}</ul></${Card}>` : html`<${Empty} icon="people" title=${t("No accounts yet")} text=${t("You came in with the box's key. Make an account for yourself, and keep the key in a safe.")}><${Button} kind="main" icon="plus" onClick=${() => edit({ role: "admin" })}>${t("New account")}</${Button}></${Empty}>`}
        ${edits && html`<${Edit} account=${edits} roles=${told.roles} onClose=${(done) => (edit(null), done && from.again(true))} />`}`;
    }}</${Loaded}></${Page}>`;
}
