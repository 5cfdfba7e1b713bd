// Tickets: screens that have one join by themselves.
import { html, useState } from "../ui.mjs";
import { post, remove } from "../core/api.mjs";
import { useAct } from "../core/load.mjs";
import { screens } from "../core/live.mjs";
import { useStore } from "../core/store.mjs";
import { date } from "../core/format.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Card, Page } from "../parts/page.mjs";
import { Qr } from "../parts/qr.mjs";
import { FaultLine } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";
import { roles, RoomField } from "../parts/screen.mjs";

const DAYS = () => [["1", t("a day")], ["7", t("a week")], ["30", t("a month")], ["365", t("a year")]];

async function copy(text) {
  await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => tell(t("Copied.")), () => tell(t("This browser does not let pages copy here. Select the text and copy it.")));
}

function Made({ made, uses, onBack }) {
  const address = made.url ?? `${location.origin}/#ticket=${made.ticket}`, command = `appliance screen --ticket ${made.ticket}`;
  const back = () => remove(`/api/tickets/${made.id}`).then(() => (tell(t("The ticket was taken back. Who came with it stays.")), onBack()), tellFault);
  return html`<${Card} title=${tn(uses, "A ticket for one screen", "A ticket for {n} screens")} kind="now" aria-live="polite">
    <div class="row" style=${{ alignItems: "start" }}><${Qr} src=${made.qr} alt=${t("The ticket as a code for a camera")} />
      <div class="grow stack tight"><p>${t("Scan it with the screen's camera, or open this address on the screen. Whoever has it may use it, until {date}.", { date: date(made.expires) })}</p>
        <div class="row"><${Button} icon="copy" onClick=${() => copy(address)}>${t("Copy the address")}</${Button}><${Button} icon="copy" onClick=${() => copy(command)}>${t("Copy the command for a terminal")}</${Button}></div></div></div>
    <details><summary>${t("Show the address")}</summary><p class="code mono">${address}</p></details>
    <div class="row end"><${Button} kind="danger" onClick=${back}>${t("Take it back")}</${Button}></div></${Card}>`;
}

export default function Tickets() {
  const told = useStore(screens), [room, setRoom] = useState(""), [role, setRole] = useState("wall"), [uses, setUses] = useState("1"), [days, setDays] = useState("30");
  const [made, set] = useState(null);
  const [make, busy, fault] = useAct(async () => set({ ...(await post("/api/tickets", { room, role, uses: Number(uses), days: Number(days) })), uses: Number(uses) }));
  return html`<${Page} title=${t("Add screens")} back=${["/admin/screens", t("Screens")]} lead=${t("A single screen: open this box's address on it, and let it in by its code. Many screens: give them a ticket, and they join by themselves when they are plugged in.")}>
    <div class="pair"><${Card} title=${t("A ticket")}><form class="stack" onSubmit=${(event) => (event.preventDefault(), busy || make())}>
        <${RoomField} rooms=${told?.rooms ?? []} value=${room} onValue=${setRoom} />
        <${Select} label=${t("May see what")} value=${role} onValue=${setRole} options=${roles()} />
        <div class="fields"><${Text} label=${t("For how many screens")} type="number" min="1" max="10000" required value=${uses} onValue=${setUses} />
          <${Select} label=${t("Good for")} value=${days} onValue=${setDays} options=${DAYS()} /></div>
        <${FaultLine} fault=${fault} />
        <div class="row end"><${Button} kind="main" icon="ticket" type="submit" busy=${busy}>${t("Make a ticket")}</${Button}></div></form></${Card}>
      ${made && html`<${Made} key=${made.id} made=${made} uses=${made.uses} onBack=${() => set(null)} />`}</div>
  </${Page}>`;
}
