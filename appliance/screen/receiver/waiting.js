// a kiosk that its box has not let in: shows the code, and makes room for the content once it is in
"use strict";

const GERMAN = {
  "Join": "Beitreten",
  "Saying hello to the box …": "Meldet sich bei der Box …",
  "Tell your admin this code.": "Nennen Sie Ihrem Admin diesen Code.",
  "This screen is not let in.": "Dieser Bildschirm ist nicht zugelassen.",
  "Or: {0}": "Oder: {0}",
  "It asks again by itself.": "Er fragt von selbst wieder.",
  "Code of this screen": "Code dieses Bildschirms",
  "Code of this screen: {0}": "Code dieses Bildschirms: {0}",
  "The agent of this screen does not answer.": "Der Agent dieses Bildschirms antwortet nicht.",
  "It is looked for again and again.": "Er wird immer wieder gesucht.",
};
const german = navigator.language.startsWith("de");
const t = (english, value) => (german ? GERMAN[english] : english).replace("{0}", value);
const $ = (id) => document.getElementById(id);

function show({ box, state, code, qr, problem, hint }) {
  const waits = state === "waiting" && code;
  if (box) $("box").textContent = box;
  $("say").textContent = waits ? t("Tell your admin this code.") : problem ?? t("This screen is not let in.");
  $("more").textContent = waits ? t("Or: {0}", "appliance admin approve " + code) : hint ?? t("It asks again by itself.");
  $("code").textContent = waits && code.slice(0, 3) + "-" + code.slice(3);
  $("code").ariaLabel = waits && t("Code of this screen: {0}", [...code].join(" "));
  $("code").hidden = $("qr").hidden = !waits;
  if (waits && $("qr").src !== qr) $("qr").src = qr;
}

async function look() {
  try {
    const told = await (await fetch("/screen")).json();
    if (!["waiting", "refused"].includes(told.state)) return location.reload();
    show(told);
  } catch {
    show({ problem: t("The agent of this screen does not answer."), hint: t("It is looked for again and again.") });
  }
  setTimeout(look, 1000);
}
if (german) document.documentElement.lang = "de";
document.title = t("Join");
$("say").textContent = t("Saying hello to the box …");
$("code").ariaLabel = t("Code of this screen");
look();
