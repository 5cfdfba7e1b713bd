// One screen: what it shows, where it is, and what can be done with it.
import { html, useState } from "../ui.mjs";
import { useAct } from "../core/load.mjs";
import { screens } from "../core/live.mjs";
import { go } from "../core/router.mjs";
import { useStore } from "../core/store.mjs";
import { ago, datetime } from "../core/format.mjs";
import { t } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Badge, Card, Facts, Page } from "../parts/page.mjs";
import { Picture } from "../parts/picture.mjs";
import { Empty, FaultLine, Waiting } from "../parts/states.mjs";
import { tellFault } from "../parts/toasts.mjs";
import { change, identify, Message, revoke, roles, RoomField, roomName, surfaces } from "../parts/screen.mjs";

const BACK = () => ["/admin/screens", t("Screens")];

function Edit({ screen, rooms }) {
  const was = { name: screen.name, room: screen.room, role: screen.role, surface: screen.surface || "auto" };
  const [now, set] = useState(was), changed = Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== was[name]));
  const [save, busy, fault] = useAct(() => change(screen, changed)), some = Object.keys(changed).length > 0;
  const of = (name) => ({ value: now[name], onValue: (value) => set({ ...now, [name]: value }) });
  return html`<${Card} title=${t("What it is")}><form class="stack" onSubmit=${(event) => (event.preventDefault(), some && !busy && save())}>
    <${Text} label=${t("Name")} maxlength="80" required ...${of("name")} />
    <${RoomField} rooms=${rooms} hint=${t("It shows what is asked in its room, and what is for the whole house.")} ...${of("room")} />
    <${Select} label=${t("May see what")} options=${roles()} ...${of("role")} />
    <${Select} label=${t("Laid out for")} hint=${t("It changes at once, without being loaded anew.")} options=${surfaces()} ...${of("surface")} />
    <${FaultLine} fault=${fault} />
    <div class="row end"><${Button} kind="main" type="submit" busy=${busy} disabled=${!some}>${t("Save")}</${Button}></div></form></${Card}>`;
}

export default function Screen({ id }) {
  const told = useStore(screens), [writes, write] = useState(false);
  if (!told) return html`<${Page} title=${t("Screen")} back=${BACK()}><${Waiting} /></${Page}>`;
  const screen = told.screens.find((each) => each.id === id);
  if (!screen) return html`<${Page} title=${t("This screen is not in")} back=${BACK()}><${Empty} icon="screen" title=${t("The box knows no such screen")} text=${t("It was taken out, or its address is another.")}><${To} kind="main" href="/admin/screens">${t("All screens")}</${To}></${Empty}></${Page}>`;
  const out = () => revoke(screen).then((done) => done && go("/admin/screens"));
  const acts = html`<${Button} icon="wave" onClick=${() => identify(screen).catch(tellFault)}>${t("Identify")}</${Button}><${Button} icon="message" onClick=${() => write(true)}>${t("Message")}</${Button}><${To} icon="eye" href=${`/admin/roles/see?screen=${id}`}>${t("See as this screen")}</${To}>`;
  return html`<${Page} title=${screen.name} back=${BACK()} acts=${acts}>
    <div class="pair"><div class="stack"><section class="card screen" aria-label=${t("What it shows now")}><${Picture} path=${`/api/screens/${id}/picture.png?width=960`} live=${screen.live} alt=${t("What {name} shows now", { name: screen.name })} every=${2000} />
        <div class="text"><b>${screen.live ? html`<${Badge} kind="good">${t("here now")}</${Badge}>` : html`<${Badge}>${t("last here {when}", { when: ago(screen.seen_at) })}</${Badge}>`}<span class="soft">${roomName(told.rooms, screen.room)}</span></b></div></section>
      <${Card} title=${t("Details")}><${Facts} facts=${[[t("Kind"), screen.kind], [t("Address"), screen.address], [t("Answers within"), screen.latency_ms != null && `${Math.round(screen.latency_ms)} ms`], [t("Shows"), screen.stream], [t("Last here"), datetime(screen.seen_at)], [t("Joined"), datetime(screen.joined_at)], [t("Let in by"), screen.by], [t("Id"), html`<span class="mono">${screen.id}</span>`]]} /></${Card}></div>
    <div class="stack"><${Edit} key=${JSON.stringify([screen.name, screen.room, screen.role, screen.surface])} screen=${screen} rooms=${told.rooms} />
      <${Card} title=${t("Take it out")}><p class="soft">${t("A screen that was lost, given away or is not yours any more. Its connection ends within a second.")}</p><div class="row end"><${Button} kind="danger" icon="trash" onClick=${out}>${t("Take it out")}</${Button}></div></${Card}></div></div>
    ${writes && html`<${Message} screen=${screen} onClose=${() => write(false)} />`}
  </${Page}>`;
}
