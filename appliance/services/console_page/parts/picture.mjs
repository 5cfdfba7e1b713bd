// What a screen shows now, as the box draws it; only while one can see it here, and only anew when it changed.
import { html, useEffect, useRef, useState } from "../ui.mjs";
import { reach } from "../core/api.mjs";
import { t } from "../core/words.mjs";

const EVERY_MS = 4000;

export function Picture({ path, alt, live = true, every = EVERY_MS }) {
  const around = useRef(null), [shown, show] = useState({ url: "", failed: false });
  useEffect(() => {
    let mark = "", url = "", seen = false, timer = 0, over = false;
    const look = async () => {
      clearTimeout(timer);
      if (seen && !document.hidden) {
        const reply = await reach("GET", path, { quiet: true }).catch(() => null);
        if (over) return;
        const tag = reply?.headers.get("etag");
        if (!reply?.ok) show((old) => ({ ...old, failed: true }));
        else if (!tag || tag !== mark) {
          const next = URL.createObjectURL(await reply.blob());
          show({ url: next, failed: false });
          if (url) URL.revokeObjectURL(url);
          [mark, url] = [tag, next];
        }
      }
      if (!over) timer = setTimeout(look, every);
    };
    const watch = new IntersectionObserver(([entry]) => {
      const before = seen;
      seen = entry.isIntersecting;
      if (seen && !before) look();
    });
    watch.observe(around.current);
    return () => {
      over = true;
      watch.disconnect();
      clearTimeout(timer);
      if (url) URL.revokeObjectURL(url);
    };
  }, [path]);
  const words = shown.failed ? t("No picture yet") : t("Loading …");
  return html`<div ref=${around} class=${`pic${live ? "" : " away-now"}`}>${shown.url ? html`<img src=${shown.url} alt=${alt} />` : html`<span>${words}</span>`}</div>`;
}
