"""The Plan: the only thing a model may produce, and what is run, shown and kept. Here: queries.

A plan is a typed value. It is checked against the catalog that the asking role may see, rendered to a request
and to plain words (:mod:`~appliance.llm.render`), and travels as JSON.

A field is a column of the collection, or a path along relations: ``ward_id.name`` is the name of the ward.

    >>> read_query({"form": "query", "collection": "beds", "select": [{"field": "*", "aggregate": "count"}]}).limit
    200
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from appliance.errors import ApplianceError
from appliance.types import Catalog, Collection, Field, FieldType

Aggregate = Literal["count", "sum", "avg", "min", "max", "distinct"]
"""``distinct`` is how many different values a field has."""
Bucket = Literal["hour", "day", "week", "month", "quarter", "year"]
Comparison = Literal["eq", "neq", "gt", "gte", "lt", "lte"]
COMPARISONS: Final[tuple[Comparison, ...]] = ("eq", "neq", "gt", "gte", "lt", "lte")
Operator = Literal["eq", "neq", "gt", "gte", "lt", "lte", "like", "in", "null"]

NUMBERS: Final[frozenset[FieldType]] = frozenset({"integer", "numeric"})
TIMES: Final[frozenset[FieldType]] = frozenset({"date", "timestamptz"})
ORDERED: Final = NUMBERS | TIMES
ROWS_AT_MOST: Final = 200
GROUPS_AT_MOST: Final = 1000
ITEMS_AT_MOST: Final = {"select": 100, "where": 100, "group": 10, "having": 10, "order": 10, "related": 10}
"""The longest lists of a plan that the database takes."""
RELATIONS_AT_MOST: Final = 3
"""The longest path of a field; a plan follows at most ten relations."""
ID: Final = Field("id", "id", "integer")
"""Every collection has it and every role that may read the collection may read it."""


class Select(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field to show, an aggregate of one, or the time buckets of one; ``*`` stands for the rows themselves."""

    field: str
    aggregate: Aggregate | None = None
    bucket: Bucket | None = None


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A test that rows must pass: of a field against a value, or against another field of the same row.

    Attributes:
        value: a list for ``in``, a boolean for ``null``, else a scalar; None where there is an `other`.
        other: the field that it is compared with; empty where it is compared with a value.
    """

    field: str
    op: Operator
    value: Any = None
    other: str = ""


class Related(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rows of another collection that lead to a row by a field of theirs: there are some, or there are none."""

    collection: str
    field: str
    there: bool = False


