"""Plans beyond a query: watch for something, stop watching, add a field, sum up.

What a plan would change is done only after a person has read it in plain words and said yes: the box offers it, and
the offer's own plan is `confirmed`. A summary only reads.

    >>> read_plan({"form": "alert_cancel", "collection": "beds", "alerts": [7]}).alerts
    (7,)
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.plan import (
    NUMBERS,
    ORDERED,
    TIMES,
    Aggregate,
    Clarify,
    Condition,
    Query,
    Refuse,
    check_aggregate,
    check_condition,
    is_time,
    unfit,
    validate,
    value_fits,
)
from appliance.llm.words import words
from appliance.types import Catalog, Collection, FieldType, Role

Past = Literal["lt", "lte", "gt", "gte"]

HISTORY: Final = "alerts"
"""The collection of what fired; the box's own."""
CONDITIONS_AT_MOST: Final = 20
GROUPS_AT_MOST: Final = 10
MESSAGE_AT_MOST: Final = 500
LABEL_AT_MOST: Final = 200
FORMULA_AT_MOST: Final = 2000
ALERTS_AT_MOST: Final = 100
BUILT_IN: Final = frozenset({"value", "threshold", "subject", "rule"})
"""What a message may name besides fields."""

_BLANK: Final = re.compile(r"\{([^{}]*)\}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)
_NO_EVENT: Final = frozenset("birth born dob expires expiry due until end ends ended discharged paid".split())
"""Words of fields that say something else than when a row happened."""


class Measure(msgspec.Struct, frozen=True, omit_defaults=True):
    """The number that is watched: a field's in each row, or an aggregate; ``*`` stands for the rows themselves."""

    field: str
    aggregate: Aggregate | None = None


class Alert(msgspec.Struct, frozen=True, tag="alert", tag_field="form", omit_defaults=True):
    """Tell screens when a number passes a threshold, or when there is a row that meets the conditions.

    Attributes:
        where: tests that rows must pass to count.
        measure: the number; None: each row that meets `where` is told.
        op: on which side of the threshold it is told; at least and at most only of whole numbers.
        group: of an aggregate; each combination of these fields' values is watched by itself.
        message: {value}, {threshold}, {subject}, {rule} and fields are filled in; empty: made from the plan.
        audience: the least trusted role that is told.
        confirmed: a person has said yes to it.
    """

    collection: str
    where: tuple[Condition, ...] = ()
    measure: Measure | None = None
    op: Past | None = None
    threshold: int | float | None = None
    group: tuple[str, ...] = ()
    message: str = ""
    audience: Role = "staff"
    confirmed: bool = False

    @property
    def direction(self) -> Literal["below", "above"] | None:
        """On which side of :attr:`limit` it fires."""
        return None if self.op is None else "below" if self.op in ("lt", "lte") else "above"

    @property
    def limit(self) -> int | float | None:
        """The threshold that the number has to be past: "at least 5" of whole numbers is above 4."""
        if self.threshold is None or self.op in (None, "lt", "gt") or not float(self.threshold).is_integer():
            return self.threshold
        return int(self.threshold) + (1 if self.op == "lte" else -1)


class AlertCancel(msgspec.Struct, frozen=True, tag="alert_cancel", tag_field="form", omit_defaults=True):
    """End alerts on a collection: those named by id, else those that match all that is said.

    Attributes:
        where: tests that the alert must have.
        measure: the number that the alert must watch.
        name: what its name or message must contain; case does not count.
        alerts: ids of alerts.
        confirmed: a person has said yes to ending just `alerts`.
    """

    collection: str
    where: tuple[Condition, ...] = ()
    measure: Measure | None = None
    name: str = ""
    alerts: tuple[int, ...] = ()
    confirmed: bool = False


class AddField(msgspec.Struct, frozen=True, tag="add_field", tag_field="form", omit_defaults=True):
    """Add a field to a collection: a stored one of a type, or one that is computed by a formula."""

    collection: str
    label: str
    type: FieldType | None = None
    formula: str | None = None
    confirmed: bool = False


class Summary(msgspec.Struct, frozen=True, tag="summary", tag_field="form", omit_defaults=True):
    """Sum up a collection, or all that the role sees, from `start` up to, not including, `end`; either may be open."""

    collection: str | None = None
    start: str | None = None
    end: str | None = None


Acting = Alert | AlertCancel | AddField
"""What changes something, and is offered before it is done."""
Plan = Query | Clarify | Refuse | Alert | AlertCancel | AddField | Summary


def read_plan(value: object) -> Plan:
    """A plan of any form from JSON values; without a form it is a query.

    Raises:
        ApplianceError: LLM206, it is no plan.
    """
    kind: Any = Query if isinstance(value, dict) and "form" not in value else Plan
    try:
        plan: Plan = msgspec.convert(value, type=kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ApplianceError("LLM206", "This is not a plan.", str(error)) from None
    return plan


def is_confirmed(value: object) -> bool:
    """Whether a plan, as JSON values, is one that a person said yes to: it may be done once only."""
    return isinstance(value, dict) and value.get("confirmed") is True


def check_form(plan: Plan, catalog: Catalog) -> Collection | None:
    """Check a plan of any form against what a role may see.

    Returns:
        The collection it is about; None where it is about all.

    Raises:
        ApplianceError: LLM206, with the part that does not fit in the details.
    """
    if isinstance(plan, Query):
        return validate(plan, catalog)
    if isinstance(plan, Clarify | Refuse):
        raise unfit("This plan only says something; there is nothing to run.", msgspec.to_builtins(plan)["form"])
    if isinstance(plan, Summary) and plan.collection is None:
        _check_window(plan)
        return None
    collection = catalog.collection(plan.collection or "")
    if collection is None:
        raise unfit("There is no such collection for this role.", plan.collection)
    if isinstance(plan, Alert):
        _check_alert(plan, collection)
    elif isinstance(plan, AlertCancel):
        _check_cancel(plan, collection)
    elif isinstance(plan, AddField):
        _check_addition(plan, collection)
    else:
        _check_window(plan)
        if (plan.start or plan.end) and main_time(collection) is None:
            raise unfit(f"{collection.label} has no days or times.", plan.collection)
    return collection


def main_time(collection: Collection) -> str | None:
    """The field that says when a row of a collection happened; None where it holds no days or times."""
    names = [field.name for field in collection.fields if field.type in TIMES]
    happened = [name for name in names if not {word.folded for word in words(name.replace("_", " "))} & _NO_EVENT]
    usual = [name for name in happened if name != "created_at"]
    return next(iter(usual or happened or names), None)


# Alerts ----------------------------------------------------------------------------------------------------


def _check_alert(plan: Alert, collection: Collection) -> None:
    if collection.name == HISTORY:
        raise unfit("The box's own alerts cannot be watched.", plan.collection)
    if len(plan.where) > CONDITIONS_AT_MOST or len(plan.group) > GROUPS_AT_MOST:
        raise unfit(f"An alert has at most {CONDITIONS_AT_MOST} tests and {GROUPS_AT_MOST} groups.", plan.collection)
    for condition in plan.where:
        _check_watched(condition, collection)
    for name in plan.group:
        _own(name, collection)
    if len(set(plan.group)) < len(plan.group):
        raise unfit("An alert cannot group by a field twice.", list(plan.group))
    if plan.measure is None:
        _check_rows(plan)
    else:
        _check_measure(plan, plan.measure, collection)
    _check_message(plan, collection)


def _own(name: str, collection: Collection) -> None:
    """Refuse what an alert cannot watch: the id, and fields of other collections."""
    if "." in name or name == "id" or collection.field(name) is None:
        raise unfit(f"{collection.label} has no such field to watch for this role.", name)


def _check_watched(condition: Condition, collection: Collection) -> None:
    _own(condition.field, collection)
    check_condition(condition, collection)
    field = collection.field(condition.field)
    assert field is not None
    if condition.other:
        _own(condition.other, collection)
        return
    values = condition.value if condition.op == "in" else [condition.value]
    timed = field.type == "timestamptz" and condition.op != "null"
    if condition.op in ("gt", "gte", "lt", "lte") and field.type not in ORDERED:
        raise unfit(f"{field.label} has no order.", {"field": field.name, "op": condition.op})
    if timed and not all(_MOMENT.fullmatch(value) for value in values):
        raise unfit(f"{field.label} needs a time with its offset.", {"field": field.name, "value": condition.value})


def _check_rows(plan: Alert) -> None:
    if plan.op is not None or plan.threshold is not None or plan.group:
        raise unfit("A threshold and groups need a number to watch.", plan.collection)
    if not plan.where:
        raise unfit("An alert needs a test or a number to watch.", plan.collection)


def _check_measure(plan: Alert, measure: Measure, collection: Collection) -> None:
    if measure.field != "*":
        _own(measure.field, collection)
    check_aggregate(measure.field, measure.aggregate, collection)
    field = collection.field(measure.field)
    if measure.aggregate != "count" and (field is None or field.type not in NUMBERS):
        raise unfit("An alert watches a number.", {"field": measure.field})
    if plan.op is None or plan.threshold is None or not value_fits("numeric", plan.threshold):
        raise unfit("A number that is watched needs a threshold.", {"op": plan.op, "threshold": plan.threshold})
    if plan.group and measure.aggregate is None:
        raise unfit("Only an aggregate has groups.", list(plan.group))
    if plan.op in ("lte", "gte") and not _is_whole(measure, collection):
        raise unfit("Only whole numbers are watched for at least or at most; say over or under.", {"op": plan.op})


def _is_whole(measure: Measure, collection: Collection) -> bool:
    field = collection.field(measure.field)
    whole = field is not None and field.type == "integer" and measure.aggregate != "avg"
    return measure.aggregate == "count" or whole


def _check_message(plan: Alert, collection: Collection) -> None:
    text = plan.message
    if len(text) > MESSAGE_AT_MOST or not value_fits("text", text) or (text and not text.strip()):
        raise unfit(f"An alert's message has at most {MESSAGE_AT_MOST} characters.", text[:80])
    if re.search(r"[{}]", _BLANK.sub("", text)):
        raise unfit("In a message { and } stand around a name.", text[:80])
    rows = plan.measure is None or plan.measure.aggregate is None
    known = BUILT_IN | ({field.name for field in collection.fields} - {"id"} if rows else set(plan.group))
    unknown = [name for name in _BLANK.findall(text) if name not in known]
    if unknown:
        raise unfit(f"The message cannot name {unknown[0][:80]}.", {"may_name": sorted(known)[:40]})


def _check_cancel(plan: AlertCancel, collection: Collection) -> None:
    if len(plan.where) > CONDITIONS_AT_MOST or len(plan.alerts) > ALERTS_AT_MOST:
        raise unfit(f"At most {ALERTS_AT_MOST} alerts can be ended at once.", plan.collection)
    for condition in plan.where:
        check_condition(condition, collection)
    if plan.measure is not None:
        check_aggregate(plan.measure.field, plan.measure.aggregate, collection)
    if not value_fits("text", plan.name) or not all(0 < which < 2**63 for which in plan.alerts):
        raise unfit("There is no such alert.", {"name": plan.name[:80], "alerts": list(plan.alerts)})
    if plan.confirmed and not plan.alerts:
        raise unfit("A yes is to alerts that were named.", plan.collection)


# Fields and summaries --------------------------------------------------------------------------------------


def _check_addition(plan: AddField, collection: Collection) -> None:
    label = plan.label
    lines = re.search(r"[\x00-\x1f\x7f]", label)
    if len(label) > LABEL_AT_MOST or lines or not value_fits("text", label) or not re.search(r"\w", label):
        raise unfit(
            f"A field's name is one line of at most {LABEL_AT_MOST} characters, a letter among them.", label[:80]
        )
    if any(label in (field.name, field.label) for field in collection.fields):
        raise unfit(f"{collection.label} already has a field {label}.", {"field": label})
    if collection.name == HISTORY:
        raise unfit(f"The collection {collection.label} is the box's own.", plan.collection)
    if (plan.type is None) == (plan.formula is None):
        raise unfit("A field has either a type or a formula.", {"type": plan.type, "formula": plan.formula})
    formula = plan.formula or "" if plan.type is None else "0"
    if not 0 < len(formula) <= FORMULA_AT_MOST or not all(value_fits("text", part) for part in formula):
        raise unfit(f"A formula has 1 to {FORMULA_AT_MOST} characters.", formula[:80])


def _check_window(plan: Summary) -> None:
    for bound in (plan.start, plan.end):
        if bound is not None and not is_time("timestamptz", bound):
            raise unfit("A summary begins and ends on a day or at a time.", {"start": plan.start, "end": plan.end})
    if plan.start is not None and plan.end is not None:
        start, end = (datetime.fromisoformat(bound).replace(tzinfo=None) for bound in (plan.start, plan.end))
        if start >= end:
            raise unfit("A summary ends after it begins.", {"start": plan.start, "end": plan.end})
