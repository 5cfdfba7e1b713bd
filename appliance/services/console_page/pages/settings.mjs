// Settings: what the box is called and how it behaves; where each comes from, and what wants a restart.
import { html, useState } from "../ui.mjs";
import { get, patch, post } from "../core/api.mjs";
import { ended } from "../core/jobs.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { LANGUAGES, t, w } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Badge, Card, Page } from "../parts/page.mjs";
import { FaultLine, Loaded, Note } from "../parts/states.mjs";
import { tell } from "../parts/toasts.mjs";

export const JOINS = () => [["approve", t("They show a code, and an admin lets them in")], ["ticket", t("Only with a ticket")], ["open", t("Everybody in the house, as a wall")], ["auto", t("As the network asks for: codes on a network, open on this machine alone")]];
const NAMES = { facility: w("Facility"), box_name: w("Name of the box"), timezone: w("Timezone"), language: w("Language"), join: w("How screens come in"), session_idle_minutes: w("Sign out after minutes without a sign of life"), questions_days: w("Days that questions are kept"), record_days: w("Days that recordings are kept"), record_bytes: w("Bytes that recordings may take"), digest_at: w("When the day is summed up"), answers_kept: w("Answers that stay on the screens"), speech_voice: w("Voice that speaks answers") };
const SOURCES = { default: w("as shipped"), "settings.toml": w("from settings.toml"), environment: w("from the environment"), "command line": w("from the command line"), console: w("set here"), deployment: w("from the deployment") };
const zones = () => (Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : []);

function choices(setting) {
  if (setting.name === "join") return JOINS();
  if (setting.name === "language") return Object.entries(LANGUAGES);
  if (setting.name === "timezone") return [["", t("The machine's own")], ...[...new Set(["UTC", setting.value, ...zones()])].filter(Boolean)];
  return setting.choices?.length ? setting.choices : null;
}

// what the box takes at least; there is no empty number
const LEAST = { session_idle_minutes: 1, answers_kept: 1 };
const kindOf = ({ name, value, kind }) => (typeof value === "number" ? { type: "number", required: true, min: LEAST[name] ?? 0, step: kind === "float" ? "any" : 1 } : { type: "text" });

function One({ setting, value, onValue }) {
  const label = t(NAMES[setting.name] ?? setting.label ?? setting.name), fixed = !setting.changeable;
  const from = t(SOURCES[setting.origin] ?? setting.origin), hint = [setting.help, fixed ? t("It is {source}, and can be changed there only.", { source: from }) : ""].filter(Boolean).join(" ");
  const options = choices(setting), common = { label, hint, value: String(value ?? ""), onValue, disabled: fixed };
  return html`<div class="stack tight">${options ? html`<${Select} ...${common} options=${options} />` : html`<${Text} ...${common} ...${kindOf(setting)} />`}
    <div class="row small" style=${{ gap: ".4rem" }}><${Badge}>${from}</${Badge}>${setting.next !== null && setting.next !== setting.value ? html`<${Badge} kind="warn">${t("from the next start on: {value}", { value: setting.next })}</${Badge}>` : setting.applies === "restart" && html`<${Badge}>${t("after a restart")}</${Badge}>`}</div></div>`;
}

function Form({ settings, again }) {
  const [typed, type] = useState({}), changed = settings.filter((each) => each.name in typed && typed[each.name] !== String(each.next ?? each.value));
  const [save, busy, fault] = useAct(async () => {
    const body = Object.fromEntries(changed.map((each) => [each.name, typeof each.value === "number" ? Number(typed[each.name]) : typed[each.name]]));
    await patch("/api/admin/settings", body);
    tell(changed.some((each) => each.applies === "restart") ? t("Saved. Some of it holds after a restart of the box.") : t("Saved. It holds from now on."));
    type({});
    await again(true);
  });
  return html`<form class="stack" onSubmit=${(event) => (event.preventDefault(), busy || (changed.length && save()))}><${Card}><div class="pair">${settings.map((each) => html`<${One} key=${each.name} setting=${each} value=${typed[each.name] ?? each.next ?? each.value} onValue=${(value) => type({ ...typed, [each.name]: value })} />`)}</div></${Card}>
    <${FaultLine} fault=${fault} /><div class="row end"><${Button} kind="main" type="submit" busy=${busy} disabled=${!changed.length}>${t("Save")}</${Button}></div></form>`;
}

function Restart({ possible, again }) {
  const [run, busy, fault] = useAct(async () => {
    tell(t("The box starts anew. This page comes back by itself."));
    await ended(await post("/api/admin/restart", {}));
    await again(true);
  });
  return html`<${Note} kind="warn" icon="warn"><div><b>${t("Some of it holds from the next start on.")}</b><${FaultLine} fault=${fault} /></div>${possible && html`<${Button} busy=${busy} onClick=${run}>${t("Restart the box")}</${Button}>`}</${Note}>`;
}

export default function Settings() {
  const from = useLoad((how) => get("/api/admin/settings", how));
  return html`<${Page} title=${t("Settings")} lead=${t("What this box is called, and how it behaves.")}><${Loaded} from=${from}>${(told) => {
    return html`${told.restart_needed && html`<${Restart} possible=${told.restart_possible} again=${from.again} />`}<${Form} settings=${told.settings.filter((each) => each.name in NAMES)} again=${from.again} /><${Note}><div>${t("Everything else is in settings.toml in the data folder, and by")} <code>appliance up --help</code>.</div></${Note}>`;
  }}</${Loaded}></${Page}>`;
}
