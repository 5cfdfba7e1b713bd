// What the parts of the box write down.
import { html } from "../ui.mjs";
import { at } from "../core/api.mjs";
import { written } from "../core/format.mjs";
import { usePages } from "../core/load.mjs";
import { setQuery, usePlace } from "../core/router.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Seek, Select } from "../parts/field.mjs";
import { Card, Page } from "../parts/page.mjs";
import { Empty, Loaded, More, Note } from "../parts/states.mjs";

const time = (value) => (value ? written(value, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }) : "");

export default function Logs() {
  const { query } = usePlace(), asked = { part: query.get("part") ?? "", level: query.get("level") ?? "", q: query.get("q") ?? "" };
  const from = usePages((before) => at("/api/admin/logs", { ...asked, before, limit: 200 }), (page) => page.lines);
  return html`<${Page} title=${t("Logs")} lead=${t("For whoever looks for a fault. Treat it as you treat the data: questions and values stand in it.")} acts=${html`<${Button} onClick=${() => from.again()}>${t("Look again")}</${Button}>`}>
    <div class="row"><${Seek} label=${t("Find in the log")} value=${asked.q} onValue=${(q) => setQuery({ q })} />
      <${Select} label=${t("Part")} hideLabel value=${asked.part} onValue=${(part) => setQuery({ part })} options=${[["", t("Every part")], ...(from.data?.parts ?? (asked.part ? [asked.part] : []))]} />
      <${Select} label=${t("How grave")} hideLabel value=${asked.level} onValue=${(level) => setQuery({ level })} options=${[["", t("Everything")], ["warning", t("Warnings and errors")], ["error", t("Errors")]]} /></div>
    <${Loaded} from=${from}>${(told) => html`${told.said && html`<${Note}><div>${told.said}</div></${Note}>`}
      ${from.items.length ? html`<${Card} flush><ul class="log rows" tabindex="0" aria-label=${t("Log")}>${from.items.map((line, i) => html`<li key=${i} class=${line.level}><span class="soft">${time(line.at)}</span><span>${line.part}</span><span>${line.text}</span></li>`)}</ul></${Card}>
        <${More} from=${from} />` : html`<${Empty} icon="log" title=${t("No line is like that")} text=${t("Take a filter away, or look at another part.")} />`}`}</${Loaded}></${Page}>`;
}
