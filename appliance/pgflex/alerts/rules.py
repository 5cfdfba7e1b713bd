"""Alert rules: what people declare, checked against a collection's fields and turned into SQL.

    declared = read_rule({"name": "Low stock", "collection": "stock", "aggregate": {"op": "sum", "field": "units"},
                          "group": ["ward"], "direction": "below", "threshold": 50, "clear_at": 60,
                          "message": "Only {value} units left in {ward}."})
    rule = make_rule(declared, fields)      # rule.scan: SELECT key, subject, value, facts

A rule with an aggregate watches a number per group; one with a field watches that number in each row; one with
neither watches whether a row meets the conditions. Every field keeps the type it has in the SQL: where that changes
later the rule is made anew, or stops with the reason, and is never read in another sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NoReturn

import msgspec
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.fields import SQL_TYPES, collection_name, infer, join
from appliance.types import FieldType

__all__ = ["Declared", "Rule", "make_rule", "read_rule"]

Level = Literal["wall", "staff", "admin"]
Compared = Literal["eq", "neq", "gt", "gte", "lt", "lte", "like", "in", "null"]

NAME_LIMIT: Final = 200
MESSAGE_LIMIT: Final = 500
CONDITIONS_LIMIT: Final = 20

_SIGNS: Final = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_ORDERED: Final = frozenset({"integer", "numeric", "date", "timestamptz"})
_BUILT_IN: Final = frozenset({"value", "threshold", "subject", "rule"})
_BLANK: Final = re.compile(r"\{([^{}]*)\}")


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition on a field; `op` as in a plan: `like` is "contains", `in` takes a list, `null` true or false.

    With an `other` the field is compared with that field of the same row, and there is no value.
    """

    field: str
    op: Compared
    value: Any = None
    other: str = ""


class Aggregate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number over rows; the field ``*`` is the rows themselves and can only be counted."""

    op: Literal["count", "sum", "avg", "min", "max"]
    field: str = "*"


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An alert as it is declared.

    Attributes:
        where: conditions that must all hold for a row to count.
        aggregate: the number that is watched, per `group`; or
        field: the number that is watched in each row; neither: each row that meets `where` is an alert.
        direction: on which side of the threshold it fires.
        clear_at: the value at which it is over; as far as the threshold when not given.
        message: {value}, {threshold}, {subject}, {rule} and fields are filled in.
        audience: the least trusted role that is told.
    """

    name: str
    collection: str
    message: str
    where: tuple[Condition, ...] = ()
    aggregate: Aggregate | None = None
    field: str | None = None
    group: tuple[str, ...] = ()
    direction: Literal["below", "above"] | None = None
    threshold: Decimal | None = None
    clear_at: Decimal | None = None
    audience: Level = "staff"


class Rule(msgspec.Struct, frozen=True):
    """A declared alert as the columns of ``flex.alerts`` hold it."""

    scan: str
    walk: str | None
    watched: tuple[str, ...]
    direction: str | None
    threshold: Decimal | None
    clear_at: Decimal | None
    message: str


def read_rule(body: Any) -> Declared:
    """Read a declaration.

    Raises:
        ApplianceError: PGF117, with the key that is wrong; PGF105, the collection cannot be one.
    """
    try:
        declared = msgspec.convert(body, Declared, strict=False, builtin_types=(Decimal,))
    except msgspec.ValidationError as error:
        _fail("This does not declare an alert.", str(error), "See docs/how-to/alerts-and-computed-fields.md.")
    collection_name(declared.collection)
    for key, limit in (("name", NAME_LIMIT), ("message", MESSAGE_LIMIT)):
        text = getattr(declared, key)
        if not text.strip() or len(text) > limit or "\x00" in text:
            _fail(f"An alert's {key} has 1 to {limit} characters.", {"key": key})
    if len(declared.where) > CONDITIONS_LIMIT or len(declared.group) > CONDITIONS_LIMIT:
        _fail(f"An alert has at most {CONDITIONS_LIMIT} conditions and groups.", {"key": "where"})
    _check_kind(declared)
    return declared


def _fail(message: str, details: Any, hint: str | None = None) -> NoReturn:
    raise ApplianceError("PGF117", message, details, hint)


def _check_kind(declared: Declared) -> None:
    """What goes together: an aggregate or a field needs a threshold; neither needs conditions."""
    watches = declared.aggregate is not None or declared.field is not None
    limits = {"direction": declared.direction, "threshold": declared.threshold}
    if declared.aggregate is not None and declared.field is not None:
        _fail("An alert watches an aggregate or a field, not both.", {"key": "field"})
    if declared.group and declared.aggregate is None:
        _fail("Only an aggregate has groups.", {"key": "group"})
    for key, value in limits.items():
        if watches and value is None:
            _fail(f"A number that is watched needs a {key}.", {"key": key})
        if not watches and (value is not None or declared.clear_at is not None):
            _fail(f"A {key} needs a number: name a field or an aggregate.", {"key": key})
    if not watches and not declared.where:
        _fail("An alert needs a condition, a field or an aggregate.", {"key": "where"})
    _check_limits(declared)


