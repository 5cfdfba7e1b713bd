// What the admin shows on this screen alone: a message over everything, or which screen it is.

import { add, make, page, put, root, signals, t } from "./given.mjs";

let sign, timer;

const held = (what) => {
  const said = signals.get(`to.${page.screen}.${what}`), left = said && said.until - (Date.now() + page.skew);
  return said && typeof said === "object" && !(left <= 0) ? { ...said, left } : null;
};

export function drawSign() {
  const identify = held("identify"), message = held("message"), shown = identify ?? message;
  root.toggleAttribute("data-sign", !!shown);
  clearTimeout(timer);
  if (!shown) return sign?.remove();
  if (!sign) {
    sign = make("section");
    sign.id = "sign";
    for (const tag of ["h2", "p", "p"]) add(sign, tag);
  }
  if (!sign.isConnected) {
    sign.role = "alert";
    sign.ariaLabel = t("From the admin");
    document.body.append(sign);
  }
  const [title, words, room] = sign.children;
  sign.className = identify ? "identify" : "message";
  put(title, identify ? String(identify.name ?? "") : t("From the admin"));
  put(words, String((identify ? identify.code : message.text) ?? ""));
  put(room, identify ? String(identify.room ?? "") : "");
  // the box takes it away too; where that does not come through, it still ends
  if (shown.left > 0) timer = setTimeout(drawSign, Math.min(shown.left + 50, 2 ** 30));
}
