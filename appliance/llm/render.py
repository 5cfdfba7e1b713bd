"""Render: a plan as the request that runs it, and as plain words.

PostgREST runs what it can; time buckets, tests and orders of aggregates and fields along relations go to the
database's own ``run_plan``.

    >>> plan = Query("beds", (Select("*", "count"),), (Condition("status", "eq", "free"),))
    >>> to_rest(plan)
    '/beds?select=id.count()&status=eq.free'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec

from appliance.llm.plan import ROWS_AT_MOST, TIMES, Aggregate, Condition, Having, Order, Query, Related, Select, keys
from appliance.llm.saying import join, say_collection, say_label, say_name, say_span, say_value, span
from appliance.types import Collection


def to_rest(plan: Query) -> str:
    """The plan as a request to PostgREST: path and query, values percent-encoded."""
    if not is_plain(plan):
        return f"/rpc/run_plan?plan={quote(msgspec.json.encode(_exact(plan)), safe='')}"
    parts = [f"select={','.join(map(_rest_select, plan.select, keys(plan)))}"]
    parts += [_rest_condition(condition) for condition in plan.where]
    if plan.order:
        parts.append(
            "order=" + ",".join(quote(o.field) + (".desc.nullslast" if o.descending else "") for o in plan.order)
        )
    if not any(select.aggregate for select in plan.select) or plan.group:
        parts.append(f"limit={plan.limit}")
    return f"/{quote(plan.collection)}?{'&'.join(parts)}"


def is_plain(plan: Query) -> bool:
    """Whether PostgREST can run a plan by itself: it groups by what is shown, and knows no more than that."""
    shown = {select.field for select in plan.select if select.aggregate is None}
    own = any(select.bucket or select.aggregate == "distinct" for select in plan.select)
    more = own or plan.having or any(order.aggregate for order in plan.order) or any(test.other for test in plan.where)
    return not (more or plan.related) and set(plan.group) <= shown and not any("." in name for name in plan.fields)


def _exact(plan: Query) -> Query:
    """The plan with whole numbers written as such: an integer field takes no 5.0."""
    where = tuple(msgspec.structs.replace(test, value=_whole(test.value)) for test in plan.where)
    having = tuple(Having(test.field, test.aggregate, test.op, _whole(test.value)) for test in plan.having)
    return msgspec.structs.replace(plan, where=where, having=having)


def _whole(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rest_select(select: Select, key: str) -> str:
    if select.aggregate is None:
        return quote(select.field, safe="*")
    name = "id" if select.field == "*" else quote(select.field)  # count() alone needs the right to read every column
    called = "" if key == select.aggregate else f"{quote(key)}:"
    return f"{called}{name}.{select.aggregate}()"


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
    value = _whole(value)
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
    "distinct": "number of different values of",
}  # fmt: skip


def to_words(plan: Query, collection: Collection, today: date) -> str:
    """The plan in plain words: ``number of beds where status is free and ward is Cardiology``."""
    wanted = [select for select in plan.select if select.aggregate] if plan.group else plan.select
    shown = [select for select in wanted if select.field != "id"] or list(wanted)
    text = join([_words_select(select, collection) for select in shown[:4]])
    if any(select.field != "*" for select in shown):
        text += f" of {say_collection(collection)}"
    if plan.where:
        text += " where " + join(words_where(plan.where, collection, today))
    text += words_related(plan.related)
    if plan.group:
        text += " per " + join([_words_group(name, plan, collection) for name in plan.group])
    if plan.having:
        text += " with " + join([_words_having(test, collection) for test in plan.having])
    if plan.order and (plan.order[0].field != "id" or plan.order[0].descending):
        text += ", " + ", ".join(_words_order(order, collection) for order in plan.order)
    if plan.limit < ROWS_AT_MOST:
        text += f", the first {plan.limit}" if plan.limit > 1 else ", the first one"
    return text


def words_related(related: Iterable[Related]) -> str:
    """Other rows that there are of each, or are not: `` without appointments``."""
    said = [f"{'with' if each.there else 'without'} {say_name(each.collection)}" for each in related]
    return f" {join(said)}" if said else ""


def _words_order(order: Order, collection: Collection) -> str:
    time = _is_of_time(order.field, collection) and order.aggregate in (None, "min", "max")
    end = ("latest" if time else "highest") if order.descending else ("earliest" if time else "lowest")
    return f"{end} {words_of(order.field, order.aggregate, collection)} first"


def _words_select(select: Select, collection: Collection) -> str:
    label = words_of(select.field, select.aggregate, collection)
    return f"{select.bucket} of {label}" if select.bucket else label


def words_of(name: str, aggregate: Aggregate | None, collection: Collection) -> str:
    """A field or an aggregate of one in words: ``sum of price``; ``*`` is the rows."""
    if name == "*":
        return f"number of {say_collection(collection)}" if aggregate else "everything"
    label = say_label(collection, name)
    if aggregate in ("min", "max") and _is_of_time(name, collection):
        return f"{'earliest' if aggregate == 'min' else 'latest'} {label}"
    return f"{_AGGREGATES[aggregate]} {label}" if aggregate else label


def _is_of_time(name: str, collection: Collection) -> bool:
    field = collection.field(name)
    return field is not None and field.type in TIMES


def _words_group(name: str, plan: Query, collection: Collection) -> str:
    """``ward``; of a field in time buckets the bucket, and the field where the collection has another such."""
    bucket = next((select.bucket for select in plan.select if select.field == name and select.bucket), None)
    if bucket is None:
        return say_label(collection, name)
    times = [field.name for field in collection.fields if field.type in TIMES]
    return bucket if times == [name] else f"{bucket} of {say_label(collection, name)}"


def _words_having(test: Having, collection: Collection) -> str:
    time = test.aggregate in ("min", "max") and _is_of_time(test.field, collection)
    operator = (_TIME_OPERATORS if time else {}).get(test.op, _OPERATORS[test.op]).removeprefix("is ")
    said = f"{operator} {say_value(test.value)}".removeprefix("is ")
    return f"{words_of(test.field, test.aggregate, collection)} {said}"


def words_where(where: Iterable[Condition], collection: Collection, today: date) -> list[str]:
    """Conditions in words, one each: ``status is free``, ``starts on is today``."""
    single, spans = paired(where)
    words = [f"{say_label(collection, field)} is {say_span(start, end, today)}" for field, start, end in spans]
    for condition in single:
        label = say_label(collection, condition.field)
        if condition.op == "null":
            words.append(f"{label} is {'not set' if condition.value else 'set'}")
            continue
        time = _is_of_time(condition.field, collection)
        operator = (_TIME_OPERATORS if time else {}).get(condition.op, _OPERATORS[condition.op])
        against = say_label(collection, condition.other) if condition.other else say_value(condition.value)
        words.append(f"{label} {operator} {against}")
    return words


def paired(where: Iterable[Condition]) -> tuple[list[Condition], list[tuple[str, datetime, datetime]]]:
    """Conditions apart from those that together span whole days, or hours of one: (field, start, end)."""
    single = list(where)
    spans = []
    of_value = [condition for condition in single if not condition.other]
    for first in [condition for condition in of_value if condition.op == "gte"]:
        for last in [condition for condition in of_value if condition.op == "lt" and condition.field == first.field]:
            between = span(first.value, last.value)
            if between is not None and first in single:
                single = [condition for condition in single if condition not in (first, last)]
                spans.append((first.field, *between))
    return single, spans