def _check_limits(declared: Declared) -> None:
    threshold, clear_at = declared.threshold, declared.clear_at
    for key, value in (("threshold", threshold), ("clear_at", clear_at)):
        if value is not None and not value.is_finite():
            _fail(f"The {key} has to be a number.", {"key": key})
    if threshold is None or clear_at is None:
        return
    if clear_at < threshold if declared.direction == "below" else clear_at > threshold:
        side = "less" if declared.direction == "below" else "more"
        _fail(f"An alert that fires {declared.direction} {threshold} cannot be over at {side}.", {"key": "clear_at"})


def make_rule(declared: Declared, fields: Mapping[str, tuple[str, FieldType]]) -> Rule:
    """Turn a declaration into SQL.

    Args:
        declared: as :func:`read_rule` gives it.
        fields: the collection's fields: their name and type, by name and by label.

    Raises:
        ApplianceError: PGF117, a field is missing or of a type that the alert cannot watch.
    """
    maker = _Maker(declared, fields)
    aggregate = declared.aggregate is not None
    scan = maker.groups() if aggregate else maker.rows()
    clear_at = declared.threshold if declared.clear_at is None else declared.clear_at
    return Rule(
        scan.as_string(None),
        None if aggregate else maker.versions().as_string(None),
        tuple(sorted({*maker.used, "extra"})),
        declared.direction,
        declared.threshold,
        clear_at,
        maker.message(),
    )


