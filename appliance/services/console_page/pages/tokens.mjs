// Tokens: programs act as a role with one, for a while.
import { html, useState } from "../ui.mjs";
import { get, post, remove } from "../core/api.mjs";
import { datetime } from "../core/format.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Badge, Card, Page, Tabs } from "../parts/page.mjs";
import { Empty, Loaded, Note } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";
import { TABS } from "./roles.mjs";

const SPANS = () => [["900", t("15 minutes")], ["3600", t("an hour")], ["28800", t("eight hours")]];

function Make({ roles, onClose }) {
  const [role, setRole] = useState(roles.find((each) => each.name === "staff")?.name ?? roles[0].name), [label, setLabel] = useState(""), [ttl, setTtl] = useState("900"), act = useAct((save) => save());
  return html`<${FormDialog} title=${t("A new token")} act=${act} submit=${t("Make it")} onSubmit=${() => post("/api/tokens", { role, label, ttl_s: Number(ttl) })} onClose=${onClose}>
    <${Text} label=${t("What it is for")} required maxlength="80" placeholder=${t("Tablet 3")} value=${label} onValue=${setLabel} />
    <${Select} label=${t("Acts as")} value=${role} onValue=${setRole} options=${roles.map((each) => [each.name, each.label])} />
    <${Select} label=${t("Good for")} value=${ttl} onValue=${setTtl} options=${SPANS()} /></${FormDialog}>`;
}

export default function Tokens() {
  const from = useLoad(async (how) => ({ tokens: await get("/api/tokens", how), roles: await get("/api/roles", how) })), [makes, make] = useState(false), [made, set] = useState(null);
  const drop = async (token) => {
    if (!(await confirm({ title: t("Revoke {name}?", { name: token.label || token.jti }), text: t("Whoever uses it is refused at once; its open streams end within a second."), yes: t("Revoke it") }))) return;
    await remove(`/api/tokens/${token.jti}`).then(() => tell(t("The token was revoked.")), tellFault);
    from.again(true);
  };
  const done = (told) => (make(false), told && (set(told), from.again(true)));
  return html`<${Page} title=${t("Roles and policies")} lead=${t("A program shows a token and acts as its role, until the token runs out or is revoked.")} acts=${html`<${Button} kind="main" icon="key" onClick=${() => make(true)}>${t("New token")}</${Button}>`}>
    <${Tabs} label=${t("Roles and policies")} tabs=${TABS()} />
    ${made?.token && html`<${Note} icon="key"><div><b>${t("Copy it now: it is not shown again.")}</b><p class="code mono">${made.token}</p></div><${Button} onClick=${() => set(null)}>${t("I have it")}</${Button}></${Note}>`}
    <${Loaded} from=${from}>${({ tokens, roles }) => html`${tokens.length ? html`<${Card} flush><ul class="list">${tokens.map((token) => html`<li key=${token.jti}><div class="what"><b>${token.label || token.jti}</b><span>${t("until {when}", { when: datetime(token.expires ?? token.exp ?? token.expires_at) })}</span></div><${Badge}>${token.role}</${Badge}>
      <div class="acts"><${Button} kind="quiet danger" icon="trash" label=${t("Revoke {name}", { name: token.label || token.jti })} onClick=${() => drop(token)} /></div></li>`)}</ul></${Card}>` : html`<${Empty} icon="key" title=${t("No tokens")} text=${t("Make one for a program or a device that reads and writes through the API.")} />`}
      ${makes && html`<${Make} roles=${roles} onClose=${done} />`}`}</${Loaded}></${Page}>`;
}
