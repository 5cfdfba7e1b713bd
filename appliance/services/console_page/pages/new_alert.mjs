// A new alert, read back as a sentence and tried out before it is set.
import { html, useState } from "../ui.mjs";
import { post } from "../core/api.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { go } from "../core/router.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { asked, Conditions } from "../parts/conditions.mjs";
import { Choice, Select, Text } from "../parts/field.mjs";
import { Card, Page } from "../parts/page.mjs";
import { FaultLine, Loaded, Note } from "../parts/states.mjs";
import { tell } from "../parts/toasts.mjs";
import { LEVELS } from "../core/data.mjs";
import { sentence } from "./rules.mjs";

const WATCHED = () => [["rows", t("A number over rows"), t("How many beds are free per ward, how many gloves are left.")], ["field", t("A number in each row"), t("The temperature of each refrigerator.")], ["there", t("Whether there is such a row"), t("A device that is broken.")]];
const NUMBERS = ["integer", "numeric"];

function ruleOf(state, fields) {
  const rule = { name: state.name.trim(), collection: state.collection, where: asked(state.where, fields), audience: state.audience, message: state.message.trim() };
  if (state.watches === "rows") rule.aggregate = state.op === "count" ? { op: "count" } : { op: state.op, field: state.field };
  if (state.watches === "rows" && state.group) rule.group = [state.group];
  if (state.watches === "field") rule.field = state.field;
  if (state.watches !== "there") Object.assign(rule, { direction: state.direction, threshold: Number(state.threshold) }, state.clear !== "" && { clear_at: Number(state.clear) });
  return rule;
}

function Limits({ of, state, fields, set }) {
  const numbers = fields.filter((each) => NUMBERS.includes(each.type)), counts = state.watches === "rows" && state.op === "count";
  const ops = [["count", t("the number of rows")], ["sum", t("the sum")], ["avg", t("the average")], ["min", t("the least")], ["max", t("the largest")]];
  if (state.watches === "there") return null;
  return html`<div class="fields">${state.watches === "rows" && html`<${Select} label=${t("Number")} options=${ops} ...${of("op")} />`}
      ${!counts && html`<${Select} label=${t("of the field")} required options=${[["", t("choose one")], ...numbers.map((each) => [each.name, each.label])]} ...${of("field")} />`}
      ${state.watches === "rows" && html`<${Select} label=${t("For each")} options=${[["", t("all together")], ...fields.map((each) => [each.name, each.label])]} ...${of("group")} />`}</div>
    <div class="fields"><${Select} label=${t("Fires when it is")} options=${[["below", t("below")], ["above", t("above")]]} ...${of("direction")} />
      <${Text} label=${t("Threshold")} type="number" step="any" required ...${of("threshold")} />
      <${Text} label=${t("Over again at")} type="number" step="any" hint=${t("Left empty: at the threshold.")} ...${of("clear")} /></div>`;
}

function Form({ collections }) {
  const [state, set] = useState({ name: "", collection: collections[0]?.name ?? "", watches: "rows", where: [], op: "count", field: "", group: "", direction: "below", threshold: "", clear: "", message: "", audience: "staff" });
  const [tried, setTried] = useState(null), fields = collections.find((each) => each.name === state.collection)?.fields ?? [];
  const change = (changes) => (setTried(null), set({ ...state, ...changes })), of = (name) => ({ value: state[name], onValue: (value) => change({ [name]: value }) });
  const rule = ruleOf(state, fields), path = "/api/alerts";
  const [run, busy, fault] = useAct(async () => {
    if (!tried) return setTried(await post(`${path}?dry_run=true`, rule));
    await post(path, rule);
    tell(t("{name} watches from now on.", { name: rule.name }));
    return go("/admin/alerts/rules");
  });
  const blanks = ["{value}", "{threshold}", ...(state.group && state.watches === "rows" ? [`{${state.group}}`] : [])].join(" ");
  return html`<form class="stack" onSubmit=${(event) => (event.preventDefault(), busy || run())}>
    <${Card} title=${t("What is watched")}>
      <${Select} label=${t("Collection")} value=${state.collection} onValue=${(collection) => change({ collection, where: [], field: "", group: "" })} options=${collections.map((each) => [each.name, each.label])} />
      <${Choice} legend=${t("What of it")} options=${WATCHED()} ...${of("watches")} />
      <${Conditions} legend=${t("Only rows where")} none=${t("No condition: every row counts.")} fields=${fields} ...${of("where")} />
      <${Limits} of=${of} state=${state} fields=${fields} /></${Card}>
    <${Card} title=${t("What is told")}>
      <${Text} label=${t("Name")} required maxlength="80" placeholder=${t("Beds are short")} ...${of("name")} />
      <${Text} label=${t("Message")} required maxlength="200" placeholder=${t("Only {value} beds are free.")} hint=${t("Filled in: {blanks}", { blanks })} ...${of("message")} />
      <${Select} label=${t("Who is told")} options=${LEVELS().map(([key, name]) => [key, name])} ...${of("audience")} /></${Card}>
    ${tried && html`<${Note} icon="good"><div role="status"><b>${sentence(tried)}</b><p>${tried.active ? tn(tried.active, "It would fire at once, for one.", "It would fire at once, for {n}.") : t("It fits the data. Read the sentence: that is what will be watched.")}</p></div></${Note}>`}
    <${FaultLine} fault=${fault} />
    <div class="row end"><${Button} kind="main" type="submit" busy=${busy}>${tried ? t("Set this alert") : t("Read it back")}</${Button}></div></form>`;
}

export default function NewAlert() {
  const from = useLoad("/api/catalog");
  return html`<${Page} title=${t("New alert")} back=${["/admin/alerts/rules", t("Alerts")]} lead=${t("It fires once when the number crosses the threshold, and is over when it comes back.")}><${Loaded} from=${from}>${({ collections }) => html`<${Form} collections=${collections.filter((each) => each.name !== "alerts")} />`}</${Loaded}></${Page}>`;
}
