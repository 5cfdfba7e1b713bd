"""Plans beyond a query, in plain words: what the box would do, for a person to say yes or no to.

>>> plan = Alert("beds", (Condition("status", "eq", "free"),), Measure("*", "count"), "lt", 3)
>>> form_words(plan, beds, today)  # doctest: +SKIP
"tell the staff's screens when the number of beds where status is free falls under 3"
"""

from __future__ import annotations

from datetime import date
from typing import Final

from appliance.llm.forms import (
    MESSAGE_AT_MOST,
    Acting,
    AddField,
    Alert,
    AlertCancel,
    Measure,
    Summary,
    main_time,
)
from appliance.llm.plan import Condition
from appliance.llm.render import words_of, words_where
from appliance.llm.saying import join, number, say_collection, say_label, say_span, say_value, span
from appliance.types import Collection

_SCREENS: Final = {"wall": "every screen", "staff": "the staff's screens", "admin": "the admin's screens"}
_PAST: Final = {
    "lt": "falls under {}",
    "lte": "falls to {} or less",
    "gt": "rises over {}",
    "gte": "rises to {} or more",
}
_KINDS: Final = {
    "boolean": "yes or no", "integer": "whole numbers", "numeric": "numbers", "date": "days", "timestamptz": "times",
    "text": "texts", "jsonb": "nested values",
}  # fmt: skip
_NO_DAY: Final = date.min
"""An alert lasts: no day is "today" in its words."""
_NAME_AT_MOST: Final = 200
_TITLE_AT_MOST: Final = 300


def form_words(plan: Acting | Summary, collection: Collection | None, today: date) -> str:
    """A plan beyond a query as what the box would do: ``add a field weight of numbers to patients``."""
    if isinstance(plan, Summary):
        return _of_summary(plan, collection, today)
    assert collection is not None
    if isinstance(plan, Alert):
        return f"tell {_SCREENS[plan.audience]} {_when(plan, collection)}"
    return _of_cancel(plan, collection) if isinstance(plan, AlertCancel) else _of_addition(plan, collection)


def alert_name(plan: Alert, collection: Collection) -> str:
    """What an alert is called in lists: when it fires."""
    return _cut(_when(plan, collection).removeprefix("when "), _NAME_AT_MOST)


def alert_message(plan: Alert, collection: Collection) -> str:
    """What screens show when an alert fires: its own message, else one made from the plan."""
    if plan.message:
        return plan.message
    measured = plan.measure is not None
    title = _plain(_cut(_told(plan, collection), _TITLE_AT_MOST))
    aggregate = plan.measure is not None and plan.measure.aggregate is not None
    subject = ("{subject}: " if plan.group else "") if aggregate else "{" + _title(plan, collection) + "}: "
    text = f"{subject}{title}{' is {value}' if measured else ''}."
    return (text if text.startswith("{") else text[0].upper() + text[1:])[:MESSAGE_AT_MOST]


def _plain(text: str) -> str:
    """A text without braces: in a message they stand around names."""
    return text.replace("{", "(").replace("}", ")")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _told(plan: Alert, collection: Collection) -> str:
    if plan.measure is None:
        return join(words_where(plan.where, collection, _NO_DAY))
    return _number(plan.measure, collection) + _where(plan.where, collection)


def _title(plan: Alert, collection: Collection) -> str:
    """The field that tells the rows of an alert apart: the first text that is not the same in all of them."""
    same = {condition.field for condition in plan.where if condition.op == "eq"}
    texts = [field.name for field in collection.fields if field.type == "text" and field.name not in same]
    return next(iter(texts), "subject")


def _when(plan: Alert, collection: Collection) -> str:
    """``when the number of beds where status is free falls under 3``."""
    one = say_collection(collection, 1)
    if plan.measure is None:
        return f"when there is a row of {say_collection(collection)}{_where(plan.where, collection)}"
    said = _PAST[plan.op or "lt"].format(number(plan.threshold))
    if plan.measure.aggregate is None:
        return f"when {say_label(collection, plan.measure.field)} of one {one}{_where(plan.where, collection)} {said}"
    per = f" for any {join([say_label(collection, name) for name in plan.group])}" if plan.group else ""
    return f"when the {_number(plan.measure, collection)}{_where(plan.where, collection)}{per} {said}"


def _number(measure: Measure, collection: Collection) -> str:
    told = words_of(measure.field, measure.aggregate, collection)
    return told if measure.field == "*" or measure.aggregate is None else f"{told} of {say_collection(collection)}"


def _where(where: tuple[Condition, ...], collection: Collection) -> str:
    return f" where {join(words_where(where, collection, _NO_DAY))}" if where else ""


def _of_cancel(plan: AlertCancel, collection: Collection) -> str:
    named = f" named “{plan.name}”" if plan.name else ""
    about = f" about {_number(plan.measure, collection)}" if plan.measure else ""
    many = len(plan.alerts) > 1 or not (plan.alerts or named)
    which = f"{'s' if many else ''}{' ' if plan.alerts else ''}{join([str(each) for each in plan.alerts])}"
    return f"end the alert{which}{named} on {say_collection(collection)}{about}{_where(plan.where, collection)}"


def _of_addition(plan: AddField, collection: Collection) -> str:
    made = f"computed as {plan.formula}" if plan.formula is not None else f"for {_KINDS[plan.type or 'text']}"
    return f"add a field “{plan.label}” to {say_collection(collection)}, {made}"


def _of_summary(plan: Summary, collection: Collection | None, today: date) -> str:
    what = say_collection(collection) if collection else "everything"
    when = window_words(plan, today)
    field = main_time(collection) if collection and when else None
    if collection is None or field is None:
        return f"summary of {what}{f', {when}' if when else ''}"
    return f"summary of {what} by {say_label(collection, field)}, {when}"


def window_words(plan: Summary, today: date) -> str:
    """The time a summary is of: ``today``, ``from 16 to 22 November 2026``, or nothing where it is of all time."""
    between = span(plan.start, plan.end)
    if between is not None:
        return say_span(*between, today)
    start = f"from {say_value(plan.start)}" if plan.start else ""
    end = f"until {say_value(plan.end)}" if plan.end else ""
    return f"{start} {end}".strip()
