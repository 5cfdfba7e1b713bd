// a kiosk that its box has not let in: shows the code, and makes room for the content once it is in
"use strict";

const $ = (id) => document.getElementById(id);

function show({ box, state, code, qr, problem, hint }) {
  const waits = state === "waiting" && code;
  if (box) $("box").textContent = box;
  $("say").textContent = waits ? "Tell your admin this code." : problem ?? "This screen is not let in.";
  $("more").textContent = waits ? "Or: appliance admin approve " + code : hint ?? "It asks again by itself.";
  $("code").textContent = waits && code.slice(0, 3) + "-" + code.slice(3);
  $("code").ariaLabel = waits && "Code of this screen: " + [...code].join(" ");
  $("code").hidden = $("qr").hidden = !waits;
  if (waits && $("qr").src !== qr) $("qr").src = qr;
}

async function look() {
  try {
    const told = await (await fetch("/screen")).json();
    if (!["waiting", "refused"].includes(told.state)) return location.reload();
    show(told);
  } catch {
    show({ problem: "The agent of this screen does not answer.", hint: "It is looked for again and again." });
  }
  setTimeout(look, 1000);
}
look();
