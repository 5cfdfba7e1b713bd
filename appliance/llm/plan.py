"""The Plan: the only thing a model may produce, and what is run, shown and kept.

A plan is a typed value. It is checked against the catalog that the asking role may see, rendered to a
PostgREST request and to plain words, and travels as JSON.

    >>> plan = Query("beds", (Select("*", "count"),), (Condition("status", "eq", "free"),))
    >>> to_rest(plan)
    '/beds?select=id.count()&status=eq.free'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.saying import days, join, say_collection, say_days, say_label, say_value
from appliance.types import Catalog, Collection, Field, FieldType

Aggregate = Literal["count", "sum", "avg", "min", "max"]
Operator = Literal["eq", "neq", "gt", "gte", "lt", "lte", "like", "in", "null"]

NUMBERS: Final[frozenset[FieldType]] = frozenset({"integer", "numeric"})
TIMES: Final[frozenset[FieldType]] = frozenset({"date", "timestamptz"})
ORDERED: Final = NUMBERS | TIMES
ROWS_AT_MOST: Final = 200
GROUPS_AT_MOST: Final = 1000
"""Groups are ranked after they are read, so that all of them must be."""
ID: Final = Field("id", "id", "integer")
"""Every collection has it and every role that may read the collection may read it."""


class Select(msgspec.Struct, frozen=True):
    """A field to show, or an aggregate of one; ``*`` stands for the rows themselves."""

    field: str
    aggregate: Aggregate | None = None


class Condition(msgspec.Struct, frozen=True):
    """A test that rows must pass. `value` is a list for ``in``, a boolean for ``null``, else a scalar."""

    field: str
    op: Operator
    value: Any


class Order(msgspec.Struct, frozen=True):
    """An order of rows."""

    field: str
    descending: bool = False


class Query(msgspec.Struct, frozen=True, tag="query", tag_field="form", omit_defaults=True):
    """Read a collection: which fields or aggregates, of which rows, grouped, ordered, how many."""

    collection: str
    select: tuple[Select, ...]
    where: tuple[Condition, ...] = ()
    group: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = ROWS_AT_MOST


class Clarify(msgspec.Struct, frozen=True, tag="clarify", tag_field="form"):
    """The question can be read in several ways, or only in part: the box asks back."""

    sentence: str
    choices: tuple[Query, ...] = ()


class Refuse(msgspec.Struct, frozen=True, tag="refuse", tag_field="form"):
    """The question cannot be answered from what the role may see; `code` says why."""

    code: str
    sentence: str
    hint: str = ""


Plan = Query | Clarify | Refuse


def read_query(value: object) -> Query:
    """A query from JSON values, for example a choice that a screen sends back.

    Raises:
        ApplianceError: LLM206, it is not a query.
    """
    try:
        return msgspec.convert(value, type=Query)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ApplianceError("LLM206", "This is not a plan.", str(error)) from None


def validate(plan: Query, catalog: Catalog) -> Collection:
    """Check a query against what a role may see.

    Args:
        plan: the query.
        catalog: what the asking role may see.

    Returns:
        The collection that the query reads.

    Raises:
        ApplianceError: LLM206, with the part that does not fit in the details.
    """
    collection = catalog.collection(plan.collection)
    if collection is None:
        raise _unfit("There is no such collection for this role.", plan.collection)
    if not plan.select:
        raise _unfit("The plan selects nothing.", plan.collection)
    if not 1 <= plan.limit <= GROUPS_AT_MOST:
        raise _unfit("The plan's limit is not between 1 and 1000.", plan.limit)
    for select in plan.select:
        _check_select(select, collection)
    for condition in plan.where:
        _check_condition(condition, collection)
    for name in (*plan.group, *(order.field for order in plan.order)):
        _field(collection, name)
    _check_shape(plan)
    return collection


def _check_select(select: Select, collection: Collection) -> None:
    if select.field == "*":
        if select.aggregate not in (None, "count"):
            raise _unfit(f"Rows have no {select.aggregate}.", select.field)
        return
    field = _field(collection, select.field)
    if select.aggregate in ("sum", "avg") and field.type not in NUMBERS:
        raise _unfit(f"{field.label} is not a number.", {"field": field.name, "aggregate": select.aggregate})
    if select.aggregate in ("min", "max") and field.type not in ORDERED | {"text"}:
        raise _unfit(f"{field.label} has no order.", {"field": field.name, "aggregate": select.aggregate})


def _check_condition(condition: Condition, collection: Collection) -> None:
    field = _field(collection, condition.field)
    if condition.op == "null":
        fits = isinstance(condition.value, bool)
    elif condition.op == "in":
        fits = isinstance(condition.value, list | tuple) and 0 < len(condition.value) <= 100
        fits = fits and all(_value_fits(field.type, value) for value in condition.value)
    elif condition.op == "like":
        fits = field.type == "text" and _value_fits("text", condition.value)
    else:
        fits = _value_fits(field.type, condition.value) and field.type != "jsonb"
    if not fits:
        raise _unfit(
            f"{field.label} cannot be tested that way.",
            {"field": field.name, "op": condition.op, "value": condition.value},
        )


def _value_fits(kind: FieldType, value: Any) -> bool:
    if kind in NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and abs(value) < 2**63 and (kind == "numeric" or float(value).is_integer())
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in TIMES:
        return isinstance(value, str) and _is_time(kind, value)
    return isinstance(value, str) and len(value) <= 1000 and not re.search("[\0\ud800-\udfff]", value)


def _is_time(kind: FieldType, value: str) -> bool:
    if not re.fullmatch(r"[-+:. 0-9TZ]+", value):
        return False  # Python also reads weeks, and any sign between day and hour; PostgreSQL does not
    try:
        (date if kind == "date" else datetime).fromisoformat(value)
    except ValueError:
        return False
    return True


def _check_shape(plan: Query) -> None:
    plain = [select for select in plan.select if select.aggregate is None]
    if any(select.aggregate for select in plan.select) and any(select.field not in plan.group for select in plain):
        raise _unfit("A plan with an aggregate can only show the fields it groups by.", [s.field for s in plain])
    keys = [select.aggregate or select.field for select in plan.select]
    if any(select.aggregate and keys.count(select.aggregate) > 1 for select in plan.select):
        raise _unfit("Two columns of a plan would have the same name.", keys)
    if plan.group and not any(select.aggregate for select in plan.select):
        raise _unfit("A grouped plan needs an aggregate.", list(plan.group))
    if (
        plan.order
        and any(select.aggregate for select in plan.select)
        and any(o.field not in plan.group for o in plan.order)
    ):
        raise _unfit("A grouped plan can only be ordered by the fields it groups by.", [o.field for o in plan.order])


def _field(collection: Collection, name: str) -> Field:
    field = ID if name == "id" else collection.field(name)
    if field is None:
        raise _unfit(f"{collection.label} has no such field for this role.", name)
    return field


def _unfit(message: str, details: Any) -> ApplianceError:
    return ApplianceError("LLM206", message, details, "Ask in other words, or name what the box holds.")


def to_rest(plan: Query) -> str:
    """The plan as a PostgREST request: path and query, values percent-encoded."""
    parts = [f"select={','.join(_rest_select(select) for select in plan.select)}"]
    parts += [_rest_condition(condition) for condition in plan.where]
    if plan.order:
        parts.append(
            "order=" + ",".join(quote(o.field) + (".desc.nullslast" if o.descending else "") for o in plan.order)
        )
    if not any(select.aggregate for select in plan.select) or plan.group:
        parts.append(f"limit={plan.limit}")
    return f"/{quote(plan.collection)}?{'&'.join(parts)}"


def _rest_select(select: Select) -> str:
    if select.aggregate == "count" and select.field == "*":
        return "id.count()"  # count() alone needs the right to read every column
    name = quote(select.field, safe="*")
    return f"{name}.{select.aggregate}()" if select.aggregate else name


def _rest_condition(condition: Condition) -> str:
    name, op, value = quote(condition.field), condition.op, condition.value
    if op == "null":
        return f"{name}={'is.null' if value else 'not.is.null'}"
    if op == "in":
        listed = ",".join(_listed(item) for item in value)
        return f"{name}=in.({quote(listed, safe='')})"
    if op == "like":
        return f"{name}=ilike.{quote('%' + _pattern(str(value)) + '%', safe='')}"
    return f"{name}={op}.{quote(_scalar(value), safe='')}"


def _pattern(text: str) -> str:
    # PostgREST turns every * into %, and knows no way to write a plain one: _ stands for it.
    return re.sub(r"([\\%_])", r"\\\1", text).replace("*", "_")


def _scalar(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # an integer field takes no 5.0
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> str:
    escaped = _scalar(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_OPERATORS: Final[dict[str, str]] = {
    "eq": "is", "neq": "is not", "gt": "is over", "gte": "is at least", "lt": "is under", "lte": "is at most",
    "like": "contains", "in": "is",
}  # fmt: skip
_TIME_OPERATORS: Final[dict[str, str]] = {"gt": "is after", "gte": "is from", "lt": "is before", "lte": "is up to"}
_AGGREGATES: Final[dict[str, str]] = {
    "count": "number of", "sum": "sum of", "avg": "average", "min": "lowest", "max": "highest",
}  # fmt: skip


def to_words(plan: Query, collection: Collection, today: date) -> str:
    """The plan in plain words: ``number of beds where status is free and ward is Cardiology``."""
    wanted = [select for select in plan.select if select.aggregate] if plan.group else plan.select
    shown = [select for select in wanted if select.field != "id"] or list(wanted)
    text = join([_words_select(select, collection) for select in shown[:4]])
    if any(select.field != "*" for select in shown):
        text += f" of {say_collection(collection)}"
    if plan.where:
        text += " where " + join(_words_where(plan.where, collection, today))
    if plan.group:
        text += " per " + join([say_label(collection, name) for name in plan.group])
    if plan.order and (plan.order[0].field != "id" or plan.order[0].descending):
        text += ", " + ", ".join(_words_order(order, collection) for order in plan.order)
    if plan.limit < ROWS_AT_MOST:
        text += f", the first {plan.limit}" if plan.limit > 1 else ", the first one"
    return text


def _words_order(order: Order, collection: Collection) -> str:
    field = collection.field(order.field)
    time = field is not None and field.type in TIMES
    end = ("latest" if time else "highest") if order.descending else ("earliest" if time else "lowest")
    return f"{end} {say_label(collection, order.field)} first"


def _words_select(select: Select, collection: Collection) -> str:
    if select.field == "*":
        return f"number of {say_collection(collection)}" if select.aggregate else "everything"
    label = say_label(collection, select.field)
    field = collection.field(select.field)
    if select.aggregate in ("min", "max") and field is not None and field.type in TIMES:
        return f"{'earliest' if select.aggregate == 'min' else 'latest'} {label}"
    return f"{_AGGREGATES[select.aggregate]} {label}" if select.aggregate else label


def _words_where(where: Iterable[Condition], collection: Collection, today: date) -> list[str]:
    single, spans = paired(where)
    words = [f"{say_label(collection, field)} is {say_days(start, end, today)}" for field, start, end in spans]
    for condition in single:
        label = say_label(collection, condition.field)
        if condition.op == "null":
            words.append(f"{label} is {'not set' if condition.value else 'set'}")
            continue
        field = collection.field(condition.field)
        time = field is not None and field.type in TIMES
        operator = (_TIME_OPERATORS if time else {}).get(condition.op, _OPERATORS[condition.op])
        words.append(f"{label} {operator} {say_value(condition.value)}")
    return words


def paired(where: Iterable[Condition]) -> tuple[list[Condition], list[tuple[str, date, date]]]:
    """Conditions apart from those that together span whole days: (field, first day, day after the last)."""
    single = list(where)
    spans = []
    for first in [condition for condition in single if condition.op == "gte"]:
        for last in [condition for condition in single if condition.op == "lt" and condition.field == first.field]:
            whole = days(first.value, last.value)
            if whole is not None and first in single:
                single = [condition for condition in single if condition not in (first, last)]
                spans.append((first.field, *whole))
    return single, spans
