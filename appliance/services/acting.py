"""Plans that change something: an alert, the end of one, a new field. Offered in words, done after a yes.

    a plan -> does it fit? -> would the data service do it for this role? -> "Shall I ...?" -> yes -> done

A plan from a question is offered, never done. The offer's own plan is `confirmed`: when that one comes back, it is
checked once more and done, under the role that said yes. Doing it again changes nothing more, so that a part of the
box may fail in the middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm.form_words import alert_message, alert_name, form_words
from appliance.llm.forms import ALERTS_AT_MOST, Acting, AddField, Alert, AlertCancel, Past
from appliance.llm.saying import join, say_collection
from appliance.llm.words import fold
from appliance.services import clients
from appliance.types import Answer, Collection, Question, RoleName, Status

__all__ = ["Actor", "declaration"]

Rule = dict[str, Any]
WORK_S: Final = 60.0
"""How long the data service may take to do what was said yes to."""
NAMED_AT_MOST: Final = 8
"""Alerts that are offered to choose from."""
_YES: Final[dict[type, str]] = {Alert: "Yes, set this alert", AddField: "Yes, add this field"}
_NOT_THIS_ROLE: Final = frozenset({"PGF106"})


class Actor:
    """Offers and does what plans would change.

    Args:
        runtime: where the data service is.
        client: reaches it.
        today: the facility's day.
    """

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient, today: Callable[[], date]) -> None:
        self._runtime, self._client, self._today = runtime, client, today
        self._one_at_a_time = asyncio.Lock()

    async def run(self, question: Question, plan: Acting, collection: Collection) -> Answer:
        """Offer a plan that fits, or do it where it is one that was said yes to.

        Raises:
            ApplianceError: LLM213, this role may not; BRG406, the data service does not answer.
        """
        if question.role == "wall":
            raise _may_not(plan, question.role)
        if question.plan is None and plan.confirmed:
            plan = msgspec.structs.replace(plan, confirmed=False)  # only a person says yes
        try:
            async with self._one_at_a_time:
                return await self._run(question, plan, collection)
        except ApplianceError as error:
            if error.code in _NOT_THIS_ROLE:
                raise _may_not(plan, question.role) from None
            if error.status >= 500:
                raise
            return _answer(question, "refused", self._words(plan, collection), error.message, error=error)

    async def _run(self, question: Question, plan: Acting, collection: Collection) -> Answer:
        if isinstance(plan, AlertCancel):
            return await self._cancel(question, plan, collection)
        words = self._words(plan, collection)
        if not plan.confirmed:
            await self._tried(question, plan, collection, dry_run=True)
            return _offer(question, words, f"Shall I {words}?", plan, _YES[type(plan)])
        return _answer(question, "answered", words, await self._tried(question, plan, collection, dry_run=False))

    def _words(self, plan: Acting, collection: Collection) -> str:
        return form_words(plan, collection, self._today())

    async def _data(self, method: str, path: str, role: RoleName, body: Any = None) -> Any:
        return await clients.told_by_data(self._client, self._runtime, method, path, role, body, WORK_S)

    async def _tried(self, question: Question, plan: Alert | AddField, collection: Collection, dry_run: bool) -> str:
        """Have the data service do it, or only check it; says what was done."""
        if isinstance(plan, AddField):
            return await self._add(plan, collection, question.role, dry_run)
        body = declaration(plan, collection)
        words = self._words(plan, collection)
        await self._data("POST", "/alerts?dry_run=true", question.role, body)
        if dry_run:
            return ""
        if any(_is_same(rule, body) for rule in await self._rules(collection.name, question.role)):
            return f"This alert is set: I {words}."
        rule: Rule = await self._data("POST", "/alerts", question.role, body)
        if rule.get("problem"):
            return f"The alert is set, but it cannot go on: {rule['problem']}"
        return f"Done. From now on I {words}."

    # Fields ----------------------------------------------------------------------------------------------

    async def _add(self, plan: AddField, collection: Collection, role: RoleName, dry_run: bool) -> str:
        body = {"type": plan.type} if plan.formula is None else {"formula": plan.formula}
        path = f"/flex/{quote(collection.name)}/fields/{quote(plan.label, safe='')}"
        await self._data("PUT", f"{path}?dry_run=true" if dry_run else path, role, body)
        computed = " It is computed for every row." if plan.formula is not None else " No row has a value of it yet."
        return f"Done. {say_collection(collection).capitalize()} have a field “{plan.label}” now.{computed}"

    # Ending alerts ---------------------------------------------------------------------------------------

    async def _cancel(self, question: Question, plan: AlertCancel, collection: Collection) -> Answer:
        await self._check_level(plan, question.role)
        rules = await self._rules(collection.name, question.role)
        found = [rule for rule in rules if _matches(rule, plan)]
        words = self._words(plan, collection)
        if plan.confirmed:
            for rule in found:
                await self._data("DELETE", f"/alerts/{rule['id']}", question.role)
            return _answer(question, "answered", words, _ended(found))
        if not found:
            error = ApplianceError(
                "PGF118",
                f"There is no such alert on {say_collection(collection)}.",
                {"alerts": [r["id"] for r in rules]},
            )
            return _answer(question, "refused", words, error.message, error=error)
        if len(found) == 1 or plan.alerts:
            told = join([self._of_rule(rule, collection) for rule in found])
            yes = "Yes, end this alert" if len(found) == 1 else f"Yes, end these {len(found)} alerts"
            return _offer(question, words, f"Shall I end {told}?", _ending(plan, found), yes)
        return self._which(question, plan, words, found, collection)

    async def _check_level(self, plan: Acting, role: RoleName) -> None:
        """Refuse a role that may not end alerts before it is told which there are."""
        level = "admin" if role == "admin" else "staff"
        if role not in ("admin", "staff"):
            level = (await self._data("GET", f"/roles/{quote(role)}", role))["level"]
        if level != "admin":
            raise _may_not(plan, role)

    async def _rules(self, collection: str, role: RoleName) -> list[Rule]:
        rules: list[Rule] = await self._data("GET", "/alerts", role)
        return [rule for rule in rules if rule["collection"] == collection]

    def _which(
        self, question: Question, plan: AlertCancel, words: str, found: list[Rule], collection: Collection
    ) -> Answer:
        """Several alerts match: which one is meant is asked back; each choice is then offered by itself."""
        choices = [
            _choice(f"End {self._of_rule(rule, collection)}", _ending(plan, [rule])) for rule in found[:NAMED_AT_MOST]
        ]
        choices.append(_choice(f"End all {len(found)}", _ending(plan, found)))
        error = ApplianceError(
            "LLM207", f"{len(found)} alerts on {say_collection(collection)} match.", None, "Choose which to end."
        )
        return _answer(question, "clarify", words, error.message, choices=choices, error=error)

    def _of_rule(self, rule: Rule, collection: Collection) -> str:
        """An alert by its name, and by what it does where its name does not say that."""
        named = f"the alert “{rule['name']}”"
        watched = alert_of(rule)
        if watched is None or rule["name"] in {alert_name(each, collection) for each in _alike(watched)}:
            return named
        return f"{named}, to {form_words(watched, collection, self._today())}"


def declaration(plan: Alert, collection: Collection) -> dict[str, Any]:
    """An alert as the data service takes it."""
    body: dict[str, Any] = {
        "name": alert_name(plan, collection),
        "collection": plan.collection,
        "message": alert_message(plan, collection),
        "where": [msgspec.to_builtins(condition) for condition in plan.where],
        "audience": plan.audience,
    }
    if plan.measure is None:
        return body
    body |= {"direction": plan.direction, "threshold": plan.limit}
    if plan.measure.aggregate is None:
        return body | {"field": plan.measure.field}
    return body | {
        "aggregate": {"op": plan.measure.aggregate, "field": plan.measure.field},
        "group": list(plan.group),
    }


def alert_of(rule: Mapping[str, Any]) -> Alert | None:
    """The plan of an alert that is set; None where it says what no plan says."""
    aggregate, field = rule.get("aggregate"), rule.get("field")
    measure = None
    if aggregate:
        measure = {"field": aggregate.get("field", "*"), "aggregate": aggregate["op"]}
    elif field:
        measure = {"field": field}
    op = {"below": "lt", "above": "gt", None: None}[rule.get("direction")]
    told = {"form": "alert", "collection": rule["collection"], "where": rule.get("where") or [], "measure": measure}
    told |= {"op": op, "threshold": _number(rule.get("threshold")), "group": rule.get("group") or []}
    try:
        return msgspec.convert(told | {"audience": rule.get("audience", "staff")}, type=Alert)
    except msgspec.ValidationError:
        return None


def _alike(plan: Alert) -> list[Alert]:
    """An alert, and the one that says the same of whole numbers: over 4 is at least 5."""
    if plan.op not in ("lt", "gt") or plan.threshold is None:
        return [plan]
    op: Past = "lte" if plan.op == "lt" else "gte"
    return [plan, msgspec.structs.replace(plan, op=op, threshold=plan.threshold + (1 if plan.op == "gt" else -1))]


def _number(value: Any) -> int | float | None:
    if value is None:
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def _is_same(rule: Rule, body: Mapping[str, Any]) -> bool:
    """Whether an alert that goes on is what a declaration asks for."""
    if not rule.get("enabled", True) or any(rule[key] != body[key] for key in ("name", "message", "audience")):
        return False
    same = alert_of(rule)
    return same is not None and same == alert_of({**body, "threshold": body.get("threshold")})


def _matches(rule: Rule, plan: AlertCancel) -> bool:
    """Whether an alert is one that a plan wants to end."""
    if plan.alerts:
        return rule["id"] in plan.alerts
    watched = alert_of(rule)
    if watched is None:
        return not plan.where and plan.measure is None and _named(rule, plan.name)
    tested = all(condition in watched.where for condition in plan.where)
    return tested and plan.measure in (None, watched.measure) and _named(rule, plan.name)


def _named(rule: Rule, name: str) -> bool:
    return not name or fold(name) in fold(f"{rule['name']} {rule['message']}")


def _ending(plan: AlertCancel, rules: Sequence[Rule]) -> AlertCancel:
    """The plan that ends just these alerts, once it is said yes to."""
    return AlertCancel(plan.collection, alerts=tuple(rule["id"] for rule in rules[:ALERTS_AT_MOST]))


def _ended(rules: list[Rule]) -> str:
    if not rules:
        return "These alerts had ended before; nothing was done."
    named = join([f"“{rule['name']}”" for rule in rules[:NAMED_AT_MOST]])
    return f"Done. {'The alert' if len(rules) == 1 else f'{len(rules)} alerts'} {named} will tell nothing more."


def _may_not(plan: Acting, role: RoleName) -> ApplianceError:
    stored = isinstance(plan, AddField) and plan.formula is None
    who = "those who may write to it, and walls may not" if stored else "the admin"
    what = "Alerts are set and ended by" if not isinstance(plan, AddField) else "Fields are added by"
    return ApplianceError(
        "LLM213",
        f"{what} {who}; this was asked as {role}.",
        {"role": role, "may": ["staff", "admin"] if stored else ["admin"]},
        f"Open the box's page with the key of {'staff or the admin' if stored else 'the admin'} and ask there.",
    )


def _choice(label: str, plan: Acting) -> dict[str, Any]:
    return {"label": label, "plan": msgspec.to_builtins(plan)}


def _offer(question: Question, words: str, sentence: str, plan: Acting, yes: str) -> Answer:
    """What would be done, and the one plan that does it."""
    confirmed = msgspec.structs.replace(plan, confirmed=True)
    return _answer(question, "confirm", words, sentence, choices=[_choice(yes, confirmed)])


def _answer(
    question: Question,
    status: Status,
    words: str,
    sentence: str,
    *,
    choices: Iterable[dict[str, Any]] = (),
    error: ApplianceError | None = None,
) -> Answer:
    """An answer without rows; it has no plan, so that nothing runs it again."""
    return Answer(
        question.id,
        question.text,
        status,
        words,
        sentence=sentence,
        choices=tuple(choices),
        view={"kind": "text"},
        error=error.shape() if error else None,
    )