class _Maker:
    """Makes the SQL of one rule and remembers which fields it used."""

    def __init__(self, declared: Declared, fields: Mapping[str, tuple[str, FieldType]]) -> None:
        self._declared, self._fields = declared, fields
        self.used: set[str] = set()
        self._filter = self._all(declared.where)

    def groups(self) -> sql.Composed:
        """Key, subject, value and facts of each group."""
        columns = [self._column(word, "group") for word in self._declared.group]
        names = [sql.Identifier("t", name) for name, _, _ in columns]
        values = sql.SQL(", ").join(names)
        told = sql.SQL(" || ', ' || ").join(sql.SQL("coalesce({}::text, '–')").format(name) for name in names)
        facts = sql.SQL(", ").join(
            part for (name, _, _), value in zip(columns, names, strict=True) for part in (sql.Literal(name), value)
        )
        return sql.SQL(
            "select jsonb_build_array({})::text as key, {} as subject, {} as value, jsonb_build_object({}) as facts "
            "from {} as t where {}{}"
        ).format(
            values,
            told if columns else sql.Literal(self._declared.collection),
            self._aggregate(),
            facts,
            self._table(),
            self._filter,
            sql.SQL(" group by {}").format(values) if columns else sql.SQL(""),
        )

    def rows(self) -> sql.Composed:
        """Key, subject, value and facts of each row that meets the conditions."""
        return sql.SQL("select t.id::text as key, {} from {} as t where {}").format(
            self._row(), self._table(), self._filter
        )

    def versions(self) -> sql.Composed:
        """The same of each row version in the feed after $1 up to $2 where a field of $3 changed."""
        return sql.SQL(
            "select c.key #>> '{{}}' as key, w.subject is not null as found, w.subject, w.value, w.facts, k.at "
            "from flex.commits as k join flex.changes as c using (xid) left join lateral (select {} "
            'from json_populate_record(null::{}, c."row") as t where {}) as w on c."row" is not null '
            "where k.number > $1 and k.number <= $2 and c.collection = {} "
            "and (c.op <> 'update' or c.changed && $3) order by k.number, c.seq"
        ).format(self._row(), self._table(), self._filter, sql.Literal(self._declared.collection))

    def message(self) -> str:
        """The message with fields under their column names.

        Raises:
            ApplianceError: PGF117, it names what is not there.
        """
        text = self._declared.message
        if re.search(r"[{}]", _BLANK.sub("", text)):
            _fail("In a message { and } stand around a name.", {"key": "message"})
        return _BLANK.sub(lambda found: "{" + self._blank(found[1]) + "}", text)

    def _blank(self, word: str) -> str:
        if word in _BUILT_IN:
            return word
        words = self._fields.keys() if self._declared.aggregate is None else self._declared.group
        known = {name for name, _ in (self._fields[it] for it in words)}
        name = self._fields[word][0] if word in self._fields else ""
        if name not in known:
            told = ", ".join(sorted(_BUILT_IN | known))
            _fail(f"The message cannot name {word}.", {"key": "message"}, f"It may name {told}.")
        return name

    def _table(self) -> sql.Identifier:
        return sql.Identifier("api", self._declared.collection)

    def _column(self, word: str, key: str) -> tuple[str, FieldType, sql.Composable]:
        """A field's name, type, and SQL that only holds while it has that type."""
        found = self._fields.get(word)
        if found is None:
            names = ", ".join(sorted({name for name, _ in self._fields.values()})[:40])
            _fail(f"{self._declared.collection} has no field {word}.", {"key": key}, f"The fields: {names}.")
        name, kind = found
        self.used.add(name)
        held = sql.SQL("coalesce({}, null::{})").format(sql.Identifier("t", name), sql.SQL(SQL_TYPES[kind]))
        return name, kind, held

    def _row(self) -> sql.Composed:
        word = self._declared.field
        value = sql.SQL("null::numeric") if word is None else self._number(word, "field")
        return sql.SQL("t.id::text as subject, {} as value, to_jsonb(t.*) as facts").format(value)

    def _number(self, word: str, key: str) -> sql.Composable:
        """A number of a row, also where it waits in the overflow column for its own to be widened."""
        name, kind, held = self._column(word, key)
        if kind not in ("integer", "numeric"):
            _fail(f"The field {word} holds no numbers.", {"key": key, "type": kind})
        return sql.SQL(
            "coalesce({0}::numeric, case when jsonb_typeof(to_jsonb(t.*) #> {1}) = 'number' "
            "then (to_jsonb(t.*) #>> {1})::numeric end)"
        ).format(held, sql.Literal(["extra", name]))

    def _aggregate(self) -> sql.Composable:
        aggregate = self._declared.aggregate
        assert aggregate is not None
        if aggregate.op != "count":
            number = self._number(aggregate.field, "aggregate")
            return sql.SQL("{}({})::numeric").format(sql.SQL(aggregate.op), number)
        if aggregate.field == "*":
            return sql.SQL("count(*)::numeric")
        return sql.SQL("count({})::numeric").format(self._column(aggregate.field, "aggregate")[2])

    def _all(self, conditions: Iterable[Condition]) -> sql.Composable:
        parts = [self._condition(condition) for condition in conditions]
        return sql.SQL(" and ").join(parts) if parts else sql.SQL("true")

    def _condition(self, condition: Condition) -> sql.Composed:
        _, kind, held = self._column(condition.field, "where")
        op, value = condition.op, condition.value
        if condition.other:
            return self._against(condition, kind, held)
        if op == "null" and isinstance(value, bool):
            return sql.SQL("{} is {}").format(held, sql.SQL("null" if value else "not null"))
        if op == "in" and isinstance(value, list) and value:
            values = sql.SQL(", ").join(self._value(condition, kind, item) for item in value)
            return sql.SQL("{} in ({})").format(held, values)
        if op == "like" and kind == "text":
            return sql.SQL("strpos(lower({}), lower({})) > 0").format(held, self._value(condition, kind, value))
        if op in ("eq", "neq") or (op in _SIGNS and kind in _ORDERED):
            return sql.SQL("{} {} {}").format(held, sql.SQL(_SIGNS[op]), self._value(condition, kind, value))
        _fail(f"The condition on {condition.field} cannot be used.", {"key": "where", "op": op, "type": kind})

    def _against(self, condition: Condition, kind: FieldType, held: sql.Composable) -> sql.Composed:
        """A field against another one of the row."""
        _, theirs, other = self._column(condition.other, "where")
        alike = kind == theirs or {kind, theirs} == {"integer", "numeric"}
        if condition.value is not None or condition.op not in _SIGNS or kind not in _ORDERED or not alike:
            details = {"key": "where", "op": condition.op, "type": kind, "other": theirs}
            _fail(f"{condition.field} cannot be compared with {condition.other}.", details)
        return sql.SQL("{} {} {}").format(held, sql.SQL(_SIGNS[condition.op]), other)

    def _value(self, condition: Condition, kind: FieldType, value: Any) -> sql.Composable:
        """A value written in the rule, which has to be of the field's type."""
        told = infer(value)
        fits = {"text": isinstance(value, str), "integer": told in ("integer", "numeric"), "jsonb": False}
        same = told not in (None, "jsonb") and join(told, kind) == kind
        if not fits.get(kind, same and (told == "boolean") == (kind == "boolean")):
            _fail(
                f"The value for {condition.field} is not of its type, {kind}.",
                {"key": "where", "value": str(value)[:80]},
            )
        known = "numeric" if kind == "integer" else SQL_TYPES[kind]
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return sql.SQL("{}::{}").format(sql.Literal(text), sql.SQL(known))
