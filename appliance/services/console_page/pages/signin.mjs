// The way in: a name and a password. Where one wanted to go is still in the address.
import { html, useState } from "../ui.mjs";
import { useAct } from "../core/load.mjs";
import { box, farewell, signIn } from "../core/session.mjs";
import { useStore } from "../core/store.mjs";
import { t } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { Text } from "../parts/field.mjs";
import { FaultLine, Note } from "../parts/states.mjs";
import { Page } from "../parts/page.mjs";

export default function SignIn() {
  const [name, setName] = useState(""), [password, setPassword] = useState(""), [run, busy, fault] = useAct(signIn);
  const why = useStore(farewell), { name: of, setup } = useStore(box);
  const send = (event) => {
    event.preventDefault();
    if (!busy) run(name.trim(), password).then((done) => done === undefined && setPassword(""));
  };
  return html`<div class="gate" style=${{ margin: "auto" }}><${Page} title=${t("Sign in")} lead=${t("To look after {name}.", { name: of })}>
    <form class="card" onSubmit=${send}>
      ${why && !fault && html`<${Note}><div role="status">${t(why)}</div></${Note}>`}
      <${Text} label=${t("Name")} name="username" autocomplete="username" autocapitalize="none" required value=${name} onValue=${setName} autofocus />
      <${Text} label=${t("Password")} name="password" type="password" autocomplete="current-password" required value=${password} onValue=${setPassword} />
      <${FaultLine} fault=${fault} />
      <${Button} kind="main" type="submit" busy=${busy}>${t("Sign in")}</${Button}>
      ${setup?.reset && html`<${Note} icon="key"><div>${t("At the box a code for a new password was made.")}</div><${To} href="/setup">${t("Use the code")}</${To}></${Note}>`}
      <details class="soft"><summary>${t("Forgotten?")}</summary><p>${t("Another admin can set a new password under Accounts. At the box itself, this makes a code for a new one:")}</p><p class="code">appliance admin reset-password</p></details>
    </form></${Page}></div>`;
}
