// Updates: what runs, what a stick offers, and a file that becomes the other slot.
import { html, useState } from "../ui.mjs";
import { at, Fault, faultOf, get, reach } from "../core/api.mjs";
import { size } from "../core/format.mjs";
import { ended } from "../core/jobs.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Drop } from "../parts/field.mjs";
import { Badge, Card, Facts, Page } from "../parts/page.mjs";
import { FaultLine, Loaded, Note } from "../parts/states.mjs";
import { tell } from "../parts/toasts.mjs";

async function install(file) {
  const reply = await reach("POST", at("/api/admin/updates", { name: file.name }), { body: file, more: { "Content-Type": "application/octet-stream" } });
  if (!reply.ok) throw await faultOf(reply);
  const job = await ended(await reply.json());
  if (job.state === "failed") throw new Fault(job.error ?? { message: job.said });
  return job;
}

function Install({ sticks, again }) {
  const [file, setFile] = useState(null);
  const [run, busy, fault] = useAct(async () => {
    const job = await install(file);
    if (job.state === "done") tell(t("The update is installed. It runs from the next start on."));
    setFile(null);
    again();
  });
  return html`<${Card} title=${t("Install an update")}>
    ${sticks.map((each) => html`<${Note} key=${each.name} icon="update"><div><b>${t("A stick holds {name}", { name: each.name })}</b><p class="mono small">appliance update ${each.folder}/${each.name}</p></div></${Note}>`)}
    <${Drop} label=${file ? `${file.name} (${size(file.size)})` : t("Choose an update file")} hint=${t("From your vendor. Its signature is checked before anything is written.")} accept=".update" onFile=${setFile} />
    <${FaultLine} fault=${fault} />
    <div class="row end"><${Button} kind="main" busy=${busy} disabled=${!file} onClick=${run}>${t("Install it")}</${Button}></div></${Card}>`;
}

export default function Updates() {
  const from = useLoad((how) => get("/api/admin/updates", how));
  return html`<${Page} title=${t("Updates")} lead=${t("The new system is written beside the one that runs. If it is not well after a start, the box goes back by itself.")}><${Loaded} from=${from}>${(told) => html`
    <${Card} title=${t("What runs")}><${Facts} facts=${[[t("Version of the program"), told.version], [t("Image"), told.image], [t("Version of the image"), told.image_version]]} />
      ${told.slots?.length > 0 && html`<ul class="list">${told.slots.map((slot) => html`<li key=${slot.name ?? slot.slot}><span class="what">${slot.name ?? slot.slot}: ${slot.version || "–"}</span>${slot.runs && html`<${Badge} kind="good">${t("runs")}</${Badge}>`}</li>`)}</ul>`}</${Card}>
    ${told.possible ? html`<${Install} sticks=${told.sticks} again=${from.again} />` : html`<${Note}><div>${told.said}</div></${Note}>`}`}</${Loaded}></${Page}>`;
}
