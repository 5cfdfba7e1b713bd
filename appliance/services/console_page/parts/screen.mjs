// What is done with a screen, on its card and on its own page.
import { html, useState } from "../ui.mjs";
import { patch, post, remove } from "../core/api.mjs";
import { useAct } from "../core/load.mjs";
import { t, w } from "../core/words.mjs";
import { confirm, FormDialog } from "./dialog.mjs";
import { Area, Select } from "./field.mjs";
import { tell, tellFault } from "./toasts.mjs";

export const SURFACES = [["auto", w("By its size")], ["wall", w("Wall")], ["tablet", w("Tablet")], ["phone", w("Phone")], ["watch", w("Watch")], ["text", w("Plain text")]];
export const surfaces = () => SURFACES.map(([key, name]) => [key, t(name)]);
export const roles = () => [["wall", t("What anybody may see (wall)")], ["staff", t("What staff may see (staff)")], ["admin", t("Everything (admin)")]];
export const roomName = (rooms, name) => (name ? rooms.find((each) => each.name === name)?.label || name : t("The whole house"));

export function RoomField({ rooms, value, onValue, ...more }) {
  return html`<${Select} label=${t("Room")} value=${value} onValue=${onValue} options=${[["", t("The whole house")], ...rooms.map((room) => [room.name, room.label])]} ...${more} />`;
}

export async function identify(screen) {
  await post(`/api/screens/${screen.id}/identify`, {});
  tell(t("{name} shows its name for ten seconds.", { name: screen.name }));
}

/** Change a screen; what was before can be had back. */
export async function change(screen, changes) {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, screen[name] ?? (name === "surface" ? "auto" : "")]));
  const changed = await patch(`/api/screens/${screen.id}`, changes);
  tell(t("{name} was changed.", { name: changed.name ?? screen.name }), { undo: () => patch(`/api/screens/${screen.id}`, before) });
}

export async function revoke(screen) {
  const yes = await confirm({ title: t("Take {name} out?", { name: screen.name }), text: t("It shows nothing any more from this moment on. To come back it has to show a code again."), yes: t("Take it out") });
  if (!yes) return false;
  const told = () => (tell(t("{name} is out.", { name: screen.name })), true);
  return remove(`/api/screens/${screen.id}`).then(told, (fault) => (tellFault(fault), false));
}

export function Message({ screen, onClose }) {
  const [text, setText] = useState(""), [seconds, setSeconds] = useState("60"), act = useAct((send) => send());
  const send = async () => {
    await post(`/api/screens/${screen.id}/message`, { text: text.trim(), seconds: Number(seconds) });
    tell(t("{name} shows your message.", { name: screen.name }));
  };
  const spans = [["15", t("15 seconds")], ["60", t("a minute")], ["600", t("ten minutes")], ["3600", t("an hour")]];
  return html`<${FormDialog} title=${t("A message to {name}", { name: screen.name })} act=${act} submit=${t("Show it")} onSubmit=${send} onClose=${onClose}>
    <${Area} label=${t("Message")} hint=${t("It stands large on that screen, for everybody who passes by.")} required maxlength="300" value=${text} onValue=${setText} />
    <${Select} label=${t("For how long")} value=${seconds} onValue=${setSeconds} options=${spans} /></${FormDialog}>`;
}
