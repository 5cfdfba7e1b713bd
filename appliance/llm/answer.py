"""Answer: rows become one sentence and a choice of how to show them. Every number comes from the rows.

>>> say(plan, collection, ({"count": 7},), today)  # doctest: +SKIP
'7 beds are free in Cardiology.'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec

from appliance.llm.amounts import is_plain
from appliance.llm.plan import ROWS_AT_MOST, TIMES, Condition, Query, Select, keys
from appliance.llm.render import paired, words_related
from appliance.llm.saying import join, number, plural, say_collection, say_label, say_span, say_value
from appliance.llm.words import fold, singular
from appliance.types import Collection

Row = dict[str, Any]

_STATES: Final = frozenset({"status", "state", "flag", "condition"})
_PLACES: Final = frozenset(
    {"ward", "department", "location", "room", "floor", "building", "city", "area", "court", "unit", "country"}
)
_PEOPLE: Final = frozenset(
    {"doctor", "patient", "client", "customer", "attorney", "lawyer", "partner", "owner", "supplier", "matter"}
)
_NAMED: Final = 4
_LEVEL: Final = 20
"""So many groups may be level with the first."""
_ADD_UP: Final = frozenset({"count", "sum"})
_SHARE: Final = re.compile(
    r"\b(shares?|percent\w*|proportions?|fractions?|split|break ?down|mix|made up)\b", re.IGNORECASE
)


def say(plan: Query, collection: Collection, rows: Sequence[Row], today: date, question: str = "") -> str:
    """One sentence for the rows of a plan; `today` lets it say "today" and "tomorrow"."""
    if len(plan.group) == 1 and rows and not plan.order and _are_shares(plan, rows, question):
        return _say_shares(plan, collection, rows, today)
    if plan.group:
        return _say_groups(plan, collection, rows, today)
    measures = [select for select in plan.select if select.aggregate]
    if measures:
        return " ".join(_say_number(plan, collection, select, rows, today) for select in measures)
    return _say_rows(plan, collection, rows, today)


def view(plan: Query, collection: Collection, rows: Sequence[Row], question: str = "") -> dict[str, Any]:
    """How a screen should show the rows: a number, bars (stacked by a second group), a line over time, or a table.

    Bars get ``"share": true`` where the question asks for parts of a whole and its numbers add up to one.
    """
    if plan.group and len(plan.group) == 1 and rows:
        kind = "line" if _runs_in_time(plan) and len(rows) > 1 else "bars"
        told = {"kind": kind, "label": plan.group[0], "value": _key(plan, _measure(plan))}
        return told | ({"share": True} if kind == "bars" and _are_shares(plan, rows, question) else {})
    if len(plan.group) == 2 and rows and _measure(plan).aggregate in _ADD_UP:
        first, second = sorted(plan.group, key=lambda name: not _bucket(plan, name))  # time goes along the bars
        return {"kind": "stacked", "label": first, "part": second, "value": _key(plan, _measure(plan))}
    if len(plan.select) == 1 and plan.select[0].aggregate:
        value = rows[0].get(_key(plan, _measure(plan))) if rows else None
        return {"kind": "number", "value": value, "label": _number_label(plan, collection)}
    return {"kind": "table"} if rows else {"kind": "text"}


def _are_shares(plan: Query, rows: Sequence[Row], question: str) -> bool:
    """Whether a question asks for parts of a whole, and the rows are those: numbers that add up."""
    numbers = [row.get(_key(plan, _measure(plan))) for row in rows]
    adds = _measure(plan).aggregate in _ADD_UP and len(rows) < plan.limit
    return adds and bool(_SHARE.search(question)) and all(_is_number(each) and (each or 0) >= 0 for each in numbers)


def fields(plan: Query, collection: Collection) -> list[dict[str, str]]:
    """The columns of the rows in order: name, label, type; the row's ``id`` is left out.

    Numbers that are names, and years, also have ``"plain": "yes"``: they are written without thousands apart.
    """
    columns = []
    for select, key in zip(plan.select, keys(plan), strict=True):
        field = collection.field(select.field)
        if select.aggregate:
            label = select.aggregate if field is None else f"{select.aggregate} of {say_label(collection, field.name)}"
            columns.append({"name": key, "label": label, "type": "numeric" if field is None else field.type})
        elif field is not None and field.name != "id":
            label = say_label(collection, field.name)
            kind = "date" if select.bucket not in (None, "hour") else field.type
            column = {"name": key, "label": select.bucket or label, "type": kind}
            columns.append(column | ({"plain": "yes"} if is_plain(field) else {}))
    return columns


def _runs_in_time(plan: Query) -> bool:
    """Whether its groups are time buckets one after the other, and not a ranking of them."""
    bucketed = len(plan.group) == 1 and bool(_bucket(plan, plan.group[0]))
    return bucketed and all((order.field, order.descending) == (plan.group[0], False) for order in plan.order)


def arrange(plan: Query, rows: Sequence[Row]) -> list[Row]:
    """Groups that the plan leaves in any order: time buckets as they follow, others with the largest number first.

    Of a ranking's first group those that are level with it, and no others.
    """
    if with_level(plan) is not plan:
        key = _key(plan, _measure(plan))
        return [row for row in rows if row.get(key) == rows[0].get(key)]
    if not plan.group or plan.order:
        return list(rows)
    if _runs_in_time(plan):
        return sorted(rows, key=lambda row: str(row.get(plan.group[0]) or ""))
    key = _key(plan, _measure(plan))
    return sorted(rows, key=lambda row: (row.get(key) is None, -(row.get(key) or 0) if _is_number(row.get(key)) else 0))


def with_level(plan: Query) -> Query:
    """The plan as it is read: where the first group of a ranking is asked for, also those that may be level with it."""
    first = plan.group and plan.limit == 1 and plan.order and plan.order[0].aggregate
    return msgspec.structs.replace(plan, limit=_LEVEL) if first else plan


def as_shown(plan: Query, rows: Sequence[Row]) -> Query:
    """The plan that gives just these rows: of a ranking also those that are level with its first group."""
    return plan if with_level(plan) is plan else msgspec.structs.replace(plan, limit=max(1, len(rows)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _measure(plan: Query) -> Select:
    return next(select for select in plan.select if select.aggregate)


def _key(plan: Query, select: Select) -> str:
    return keys(plan)[plan.select.index(select)]


def _say_number(plan: Query, collection: Collection, select: Select, rows: Sequence[Row], today: date) -> str:
    value = rows[0].get(_key(plan, select)) if rows else None
    if select.aggregate == "count":
        return _say_count(plan, collection, int(value or 0), today)
    if select.aggregate == "distinct":
        label, told = say_label(collection, select.field), _conditions(plan, collection, today)
        noun = f"different {plural(label)}" if value != 1 else label
        return f"There {'is' if value == 1 else 'are'} {number(value) if value else 'no'} {noun}{told}."
    states = [condition for condition in plan.where if _kind(condition, collection) == "state"]
    others = tuple(condition for condition in plan.where if condition not in states)
    told = _conditions(msgspec.structs.replace(plan, where=others), collection, today)
    if states:
        told = f" of {join([_clause(each, collection, 'state') for each in states])} {say_collection(collection)}{told}"
    if value is None:
        return f"There is no {_number_label(plan, collection, select)}{told}."
    return f"The {_number_label(plan, collection, select)}{told} is {number(value)}."


def _say_count(plan: Query, collection: Collection, count: int, today: date) -> str:
    noun, be = say_collection(collection, count), "is" if count == 1 else "are"
    told = _conditions(plan, collection, today)
    if any(_kind(condition, collection) == "state" for condition in plan.where):
        return f"{number(count) if count else 'No'} {noun} {be}{told}."
    return f"There {be} {number(count) if count else 'no'} {noun}{told}."


def _say_rows(plan: Query, collection: Collection, rows: Sequence[Row], today: date) -> str:
    if not rows:
        return _say_count(plan, collection, 0, today)
    shown = [select.field for select in plan.select if select.field != "id"] or ["id"]
    if plan.order and plan.limit < ROWS_AT_MOST:
        return _say_extreme(plan, collection, rows, _title(plan, shown), today)
    if len(rows) == 1 and plan.where:
        return _say_one(plan, collection, rows[0], shown)
    title = _title(plan, shown)
    listed = _listed([row[title] for row in rows if row.get(title) is not None])
    start = _say_count(plan, collection, len(rows), today).removesuffix(".")
    if len(rows) >= plan.limit:
        start = f"{len(rows)} or more {say_collection(collection)} match"
    return f"{start}: {listed}." if listed else f"{start}."


def _title(plan: Query, shown: list[str]) -> str:
    """The field that tells rows apart: the first that is not the same in all of them."""
    same = {condition.field for condition in plan.where if condition.op == "eq"}
    return next((name for name in shown if name not in same), shown[0])


def _listed(values: Sequence[Any]) -> str:
    told = list(dict.fromkeys(say_value(value) for value in values))
    if len(told) <= _NAMED:
        return join(told)
    # Where names repeat, "and 77 more" would not add up with the number of rows.
    return ", ".join(told[:_NAMED]) + (f" and {len(told) - _NAMED} more" if len(told) == len(values) else " and others")


def _value(row: Row, name: str, collection: Collection) -> str:
    """What a row has of a field, as people write it."""
    plain = is_plain(collection.field(name)) and isinstance(row.get(name), int)
    return str(row[name]) if plain else number(row.get(name))


def _say_extreme(plan: Query, collection: Collection, rows: Sequence[Row], title: str, today: date) -> str:
    order = plan.order[0]
    field = collection.field(order.field)
    time = field is not None and field.type in TIMES
    end = ("latest" if time else "highest") if order.descending else ("earliest" if time else "lowest")
    label, told = say_label(collection, order.field), _conditions(plan, collection, today)
    if len(rows) == 1 and time:
        others = tuple(condition for condition in plan.where if condition.field != order.field)
        told = _conditions(msgspec.structs.replace(plan, where=others), collection, today)
        moment, comma = _value(rows[0], order.field, collection), "," if told else ""
        return f"{say_value(rows[0].get(title))}: {label} {moment}{comma}{told}."
    if len(rows) == 1:
        return (
            f"{say_value(rows[0].get(title))} has the {end} {label}{told}: {_value(rows[0], order.field, collection)}."
        )
    return f"The {len(rows)} with the {end} {label}{told}: {_listed([row.get(title) for row in rows])}."


def _say_one(plan: Query, collection: Collection, row: Row, shown: list[str]) -> str:
    title, tested = shown[0], {test.field for test in plan.where if test.op in ("eq", "null") and not test.other}
    others = [name for name in shown[1:] if name not in tested and row.get(name) is not None]
    head = say_value(row.get(title))
    if len(others) == 1 and title in tested:
        return f"The {say_label(collection, others[0])} of {head} is {_value(row, others[0], collection)}."
    told = [f"{say_label(collection, name)} {_value(row, name, collection)}" for name in others[:_NAMED]]
    return f"{head}: {', '.join(told)}." if told else f"{say_label(collection, title).capitalize()} {head}."


def _say_groups(plan: Query, collection: Collection, rows: Sequence[Row], today: date) -> str:
    key = _key(plan, _measure(plan))
    ranked = [row for row in rows if _is_number(row.get(key))]
    if not rows:
        return _say_count(plan, collection, 0, today)
    head = _say_what(plan, collection, today)
    if plan.order and plan.order[0].aggregate and ranked:
        return f"{head}: {_ranking(plan, ranked, key)}."
    if len(rows) >= plan.limit:
        return f"{head}: there are too many to say which has the most; {number(len(rows))} were read."
    if not ranked:  # days and texts are not ranked: the first groups stand for all
        few = [f"{_say_group(plan, row)} {say_value(row[key])}" for row in rows if row.get(key) is not None]
        if not few:
            return f"{head}: none is known."
        return f"{head}: {join(few) if len(few) <= _NAMED else ', '.join(few[:_NAMED]) + ' and others'}."
    first, last = max(ranked, key=lambda row: row[key]), min(reversed(ranked), key=lambda row: row[key])
    if len(ranked) == 1:
        timed = any(_bucket(plan, name) for name in plan.group)
        return f"{head}: {_say_group(plan, first)} {f'({number(first[key])})' if timed else number(first[key])}."
    most, fewest = (
        f"{_say_group(plan, first)} ({number(first[key])})",
        f"{_say_group(plan, last)} ({number(last[key])})",
    )
    return f"{head}: most {most}, fewest {fewest}."


def _say_shares(plan: Query, collection: Collection, rows: Sequence[Row], today: date) -> str:
    """The parts of a whole: "Trips per delayed: no 66 (73.3 %), yes 24 (26.7 %)"."""
    key = _key(plan, _measure(plan))
    counts = [row.get(key) or 0 for row in rows]
    whole = sum(counts)
    if not whole:
        return _say_groups(plan, collection, rows, today)
    parts = [
        f"{_say_group(plan, row)} {number(count)} ({number(round(100 * count / whole, 1))} %)"
        for row, count in zip(rows[:_NAMED], counts, strict=False)
    ]
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"{_say_what(plan, collection, today)}: {', '.join(parts)}{more}."


def _say_what(plan: Query, collection: Collection, today: date) -> str:
    """What is told of which groups: "Trips per delayed, with destination Ghent"."""
    told = _conditions(plan, collection, today).strip()
    per = join([_bucket(plan, name) or say_label(collection, name) for name in plan.group])
    head = f"{_number_label(plan, collection)} per {per}{', ' + told if told else ''}"
    return head[0].upper() + head[1:]


def _ranking(plan: Query, rows: Sequence[Row], key: str) -> str:
    """The first group, with those that are level with it, and the few that follow."""
    level = [row for row in rows if row[key] == rows[0][key]]
    named = [_say_group(plan, row) for row in level]
    each = " each" if len(level) > 1 else ""
    lead = f"{join(named) if len(named) <= _NAMED else ', '.join(named[:_NAMED]) + ' and others'} "
    counted = _measure(plan).aggregate in ("count", "sum")
    most, least = ("most", "fewest") if counted else ("highest", "lowest")
    end = most if plan.order[0].descending else least
    others = [f"{_say_group(plan, row)} ({number(row[key])})" for row in rows[len(level) :][: _NAMED - 1]]
    return f"{end} {lead}({number(rows[0][key])}{each})" + (f", then {join(others)}" if others else "")


def _bucket(plan: Query, name: str) -> str:
    return next((select.bucket for select in plan.select if select.field == name and select.bucket), "")


def _say_group(plan: Query, row: Row) -> str:
    return " / ".join(_say_bucket(row.get(name), _bucket(plan, name)) for name in plan.group)


def _say_bucket(value: Any, bucket: str) -> str:
    """A value of a group; of a time bucket what it is called: ``November 2026``, ``the week of 23 November 2026``."""
    said = say_value(value)
    if value is None or bucket in ("", "hour", "day"):
        return said
    month = said.partition(" ")[2]
    names = {"week": f"the week of {said}", "month": month, "year": value[:4]}
    return names.get(bucket) or f"Q{(int(value[5:7]) + 2) // 3} {value[:4]}"


def _number_label(plan: Query, collection: Collection, select: Select | None = None) -> str:
    select = select or _measure(plan)
    if select.aggregate == "count":
        return say_collection(collection)
    label = say_label(collection, select.field)
    if select.aggregate == "sum" and label.startswith("total"):
        return label
    field = collection.field(select.field)
    if select.aggregate in ("min", "max") and field is not None and field.type in TIMES:
        return f"{'earliest' if select.aggregate == 'min' else 'latest'} {label}"
    return {"sum": "total", "avg": "average", "min": "lowest", "max": "highest", "distinct": "number of different"}[
        select.aggregate or "sum"
    ] + f" {label}"


def _kind(condition: Condition, collection: Collection) -> str:
    word = singular(fold(say_label(collection, condition.field)).split(" ")[-1])
    if condition.op in ("eq", "neq", "in") and word in _STATES and not isinstance(condition.value, bool):
        return "state"
    if condition.op == "eq" and word in _PLACES:
        return "place"
    return "person" if condition.op == "eq" and word in _PEOPLE else "other"


def _conditions(plan: Query, collection: Collection, today: date) -> str:
    """The tests as the end of a sentence, states first: `` free in Cardiology``."""
    single, spans = paired(plan.where)
    told: dict[str, list[str]] = {"state": [], "place": [], "person": [], "other": []}
    for condition in single:
        kind = _kind(condition, collection)
        told[kind].append(_clause(condition, collection, kind))
    times = [f"{_event(say_label(collection, field))}{say_span(start, end, today)}" for field, start, end in spans]
    parts = [join(told["state"]), " ".join(told["place"]), " ".join(told["person"]), _and(told["other"]), join(times)]
    return "".join(f" {part}" for part in parts if part) + words_related(plan.related)


def _event(label: str) -> str:
    """``admitted on`` -> "admitted ", ``expires on`` -> "expiring ": what happens that day."""
    *before, last = label.split()
    if last not in ("on", "at") or not before:
        return "" if label in ("date", "day", "time") else f"with {label} "
    if before in (["starts"], ["start"]):
        return ""
    verb = before[-1]
    if verb.endswith("s") and len(before) == 1:
        verb = verb.removesuffix("s").removesuffix("e") + "ing"
    return " ".join([*before[:-1], verb]) + " "


def _short(value: Any) -> str:
    """A value for a sentence; of a long list the first two: "A, B or 3 others"."""
    if isinstance(value, list | tuple) and len(value) > 3:
        return f"{say_value(value[0])}, {say_value(value[1])} or {len(value) - 2} others"
    return say_value(value)


def _clause(condition: Condition, collection: Collection, kind: str) -> str:
    label = say_label(collection, condition.field)
    value = say_label(collection, condition.other) if condition.other else _short(condition.value)
    if kind == "state":
        return f"{'not ' if condition.op == 'neq' else ''}{value.lower()}"
    if kind == "place":
        return f"in {value}" if not value.isdigit() else f"{'on' if label == 'floor' else 'in'} {label} {value}"
    if kind == "person":
        return f"of {value}"
    if condition.op == "null":
        return f"with {'no' if condition.value else 'a'} {label}"
    if isinstance(condition.value, bool):
        return f"with {label}" if condition.value == (condition.op == "eq") else f"without {label}"
    field = collection.field(condition.field)
    if field is not None and field.type in TIMES:
        when = {"gt": "after ", "gte": "from ", "lt": "before ", "lte": "up to ", "neq": "not on "}
        return f"{_event(label)}{when.get(condition.op, 'on ')}{value}"
    return f"with {label} {_operator(condition)}{value}"


def _operator(condition: Condition) -> str:
    return {"gt": "over ", "gte": "at least ", "lt": "under ", "lte": "at most ", "neq": "not ", "like": "like "}.get(
        condition.op, ""
    )


def _and(parts: list[str]) -> str:
    return " and ".join(part if index == 0 else part.removeprefix("with ") for index, part in enumerate(parts))
