// Rooms: names that screens share, and what is in each.
import { html, useState } from "../ui.mjs";
import { patch, put, remove } from "../core/api.mjs";
import { useAct } from "../core/load.mjs";
import { screens } from "../core/live.mjs";
import { slug } from "../core/slug.mjs";
import { useStore } from "../core/store.mjs";
import { t, tn } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Text } from "../parts/field.mjs";
import { Card, Page, Tabs } from "../parts/page.mjs";
import { Empty, Waiting } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";

export const TABS = () => [["/admin/rooms", t("Rooms")], ["/admin/rooms/streams", t("Composed streams")]];

function Edit({ room, onClose }) {
  const [label, setLabel] = useState(room.label ?? ""), [name, setName] = useState(room.name ?? ""), act = useAct((save) => save());
  const save = async () => {
    const short = name || slug(label);
    if (!room.name && screens.get()?.rooms.some((each) => each.name === short)) throw { message: t("There is a room of this name already."), hint: t("Give it another one.") };
    await put(`/api/rooms/${encodeURIComponent(short)}`, { label: label.trim() });
    tell(t("{name} is a room now.", { name: label }));
  };
  return html`<${FormDialog} title=${room.name ? t("What {name} is called", { name: room.label }) : t("A new room")} act=${act} submit=${t("Save")} onSubmit=${save} onClose=${onClose}>
    <${Text} label=${t("Name")} placeholder=${t("Intensive care")} required maxlength="80" value=${label} onValue=${setLabel} />
    ${!room.name && html`<${Text} label=${t("Short name")} hint=${t("For addresses and commands: lower-case letters, digits and dashes.")} placeholder=${slug(label)} pattern="[a-z0-9][a-z0-9_\\-]{0,39}" value=${name} onValue=${setName} />`}</${FormDialog}>`;
}

export default function Rooms() {
  const told = useStore(screens), [edits, edit] = useState(null);
  const drop = async (room, mine) => {
    const count = mine.length, text = count ? tn(count, "Its screen shows the whole house then.", "Its {n} screens show the whole house then.") : t("No screen is in it.");
    if (!(await confirm({ title: t("Take the room {name} away?", { name: room.label }), text, yes: t("Take it away") }))) return;
    const path = `/api/rooms/${encodeURIComponent(room.name)}`;
    const undo = async () => {
      await put(path, { label: room.label });
      await Promise.all(mine.map((screen) => patch(`/api/screens/${screen.id}`, { room: room.name })));
    };
    await remove(path).then(() => tell(t("The room {name} is gone.", { name: room.label }), { undo }), tellFault);
  };
  const counts = (room) => told.screens.filter((screen) => screen.room === room.name);
  return html`<${Page} title=${t("Rooms")} lead=${t("What is asked on one of a room's screens shows on that room's screens and nowhere else.")} acts=${html`<${Button} kind="main" icon="plus" onClick=${() => edit({})}>${t("New room")}</${Button}>`}>
    <${Tabs} label=${t("Rooms")} tabs=${TABS()} />
    ${!told ? html`<${Waiting} />` : told.rooms.length === 0 ? html`<${Empty} icon="rooms" title=${t("No rooms yet")} text=${t("Without rooms every screen shows the whole house. Make a room for a ward, an office, a lobby.")}><${Button} kind="main" icon="plus" onClick=${() => edit({})}>${t("New room")}</${Button}></${Empty}>` : html`<${Card} flush><ul class="list">
      ${told.rooms.map((room) => {
        const mine = counts(room);
        return html`<li key=${room.name}><div class="what"><b>${room.label}</b><span>${room.name} · ${tn(mine.length, "one screen", "{n} screens")}${mine.length ? `: ${mine.map((each) => each.name).join(", ")}` : ""}</span></div>
          <div class="acts"><${Button} kind="quiet" icon="edit" label=${t("Rename {name}", { name: room.label })} onClick=${() => edit(room)} /><${Button} kind="quiet danger" icon="trash" label=${t("Take {name} away", { name: room.label })} onClick=${() => drop(room, mine)} /></div></li>`;
      })}</ul></${Card}>`}
    ${edits && html`<${Edit} room=${edits} onClose=${() => edit(null)} />`}
  </${Page}>`;
}
