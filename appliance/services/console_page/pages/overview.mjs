// Is it well, who is here, what was asked today, and what waits for me.
import { html } from "../ui.mjs";
import { useLoad } from "../core/load.mjs";
import { health, screens, wellness } from "../core/live.mjs";
import { box } from "../core/session.mjs";
import { hoursOf } from "../core/day.mjs";
import { useStore } from "../core/store.mjs";
import { ago, duration, number } from "../core/format.mjs";
import { t, tn } from "../core/words.mjs";
import { To } from "../parts/button.mjs";
import { Bars } from "../parts/chart.mjs";
import { Icon } from "../parts/icon.mjs";
import { Card, Page } from "../parts/page.mjs";
import { Picture } from "../parts/picture.mjs";
import { FaultLine } from "../parts/states.mjs";

function Well() {
  const told = useStore(health), state = wellness(told);
  if (!told) return html`<section class="card hero" aria-busy="true"><div class="sign"></div><h2>${t("Looking …")}</h2></section>`;
  const wrong = told.checks.filter((each) => each.state !== "ok");
  const title = told.status === "away" ? t("The box does not answer.") : state === "good" ? t("All is well") : tn(wrong.length, "One thing wants looking at", "{n} things want looking at");
  const words = state === "good" ? tn(told.checks.length, "{n} part was looked at a moment ago.", "{n} parts were looked at a moment ago.") : wrong.map((each) => each.sentence).join(" ");
  return html`<section class=${`card hero ${state}`} aria-label=${t("How the box is")}><div class="sign"><${Icon} name=${state || "about"} /></div>
    <div><h2>${title}</h2><p class="soft">${words}</p></div><${To} href="/admin/health">${t("Health")}</${To}></section>`;
}

function Waits({ events }) {
  const told = useStore(screens), waiting = told?.waiting ?? [], open = (events ?? []).filter((each) => !each.acknowledged_at);
  if (!waiting.length && !open.length) return html`<${Card} title=${t("What waits for you")}><p class="soft">${t("Nothing. Screens that want to be let in and alerts that nobody has seen show up here.")}</p></${Card}>`;
  return html`<${Card} flush title=""><header style=${{ padding: "1.1rem 1.35rem .3rem" }}><h2>${t("What waits for you")}</h2></header><ul class="list">
    ${waiting.map((each) => html`<li key=${each.code}><a class="what" href=${`/admin/screens#join=${each.code}`}><b>${t("A screen wants to be let in")}</b><span>${each.address}</span></a><${Icon} name="next" turn /></li>`)}
    ${open.slice(0, 4).map((each) => html`<li key=${each.id}><a class="what" href="/admin/alerts"><b>${each.message}</b><span>${ago(each.fired_at)}</span></a><${Icon} name="next" turn /></li>`)}
    ${open.length > 4 && html`<li><a href="/admin/alerts">${tn(open.length - 4, "and one more alert", "and {n} more alerts")}</a></li>`}
  </ul></${Card}>`;
}

function Asked({ from }) {
  const { count: all = 0, answered = 0 } = from.data ?? {};
  return html`<${Card} title=${t("Questions today")} acts=${html`<${To} kind="quiet" href="/admin/questions">${t("All questions")}</${To}>`}>
    <${FaultLine} fault=${from.fault} />
    ${from.data && (all ? html`<p class="soft">${tn(all, "One question, ", "{n} questions, ")}${t("{part} answered, half of them within {time}.", { part: `${number((answered / all) * 100)} %`, time: duration(from.data.p50_ms) })}</p>`
      : html`<p class="soft">${t("Nobody has asked anything yet today. Questions come from screens, phones and programs.")}</p>`)}
    ${from.data && html`<${Bars} label=${t("Questions by hour")} bars=${hoursOf(from.data)} />`}
  </${Card}>`;
}

function Here() {
  const told = useStore(screens);
  const live = (told?.screens ?? []).filter((each) => each.live).slice(0, 3);
  if (!live.length) return null;
  return html`<section class="stack tight"><div class="row"><h2 class="grow">${t("On the screens now")}</h2><${To} kind="quiet" href="/admin/screens">${t("All screens")}</${To}></div>
    <div class="cards">${live.map((each) => html`<a key=${each.id} class="card screen figure" href=${`/admin/screens/${each.id}`}><${Picture} path=${`/api/screens/${each.id}/picture.png?width=480`} alt=${t("What {name} shows now", { name: each.name })} /><div class="text"><strong>${each.name}</strong></div></a>`)}</div></section>`;
}

const Figure = ({ to, value, label, kind = "" }) => html`<a class=${`card figure ${kind}`} href=${to}><b>${value}</b><span>${label}</span></a>`;

export default function Overview() {
  const asked = useLoad("/api/admin/questions/summary", { every: 15_000 }), events = useLoad("/api/alerts/events?state=active", { every: 5000 });
  const told = useStore(screens), live = told?.screens.filter((each) => each.live).length, { name } = useStore(box);
  const active = events.data?.length;
  return html`<${Page} title=${name}>
    <${Well} />
    <div class="figures">
      <${Figure} to="/admin/screens" value=${told ? number(live) : "–"} label=${told ? tn(told.screens.length, "of {n} screen is here now", "of {n} screens are here now") : t("screens")} />
      <${Figure} to="/admin/questions" value=${asked.data ? number(asked.data.count) : "–"} label=${t("questions today")} />
      <${Figure} to="/admin/alerts" kind=${active ? "warn" : ""} value=${events.data ? number(active) : "–"} label=${t("active alerts")} />
    </div>
    <div class="pair"><${Waits} events=${events.data} /><${Asked} from=${asked} /></div>
    <${Here} />
  </${Page}>`;
}
