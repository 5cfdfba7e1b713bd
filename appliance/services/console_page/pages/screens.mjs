// Screens: who waits to be let in, then who is in, by room, with what each shows now.
import { html, useEffect, useRef, useState } from "../ui.mjs";
import { post, remove } from "../core/api.mjs";
import { useAct } from "../core/load.mjs";
import { screens } from "../core/live.mjs";
import { usePlace } from "../core/router.mjs";
import { useStore } from "../core/store.mjs";
import { ago, code } from "../core/format.mjs";
import { t, tn } from "../core/words.mjs";
import { Button, To } from "../parts/button.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Badge, Card, Dot, Page } from "../parts/page.mjs";
import { Picture } from "../parts/picture.mjs";
import { Empty, FaultLine, Note, Waiting } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";
import { identify, Message, roles, RoomField, roomName, surfaces } from "../parts/screen.mjs";

function Knock({ knock, rooms, scanned }) {
  const [name, setName] = useState(""), [room, setRoom] = useState(""), [role, setRole] = useState("wall"), of = useRef(null);
  const path = `/api/screens/codes/${knock.code}`;
  const [letIn, busy, fault] = useAct(async () => {
    const screen = await post(path, { name: name.trim(), room, role });
    tell(t("{name} is in.", { name: screen.name }));
  });
  const [refuse, refusing, refused] = useAct(async () => {
    await remove(path);
    tell(t("It was sent away. It may knock again in ten minutes."));
  });
  useEffect(() => {
    if (scanned) of.current.scrollIntoView({ block: "center" }), of.current.querySelector("input").focus();
  }, [scanned]);
  return html`<li ref=${of} class=${`card${scanned ? " now" : ""}`}><div class="knock"><span class="number">${code(knock.code)}</span>
      <p class="who"><b>${knock.kind || t("A screen")}</b><br /><span class="soft">${t("at {address}", { address: knock.address || t("an unknown address") })}</span></p></div>
    <form class="stack tight" onSubmit=${(event) => (event.preventDefault(), busy || letIn())}>
      <div class="fields"><${Text} label=${t("Name")} placeholder=${t("Wall by the door")} maxlength="80" value=${name} onValue=${setName} />
        <${RoomField} rooms=${rooms} value=${room} onValue=${setRoom} />
        <${Select} label=${t("May see what")} value=${role} onValue=${setRole} options=${roles()} /></div>
      <${FaultLine} fault=${fault ?? refused} />
      <div class="row end"><${Button} kind="danger" busy=${refusing} onClick=${refuse}>${t("Refuse")}</${Button}><${Button} kind="main" type="submit" icon="good" busy=${busy}>${t("Let in")}</${Button}></div>
    </form></li>`;
}

function Waits({ told }) {
  const { hash } = usePlace(), scanned = hash.startsWith("#join=") ? hash.slice(6) : "";
  if (!told.waiting.length && !scanned) return null;
  const gone = scanned && !told.waiting.some((each) => each.code === scanned);
  return html`<section class="stack tight" aria-labelledby="waits"><h2 id="waits">${t("Waiting to be let in")}</h2>
    ${gone && html`<${Note}><div>${t("No screen shows the code {code} any more: it is in, or its code has run out. It shows a new one by itself.", { code: code(scanned) })}</div></${Note}>`}
    <p class="soft">${told.waiting.length > 0 && t("Compare the code with the one on the screen before you let it in.")}</p>
    <ul class="stack tight">${told.waiting.map((each) => html`<${Knock} key=${each.code} knock=${each} rooms=${told.rooms} scanned=${each.code === scanned} />`)}</ul></section>`;
}

function Screen({ screen, onMessage }) {
  const shows = html`<${Picture} path=${`/api/screens/${screen.id}/picture.png?width=480`} live=${screen.live} alt=${t("What {name} shows now", { name: screen.name })} />`;
  return html`<li class="card screen"><a class="view" href=${`/admin/screens/${screen.id}`} tabindex="-1" aria-hidden="true">${shows}</a>
    <div class="text"><b><${Dot} kind=${screen.live ? "good" : ""} label=${screen.live ? t("here now") : t("away")} /><a class="grow" href=${`/admin/screens/${screen.id}`} style=${{ color: "inherit", textDecoration: "none" }}>${screen.name}</a><${Badge}>${screen.role}</${Badge}></b>
      <p class="small soft">${screen.live ? t("here now") : t("last here {when}", { when: ago(screen.seen_at) })}${screen.latency_ms != null && screen.live ? ` · ${Math.round(screen.latency_ms)} ms` : ""}${screen.surface ? ` · ${surfaces().find(([key]) => key === screen.surface)?.[1] ?? screen.surface}` : ""}</p></div>
    <div class="acts"><${Button} kind="quiet" icon="wave" onClick=${() => identify(screen).catch(tellFault)}>${t("Identify")}</${Button}><${Button} kind="quiet" icon="message" onClick=${() => onMessage(screen)}>${t("Message")}</${Button}></div></li>`;
}

export default function Screens() {
  const told = useStore(screens), [message, write] = useState(null);
  const acts = html`<${To} href="/admin/screens/tickets" icon="ticket">${t("Add screens")}</${To}>`;
  const frame = (children) => html`<${Page} title=${t("Screens")} lead=${t("Every wall, tablet and phone that shows what this box knows.")} acts=${acts}>${children}</${Page}>`;
  if (!told) return frame(html`<${Waiting} />`);
  const rooms = ["", ...told.rooms.map((room) => room.name)].filter((room) => told.screens.some((screen) => screen.room === room));
  const none = !told.screens.length && !told.waiting.length;
  return frame(html`<${Waits} told=${told} />
    ${none && html`<${Empty} icon="screen" title=${t("No screen has joined yet")} text=${t("Open this box's address on a tablet, a phone or a wall. It shows a code, and waits here to be let in.")}><${To} kind="main" icon="ticket" href="/admin/screens/tickets">${t("Make a ticket for screens that join by themselves")}</${To}></${Empty}>`}
    ${rooms.map((room) => {
      const mine = told.screens.filter((screen) => screen.room === room), live = mine.filter((screen) => screen.live).length;
      return html`<section key=${room} class="stack tight"><div class="row"><h2>${roomName(told.rooms, room)}</h2><span class="soft">${tn(mine.length, "{live} of {n} is here now", "{live} of {n} are here now", { live })}</span></div>
        <ul class="cards">${mine.map((screen) => html`<${Screen} key=${screen.id} screen=${screen} onMessage=${write} />`)}</ul></section>`;
    })}
    ${message && html`<${Message} screen=${message} onClose=${() => write(null)} />`}`);
}
