// About: what this is, what is in it, and how to be sure that it is this one.
import { html } from "../ui.mjs";
import { get } from "../core/api.mjs";
import { datetime, duration } from "../core/format.mjs";
import { useLoad } from "../core/load.mjs";
import { t, tn } from "../core/words.mjs";
import { Card, Facts, Page } from "../parts/page.mjs";
import { Loaded } from "../parts/states.mjs";


export default function About() {
  const from = useLoad((how) => get("/api/admin/about", how));
  const facts = (told) => [[t("Version"), told.version], [t("Name"), told.box], [t("Facility"), told.facility], [t("Up for"), duration(told.uptime_s * 1000)], [t("Started"), datetime(told.started_at)], [t("Kept as"), told.profile], [t("Image"), told.image], [t("Fingerprint of its authority"), told.fingerprint && html`<span class="mono">${told.fingerprint}</span>`], [t("Id among screens"), told.endpoint_id && html`<span class="mono">${told.endpoint_id}</span>`], [t("Licence"), told.licence]];
  return html`<${Page} title=${t("About")} lead=${t("DreamStack Appliance: one box in the building. Nothing ever leaves it.")}><${Loaded} from=${from}>${(told) => html`
    <${Card} title=${t("This box")}><${Facts} facts=${facts(told)} /></${Card}>
    <div class="pair"><${Card} title=${t("Parts")}><${Facts} facts=${Object.entries(told.versions)} /></${Card}>
      <${Card} title=${t("Made with")}><details><summary>${tn(told.licences.length, "one part by others, and its licence", "{n} parts by others, and their licences")}</summary><${Facts} facts=${told.licences.map((each) => [each.name, [each.version, each.licence].filter(Boolean).join(" · ")])} /></details></${Card}></div>
    ${told.model_card && html`<${Card} title=${t("The model")}><details><summary>${t("Read its card")}</summary><p class="code">${told.model_card}</p></details></${Card}>`}`}</${Loaded}></${Page}>`;
}
