// Composed streams: what is taken from which stream, under which names, for whom.
import { html, useState } from "../ui.mjs";
import { put, remove } from "../core/api.mjs";
import { useAct, useLoad } from "../core/load.mjs";
import { t } from "../core/words.mjs";
import { Button } from "../parts/button.mjs";
import { confirm, FormDialog } from "../parts/dialog.mjs";
import { Select, Text } from "../parts/field.mjs";
import { Badge, Card, Page, Tabs } from "../parts/page.mjs";
import { Empty, Loaded, Note } from "../parts/states.mjs";
import { tell, tellFault } from "../parts/toasts.mjs";
import { roles } from "../parts/screen.mjs";
import { TABS } from "./rooms.mjs";

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const at = (name) => `/api/streams/${name.split("/").map(encodeURIComponent).join("/")}`;
const BLANK = { stream: "main", signals: "*", without: "", audience: "wall", rename: {} };

function Part({ part, streams, onPart, onDrop }) {
  const of = (name) => ({ value: part[name], onValue: (value) => onPart({ ...part, [name]: value }) });
  return html`<div class="when"><${Select} label=${t("From")} options=${streams} ...${of("stream")} /><${Text} label=${t("Signals")} ...${of("signals")} /><${Text} label=${t("But not")} ...${of("without")} /><${Select} label=${t("For")} options=${roles()} ...${of("audience")} />
    ${onDrop && html`<${Button} kind="quiet" icon="trash" label=${t("Leave this part out")} onClick=${onDrop} />`}</div>`;
}

function Edit({ mix, streams, onClose }) {
  const [name, setName] = useState(mix.name ?? ""), [audience, setAudience] = useState(mix.audience ?? "wall"), act = useAct((save) => save());
  const [parts, set] = useState((mix.parts ?? [BLANK]).map((part) => ({ ...part, signals: [part.signals].flat().join(" "), without: [part.without].flat().join(" ") })));
  const save = async () => {
    await put(at(name.trim()), { audience, parts: parts.map((part) => ({ ...part, signals: words(part.signals), without: words(part.without) })) });
    tell(t("The stream {name} is composed.", { name }));
    return true;
  };
  return html`<${FormDialog} wide title=${mix.name ? t("The stream {name}", { name: mix.name }) : t("A new stream")} act=${act} submit=${t("Save")} onSubmit=${save} onClose=${onClose}>
    <div class="fields"><${Text} label=${t("Name")} placeholder="lobby" required disabled=${!!mix.name} value=${name} onValue=${setName} /><${Select} label=${t("Who may read it")} value=${audience} onValue=${setAudience} options=${roles()} /></div>
    <fieldset><legend class="legend">${t("What it is made of")}</legend><p class="soft small">${t("Names of signals, with * for any letters: box.* alert.* answer.*")}</p>
      ${parts.map((part, i) => html`<${Part} key=${i} part=${part} streams=${[...new Set([...streams, part.stream])].filter((each) => each !== name)} onPart=${(now) => set(parts.map((old, nth) => (nth === i ? now : old)))} onDrop=${parts.length > 1 && (() => set(parts.filter((_, nth) => nth !== i)))} />`)}
      <div><${Button} icon="plus" onClick=${() => set([...parts, BLANK])}>${t("Another part")}</${Button}></div></fieldset></${FormDialog}>`;
}

export default function Streams() {
  const from = useLoad("/api/streams"), [edits, edit] = useState(null);
  const done = (changed) => (edit(null), changed && from.again());
  const drop = async (mix) => {
    if (!(await confirm({ title: t("Take the stream {name} back?", { name: mix.name }), text: t("A room gets its first composition again; another stream is gone, and who shows it shows nothing."), yes: t("Take it back") }))) return;
    await remove(at(mix.name)).then(() => tell(t("It was taken back.")), tellFault);
    from.again();
  };
  return html`<${Page} title=${t("Rooms")} lead=${t("A stream is a named set of signals that screens follow. Compose one of others: for a lobby, a project, a program.")} acts=${html`<${Button} kind="main" icon="plus" onClick=${() => edit({})}>${t("New stream")}</${Button}>`}>
    <${Tabs} label=${t("Rooms")} tabs=${TABS()} />
    <${Loaded} from=${from}>${(told) => html`
      <${Note}><div>${t("Streams there are:")} ${told.streams.map((name) => html`<span key=${name}><code>${name}</code> </span>`)}</div></${Note}>
      ${told.declared.length ? html`<${Card} flush><ul class="list">${told.declared.map((mix) => html`<li key=${mix.name}><div class="what"><b class="mono">${mix.name}</b><span>${mix.parts.map((part) => `${part.stream}: ${[part.signals].flat().join(" ")}`).join(" · ")}</span></div><${Badge}>${mix.audience}</${Badge}>
        <div class="acts"><${Button} kind="quiet" icon="edit" label=${t("Change {name}", { name: mix.name })} onClick=${() => edit(mix)} /><${Button} kind="quiet danger" icon="trash" label=${t("Take {name} back", { name: mix.name })} onClick=${() => drop(mix)} /></div></li>`)}</ul></${Card}>`
      : html`<${Empty} icon="wave" title=${t("Nothing is composed yet")} text=${t("Every room has a stream by itself. Compose one when a place should show something of its own.")} />`}
      ${edits && html`<${Edit} mix=${edits} streams=${told.streams} onClose=${done} />`}`}</${Loaded}>
  </${Page}>`;
}
