// The first start: a code that only who stands at the box can read, an account, what the house is called, and data.
import { html, useState } from "../ui.mjs";
import { Fault, faultOf, get, post, reach } from "../core/api.mjs";
import { useAct } from "../core/load.mjs";
import { go } from "../core/router.mjs";
import { box, setUp } from "../core/session.mjs";
import { useStore } from "../core/store.mjs";
import { language, LANGUAGES, speak, t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Choice, Drop, Select, Text } from "../parts/field.mjs";
import { Card, Page } from "../parts/page.mjs";
import { FaultLine } from "../parts/states.mjs";
import { JOINS } from "./settings.mjs";
import { PASSWORD_HINT } from "./accounts.mjs";
import { Progress } from "../parts/tray.mjs";

const STEPS = () => [t("Code"), t("Account"), t("House"), t("Data")];
const TITLES = () => [t("Welcome"), t("Your account"), t("Your house"), t("What is in it")];
const LEADS = () => [t("This box is new. To make sure that it is you who sets it up, it shows a code."), t("With it you look after the box. There is no other password, and nobody else knows this one."), t("What stands on the screens, and how they come in. All of it can be changed later."), t("Begin with your own data, look around with a demo, or bring a box back from its backup.")];
const LOOK_MS = 2000;
const zones = () => (Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : ["UTC"]);

function Code({ state, of }) {
  return html`<${Text} big label=${t("Setup code")} required autocomplete="off" autocapitalize="characters" spellcheck=${false} maxlength="9" placeholder="XXXX-XXXX" ...${of("code")} />
    <details class="soft"><summary>${t("Where do I find it?")}</summary><p>${t("On the display at the box, and in what it prints when it starts. At the box itself this shows it, too:")}</p><p class="code">appliance admin setup-code</p></details>`;
}

function Account({ state, of }) {
  const differ = state.again && state.again !== state.password;
  return html`<${Text} label=${t("Your name")} required maxlength="64" autocomplete="username" autocapitalize="none" placeholder="maria" ...${of("name")} />
    <${Text} label=${t("Password")} type="password" required minlength="10" autocomplete="new-password" hint=${PASSWORD_HINT()} ...${of("password")} />
    <${Text} label=${t("The password again")} type="password" required autocomplete="new-password" wrong=${differ ? t("The two passwords differ.") : ""} ...${of("again")} />`;
}

function House({ state, of }) {
  const all = [...new Set([state.timezone, "UTC", ...zones()])];
  return html`<${Text} label=${t("What the house is called")} required maxlength="80" placeholder=${t("St. Brigid Hospital")} ...${of("facility")} />
    <div class="fields"><${Select} label=${t("Timezone")} options=${all} ...${of("timezone")} /><${Select} label=${t("Language")} options=${Object.entries(LANGUAGES)} value=${useStore(language)} onValue=${(code) => speak(code, true)} /></div>
    <${Choice} legend=${t("How screens come in")} options=${JOINS().slice(0, 3).map(([key, name]) => [key, name])} ...${of("join")} />`;
}

function Data({ state, of, setup, change }) {
  const demos = { hospital: [t("Look around with a hospital"), t("Wards, beds, patients and devices, all invented.")], lawfirm: [t("Look around with a law firm"), t("Cases, hours and invoices, all invented.")] };
  const empty = [["empty", t("Begin empty"), t("Your own data: files you import, programs that send.")], ...(setup?.demos ?? []).filter((name) => demos[name]).map((name) => [name, ...demos[name]])];
  const full = [["keep", t("Keep what is there"), t("The box holds data already.")]];
  const options = [...(setup?.data === "some" ? full : empty), ["restore", t("Restore a backup"), t("Another box goes on here: its data, screens and accounts.")]];
  return html`<${Choice} legend=${t("Data")} options=${options} ...${of("data")} />
    ${state.data === "restore" && html`<${Drop} label=${state.file ? state.file.name : t("Choose the backup")} hint=${t("The accounts and settings of the backup are used; what you entered here is not.")} onFile=${(file) => change({ file })} />
      <${Text} label=${t("Its passphrase, if it has one")} type="password" autocomplete="off" ...${of("passphrase")} />`}`;
}

