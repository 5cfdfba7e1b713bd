// What changes something in the box. Who is signed in proves with it that the box's own page sent it.

import { t } from "./words.mjs";

let proof = "";

export async function send(method, path, body, more) {
  const go = () => fetch(path, { method, headers: { "Content-Type": "application/json", "X-CSRF-Token": proof, ...more }, body: JSON.stringify(body) });
  try {
    const answer = await go(), said = answer.status === 403 && (await answer.clone().json());
    if (said.code !== "BRG482") return answer;
    proof = (await (await fetch("/api/session")).json()).csrf;
    return await go();
  } catch {
    return null;
  }
}

// what a refused request says, as a sentence and what to do
export async function refusal(answer) {
  const said = await answer?.json().catch(() => null);
  return said ? [said.message, said.hint].filter(Boolean).join(" ") : t("The box does not answer. Nothing was changed.");
}