class Having(msgspec.Struct, frozen=True):
    """A test that groups must pass, of an aggregate."""

    field: str
    aggregate: Aggregate
    op: Comparison
    value: Any


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order of rows, or of groups by an aggregate."""

    field: str
    descending: bool = False
    aggregate: Aggregate | None = None


class Query(msgspec.Struct, frozen=True, tag="query", tag_field="form", omit_defaults=True):
    """Read a collection: which fields or aggregates, of which rows, grouped, ordered, how many.

    Buckets of times begin and end as the days do in `timezone`; empty is the database's own.
    """

    collection: str
    select: tuple[Select, ...]
    where: tuple[Condition, ...] = ()
    group: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = ROWS_AT_MOST
    having: tuple[Having, ...] = ()
    timezone: str = ""
    related: tuple[Related, ...] = ()

    @property
    def grouped(self) -> bool:
        """Whether its rows tell of many rows each."""
        told = [select.aggregate for select in self.select] + [order.aggregate for order in self.order]
        return bool(self.group or self.having) or any(told)

    @property
    def fields(self) -> list[str]:
        """Every field it names, once."""
        names = [*(each.field for each in self.select), *(each.field for each in self.where), *self.group]
        names += [each.other for each in self.where if each.other]
        names += [*(each.field for each in self.having), *(each.field for each in self.order)]
        return [name for name in dict.fromkeys(names) if name != "*"]


class Clarify(msgspec.Struct, frozen=True, tag="clarify", tag_field="form"):
    """The question can be read in several ways, or only in part: the box asks back."""

    sentence: str
    choices: tuple[Query, ...] = ()


class Refuse(msgspec.Struct, frozen=True, tag="refuse", tag_field="form"):
    """The question cannot be answered from what the role may see; `code` says why."""

    code: str
    sentence: str
    hint: str = ""


def read_query(value: object) -> Query:
    """A query from JSON values, for example a choice that a screen sends back.

    Raises:
        ApplianceError: LLM206, it is not a query.
    """
    try:
        plan = msgspec.convert(value, type=Query)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ApplianceError("LLM206", "This is not a plan.", str(error)) from None
    if any(test.value is None and not test.other for test in plan.where):
        raise ApplianceError("LLM206", "This is not a plan.", "A test has neither a value nor another field.")
    return plan


def keys(plan: Query) -> tuple[str, ...]:
    """What each item of `select` is called in the rows: its aggregate or field, and both where two would be alike."""
    short = [select.aggregate or select.field for select in plan.select]
    alike = {name for name in short if len({s for s, own in zip(plan.select, short, strict=True) if own == name}) > 1}
    return tuple(_long_key(s) if own in alike else own for s, own in zip(plan.select, short, strict=True))


def _long_key(select: Select) -> str:
    if select.aggregate:
        return f"{select.aggregate}_{select.field.replace('*', 'rows')}"
    return f"{select.field}_{select.bucket}" if select.bucket else select.field


def validate(plan: Query, catalog: Catalog) -> Collection:
    """Check a query against what a role may see.

    Args:
        plan: the query.
        catalog: what the asking role may see.

    Returns:
        The collection that the query reads, with the fields it reads along relations.

    Raises:
        ApplianceError: LLM206, with the part that does not fit in the details.
    """
    collection = catalog.collection(plan.collection)
    if collection is None:
        raise unfit("There is no such collection for this role.", plan.collection)
    _check_size(plan)
    collection = _with_paths(plan, collection, catalog)
    for select in plan.select:
        _check_select(select, collection)
    for condition in plan.where:
        check_condition(condition, collection)
    for each in plan.related:
        _check_related(each, plan.collection, catalog)
    for test in plan.having:
        _check_having(test, collection)
    for order in plan.order:
        check_aggregate(order.field, order.aggregate, collection)
    for name in plan.group:
        _field(collection, name)
    _check_shape(plan)
    return collection


def _check_size(plan: Query) -> None:
    if not plan.select:
        raise unfit("The plan selects nothing.", plan.collection)
    if not 1 <= plan.limit <= GROUPS_AT_MOST:
        raise unfit("The plan's limit is not between 1 and 1000.", plan.limit)
    for name, most in ITEMS_AT_MOST.items():
        if len(getattr(plan, name)) > most:
            raise unfit(f"The plan's {name} has more than {most} items.", len(getattr(plan, name)))
    if plan.timezone and not _is_timezone(plan.timezone):
        raise unfit("The plan's timezone is not known.", plan.timezone)


def _is_timezone(name: str) -> bool:
    try:
        return re.fullmatch(r"UTC|[A-Z]\w+(/[\w+-]+)+", name, re.ASCII) is not None and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _with_paths(plan: Query, collection: Collection, catalog: Catalog) -> Collection:
    """The collection, and in it a field for each path of the plan."""
    paths = [name for name in plan.fields if "." in name]
    if not paths:
        return collection
    if len({name[:place] for name in paths for place, sign in enumerate(name) if sign == "."}) > 10:
        raise unfit("The plan follows more than ten relations.", paths)
    reached = tuple(_reached(name, collection, catalog) for name in paths)
    return msgspec.structs.replace(collection, fields=(*collection.fields, *reached))


def _reached(path: str, collection: Collection, catalog: Catalog) -> Field:
    """The field that a path leads to, by the name of the path: ``ward_id.name``, label ``ward name``."""
    *steps, last = path.split(".")
    held, said = collection, list[str]()
    for step in steps:
        relation = catalog.relation(held.name, step)
        target = catalog.collection(relation.target) if relation else None
        if target is None or len(steps) > RELATIONS_AT_MOST:
            raise unfit(f"{step} of {held.label} leads to no other collection for this role.", path)
        said.append(re.sub(r"[\s_-]*id$", "", _field(held, step).label, flags=re.IGNORECASE) or target.label)
        held = target
    field = _field(held, last)
    return Field(path, " ".join([*said, field.label]).replace("_", " "), field.type, values=field.values)


def _check_select(select: Select, collection: Collection) -> None:
    if select.bucket is None:
        if select.aggregate is not None or select.field != "*":
            check_aggregate(select.field, select.aggregate, collection)
        return
    field = _field(collection, select.field)
    if select.aggregate is not None or field.type not in TIMES or (select.bucket, field.type) == ("hour", "date"):
        raise unfit(f"{field.label} has no buckets of a {select.bucket}.", {"field": field.name})


def check_aggregate(name: str, aggregate: Aggregate | None, collection: Collection) -> None:
    """Refuse an aggregate that a field does not have, with LLM206; ``*`` can only be counted."""
    if name == "*":
        if aggregate != "count":
            raise unfit(f"Rows have no {aggregate or 'order'}.", name)
        return
    field = _field(collection, name)
    if aggregate in ("sum", "avg") and field.type not in NUMBERS:
        raise unfit(f"{field.label} is not a number.", {"field": field.name, "aggregate": aggregate})
    if aggregate in ("min", "max") and field.type not in ORDERED | {"text"}:
        raise unfit(f"{field.label} has no order.", {"field": field.name, "aggregate": aggregate})


def _check_related(each: Related, name: str, catalog: Catalog) -> None:
    relation = catalog.relation(each.collection, each.field)
    other = catalog.collection(each.collection)
    if relation is None or other is None or relation.target != name:
        raise unfit(
            "Such rows do not lead to these for this role.", {"collection": each.collection, "field": each.field}
        )
    _field(other, each.field)


def _reads(plan: Query, catalog: Catalog) -> Iterator[str]:
    yield plan.collection
    yield from (each.collection for each in plan.related)
    for name in plan.fields:
        held = plan.collection
        for step in name.split(".")[:-1]:
            relation = catalog.relation(held, step)
            if relation is None:
                break
            held = relation.target
            yield held


def collections_read(plan: Query, catalog: Catalog) -> frozenset[str]:
    """The collections whose rows a plan reads: its own, those that its paths lead to, those that lead to it."""
    return frozenset(_reads(plan, catalog))


def _check_having(test: Having, collection: Collection) -> None:
    check_aggregate(test.field, test.aggregate, collection)
    kind = _field(collection, test.field).type if test.aggregate in ("min", "max") else "numeric"
    if not value_fits(kind, test.value):
        raise unfit("Groups cannot be tested that way.", {"field": test.field, "op": test.op, "value": test.value})


def check_condition(condition: Condition, collection: Collection) -> None:
    """Refuse a condition that does not fit its field, with LLM206."""
    field = _field(collection, condition.field)
    if condition.other:
        other = _field(collection, condition.other)
        fits = condition.value is None and condition.op in COMPARISONS and comparable(field, other)
    elif condition.op == "null":
        fits = isinstance(condition.value, bool)
    elif condition.op == "in":
        fits = isinstance(condition.value, list | tuple) and 0 < len(condition.value) <= 100 and field.type != "jsonb"
        fits = fits and all(value_fits(field.type, value) for value in condition.value)
    elif condition.op == "like":
        fits = field.type == "text" and value_fits("text", condition.value)
    else:
        fits = value_fits(field.type, condition.value) and field.type != "jsonb"
    if not fits:
        raise unfit(
            f"{field.label} cannot be tested that way.",
            {"field": field.name, "op": condition.op, "value": condition.value}
            | ({"other": condition.other} if condition.other else {}),
        )


def comparable(field: Field, other: Field) -> bool:
    """Whether two fields of a row can be compared with each other: two numbers, two days, two times."""
    kinds = {field.type, other.type}
    return field.name != other.name and field.type in ORDERED and (kinds <= NUMBERS or len(kinds) == 1)


def value_fits(kind: FieldType, value: Any) -> bool:
    """Whether a field of a type can be compared with a value."""
    if kind in NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and abs(value) < 2**63 and (kind == "numeric" or float(value).is_integer())
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in TIMES:
        return isinstance(value, str) and is_time(kind, value)
    return isinstance(value, str) and len(value) <= 1000 and not re.search("[\0\ud800-\udfff]", value)


_DAY: Final = r"\d{4}-\d\d-\d\d"
_HOUR: Final = r"[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d(:\d\d)?)?"


def is_time(kind: FieldType, value: str) -> bool:
    """Whether the database reads a text as a day, or for a ``timestamptz`` as a day or a time."""
    if not re.fullmatch(_DAY if kind == "date" else f"{_DAY}({_HOUR})?", value, re.ASCII):
        return False  # Python also reads weeks, and any sign between day and hour; PostgreSQL does not
    try:
        offset = timedelta() if kind == "date" else datetime.fromisoformat(value).utcoffset() or timedelta()
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return abs(offset) < timedelta(hours=16)  # PostgreSQL's limit


def _check_shape(plan: Query) -> None:
    plain = [select for select in plan.select if select.aggregate is None]
    if plan.grouped and any(select.field not in plan.group for select in plain):
        raise unfit("A plan with an aggregate can only show the fields it groups by.", [s.field for s in plain])
    named = keys(plan)
    if len(set(named)) < len(plan.select) and plan.grouped:
        raise unfit("Two columns of a plan would have the same name.", list(named))
    if len(set(named)) < len(set(plan.select)):
        raise unfit("Two columns of a plan would have the same name.", list(named))
    if plan.group and not any(select.aggregate for select in plan.select):
        raise unfit("A grouped plan needs an aggregate.", list(plan.group))
    if plan.grouped and any(order.field not in plan.group for order in plan.order if order.aggregate is None):
        raise unfit("A grouped plan can only be ordered by the fields it groups by.", [o.field for o in plan.order])


def _field(collection: Collection, name: str) -> Field:
    field = ID if name == "id" else collection.field(name)
    if field is None:
        raise unfit(f"{collection.label} has no such field for this role.", name)
    return field


def unfit(message: str, details: Any) -> ApplianceError:
    """That a plan does not fit what the role may see."""
    return ApplianceError("LLM206", message, details, "Ask in other words, or name what the box holds.")
