// What the pages of one collection share: its title, and the way between its rows, fields and relations.
import { html } from "../ui.mjs";
import { t } from "../core/words.mjs";
import { To } from "./button.mjs";
import { Page, Tabs } from "./page.mjs";

export function CollectionPage({ name, lead, acts, children }) {
  const at = `/admin/collections/${name}`;
  const tabs = [[at, t("Rows")], [`${at}/fields`, t("Fields and who sees them")], [`${at}/relations`, t("Relations")]];
  return html`<${Page} title=${name} back=${["/admin/collections", t("Collections")]} lead=${lead} acts=${html`${acts}<${To} icon="plus" href=${`/admin/import?to=${name}`}>${t("Import into it")}</${To}>`}>
    <${Tabs} label=${name} tabs=${tabs} />${children}</${Page}>`;
}
