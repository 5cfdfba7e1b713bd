// An answer with a number becomes an alert: what is watched is its plan, what is said and when is chosen here.

import { add, make, refusal, send, show, t } from "./given.mjs";
import { button, choice, dialog, field } from "./dialogs.mjs";
import { toast } from "./toast.mjs";

const NAME_LIMIT = 80;

// what the box watches for such a plan
export function watched(plan) {
  const { aggregate: op, field: name } = plan.select.find((it) => it.aggregate);
  return { collection: plan.collection, where: plan.where ?? [], aggregate: { op, field: name }, group: plan.group ?? [] };
}

// "7 beds are free." begins with its number, which then fills in by itself
export function message(a) {
  const number = show(a.view.value);
  if (a.view.kind === "number" && a.told.startsWith(`${number} `)) return `{value}${a.told.slice(number.length)}`;
  const group = a.get("plan").group?.[0];
  return `${a.reading}: {value}${group ? ` (${`{${group}}`})` : ""}`;
}

export function openAlert(a) {
  const plan = a.get("plan"), numbers = a.rows.map((row) => row[a.view.value]).filter((it) => typeof it === "number");
  const now = a.view.kind === "number" ? a.view.value : Math.min(...numbers);
  dialog(t("Tell us when this changes"), (box, close) => {
    const form = add(box, "form"), problem = make("p", "problem");
    add(form, "p", "soft", a.reading).lang = "en";
    const side = field(form, t("When the number is"), choice([["below", t("below")], ["above", t("above")]], "below"));
    const limit = field(form, t("this number"), Object.assign(make("input"), { type: "number", step: "any", required: true, value: Number.isFinite(now) ? now : 0 }));
    const words = field(form, t("say"), Object.assign(make("input"), { value: message(a), required: true, maxLength: 300 }));
    const who = field(form, t("on the screens of"), choice([["wall", t("everybody, walls too")], ["staff", t("staff")], ["admin", t("the admin")]], "staff"));
    add(form, "p", "soft", t("{value} stands for the number. The alert goes by itself once the number is back."));
    problem.role = "alert";
    form.append(problem);
    const save = button(form, "primary", t("Set this alert"), null);
    save.type = "submit";
    form.onsubmit = async (event) => {
      event.preventDefault();
      save.disabled = true;
      const name = `${a.reading} ${side.selectedOptions[0].textContent} ${limit.value}`.slice(0, NAME_LIMIT);
      const body = { ...watched(plan), name, message: words.value, direction: side.value, threshold: Number(limit.value), audience: who.value };
      const answer = await send("POST", "/api/alerts", body);
      save.disabled = false;
      if (!answer?.ok) return (problem.textContent = await refusal(answer));
      const rule = await answer.json();
      close();
      toast(t("The alert is set."), { label: t("Undo"), press: () => takeBack(rule.id) });
    };
    limit.select();
  });
}

async function takeBack(id) {
  const answer = await send("DELETE", `/api/alerts/${id}`);
  toast(answer?.ok ? t("Taken back.") : await refusal(answer));
}
