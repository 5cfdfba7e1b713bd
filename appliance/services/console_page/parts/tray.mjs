// The tray of long work: how far it is, a way to stop it, and how it ended.
import { html, useEffect, useState } from "../ui.mjs";
import { cancel, clear, cleared, goesOn, jobs, NAMES } from "../core/jobs.mjs";
import { useStore } from "../core/store.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "./button.mjs";
import { Icon } from "./icon.mjs";
import { tellFault } from "./toasts.mjs";

export function Progress({ of, label }) {
  const known = typeof of === "number";
  return html`<div class=${`bar${known ? "" : " unsure"}`} role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${known ? Math.round(of * 100) : undefined}>
    <i style=${known ? { width: `${Math.max(of * 100, 2)}%` } : undefined}></i></div>`;
}

const ENDED = () => ({ done: t("Done"), failed: t("Failed"), cancelled: t("Stopped") });

function Job({ job }) {
  const name = t(NAMES[job.kind] ?? job.kind), on = goesOn(job);
  const fault = job.error && [job.error.message, job.error.hint].filter(Boolean).map((each) => t(each)).join(" ");
  return html`<li><div><b>${name}</b>${on ? html`<${Button} kind="quiet" icon="stop" label=${t("Stop it: {name}", { name })} onClick=${() => cancel(job).catch(tellFault)} />` : html`<span class=${`small ${job.state === "failed" ? "bad" : "soft"}`}>${ENDED()[job.state] ?? job.state}</span>`}</div>
    ${on && html`<${Progress} of=${job.progress} label=${name} />`}
    <p class="small soft">${fault || job.said}</p></li>`;
}

export function Tray() {
  const gone = useStore(cleared), now = Date.now() / 1000;
  const recent = (job) => goesOn(job) || !job.ended_at || now - new Date(job.ended_at).getTime() / 1000 < 600;
  const all = useStore(jobs).filter((job) => !gone.has(job.id) && recent(job)).slice(0, 6);
  const running = all.filter(goesOn);
  const [open, set] = useState(false);
  useEffect(() => {
    set(running.length > 0 || all.some((job) => job.state === "failed")); // what went well covers nothing
  }, [running.length > 0]);
  if (!all.length) return null;
  const failed = all.filter((job) => job.state === "failed").length;
  const words = failed && !running.length ? tn(failed, "One thing failed", "{n} things failed") : running.length ? tn(running.length, "One thing is being done", "{n} things are being done") : t("All work is done");
  return html`<aside class="tray" aria-label=${t("Long work")}>
    <button class="btn" type="button" aria-expanded=${open ? "true" : "false"} onClick=${() => set(!open)}>
      ${running.length ? html`<i class="spin" aria-hidden="true"></i>` : html`<${Icon} name=${failed ? "warn" : "good"} />`}<span role="status">${words}</span></button>
    ${open && html`<ul>${all.map((job) => html`<${Job} key=${job.id} job=${job} />`)}</ul>
      ${!running.length && html`<div class="row end"><${Button} kind="quiet" onClick=${clear}>${t("Clear")}</${Button}></div>`}`}
  </aside>`;
}