const rest = (ms) => new Promise((go) => setTimeout(go, ms));

/** Send the backup, and wait until the box has become the one in it; meanwhile it does not answer. */
async function restore(state, began) {
  const reply = await reach("POST", "/api/setup/restore", { body: state.file, more: { "X-Setup-Code": state.code, "X-Passphrase": encodeURIComponent(state.passphrase) } });
  if (!reply.ok) throw await faultOf(reply);
  began(true);
  for (;;) {
    await rest(LOOK_MS);
    const told = await get("/api/setup", { quiet: true }).catch(() => null);
    if (told?.restore?.state === "failed") throw (began(false), new Fault(told.restore.error));
    if (told?.restore?.state === "done") return location.assign("/admin");
  }
}

export default function Setup() {
  const { setup } = useStore(box), guess = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [step, setStep] = useState(0), [state, set] = useState({ code: "", name: "", password: "", again: "", facility: "", timezone: setup?.timezone || guess || "UTC", join: "approve", data: setup?.data === "some" ? "keep" : "empty", passphrase: "", file: null }), [restores, setRestores] = useState(false);
  const change = (changes) => set({ ...state, ...changes }), of = (name) => ({ value: state[name], onValue: (value) => change({ [name]: value }) });
  const [finish, busy, fault] = useAct(async () => {
    if (state.data === "restore") return restore(state, setRestores);
    const { code, name, password, facility, timezone, join, data } = state;
    if (reset) return setUp(await post("/api/setup", { code, name: name.trim(), password })), go("/admin", { replace: true });
    setUp(await post("/api/setup", { code, name: name.trim(), password, facility: facility.trim(), timezone, language: language.get(), join, data }));
    return go("/admin", { replace: true });
  });
  const reset = !!setup?.reset, last = step === (reset ? 1 : STEPS().length - 1), wrong = step === 1 && state.password !== state.again, bare = last && state.data === "restore" && !state.file;
  const next = (event) => (event.preventDefault(), wrong || busy || bare || (last ? finish() : setStep(step + 1)));
  const Shown = [Code, Account, House, Data][step];
  if (restores) return html`<div class="setup" style=${{ margin: "auto" }}><${Page} title=${t("The backup is being restored")} lead=${t("It takes some minutes; then sign in with an account of that box.")}><${Card}><${Progress} label=${t("Restore")} /></${Card}></${Page}></div>`;
  return html`<div class="setup" style=${{ margin: "auto" }}>
    <ol class="steps" aria-label=${t("Steps")}>${STEPS().slice(0, reset ? 2 : 4).map((name, i) => html`<li key=${i} class=${i <= step ? "done" : ""} aria-current=${i === step ? "step" : undefined}>${name}</li>`)}</ol>
    <${Page} title=${reset ? t("A new password") : TITLES()[step]} lead=${reset ? t("A code was made at the box. With it an admin gets a new password.") : LEADS()[step]}><form class="card" onSubmit=${next}>
      <${Shown} key=${step} ...${{ state, of, setup, change }} />
      <${FaultLine} fault=${fault} />
      ${fault?.code === "BRG486" && step > 0 ? html`<div><${Button} onClick=${() => setStep(0)}>${t("Back to the code")}</${Button}></div>` : null}
      <div class="row">${step > 0 && html`<${Button} kind="quiet" icon="back" onClick=${() => setStep(step - 1)}>${t("Back")}</${Button}>`}<span class="grow"></span><${Button} kind="main" type="submit" busy=${busy}>${last ? t("Start") : t("Go on")}</${Button}></div>
    </form></${Page}></div>`;
}
