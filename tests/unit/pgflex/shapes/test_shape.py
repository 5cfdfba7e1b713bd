"""One shape on its own: what enters, changes and leaves it, and how its log is cut."""

import asyncio
import json
from typing import Any

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.shapes import shape as module
from appliance.pgflex.shapes.rows import Layout, Reading, ShapeColumn, offset_at
from appliance.pgflex.shapes.shape import Definition, Shape, inserted, outlined
from appliance.types import Change, Op

LAYOUT = Layout(
    (ShapeColumn("id", "int8", True), ShapeColumn("bed", "text", False), ShapeColumn("free", "bool", False)), None
)
AT = offset_at(5)


def begun(rows_limit: int = 10, **given: Any) -> Shape:
    """A shape that holds row 1 as of commit 5."""
    definition = Definition("staff", "beds", **given)
    shape = Shape(definition, rows_limit)
    shape.begin(outlined(definition, LAYOUT), Reading(AT, [(1, '{"id":"1","bed":"A","free":"true"}')]))
    return shape


def change(op: Op, key: int, *changed: str) -> Change:
    return Change("6.1", "beds", op, key, "", None, changed, "staff")


def values(key: int, bed: str | None, free: str | None = "true") -> dict[str, str | None]:
    return {"id": str(key), "bed": bed, "free": free}


def told(shape: Shape, after: int = AT) -> list[tuple[str, dict[str, Any]]]:
    messages = [json.loads(entry.body) for entry in shape.after(after)]
    return [(message["headers"]["operation"], message["value"]) for message in messages]


def test_rows_enter_change_and_leave() -> None:
    shape = begun()
    shape.take(AT + 1, change("update", 2, "bed"), values(2, "B"), True)
    shape.take(AT + 2, change("update", 2, "bed"), values(2, None), True)
    shape.take(AT + 3, change("update", 2, "free"), values(2, None, "false"), False)
    shape.take(AT + 4, change("update", 2, "bed"), values(2, "C", "false"), False)
    shape.take(AT + 5, change("delete", 1), None, False)
    shape.take(AT + 6, change("delete", 2), None, False)
    assert told(shape) == [
        ("insert", values(2, "B")),
        ("update", {"id": "2", "bed": None}),
        ("delete", {"id": "2"}),
        ("delete", {"id": "1"}),
    ]


def test_a_change_of_other_columns_is_not_told() -> None:
    shape = begun(columns=("bed",))
    shape.take(AT + 1, change("update", 1, "free"), values(1, "A", "false"), True)
    shape.take(AT + 2, change("insert", 3, "id", "bed", "free"), values(3, "C"), True)
    assert told(shape) == [("insert", {"id": "3", "bed": "C"})]


def test_a_full_replica_tells_what_was_before() -> None:
    shape = begun(replica="full")
    shape.take(AT + 1, change("update", 1, "bed"), values(1, "B"), True)
    shape.take(AT + 2, change("delete", 1), None, False)
    update, delete = (json.loads(entry.body) for entry in shape.after(AT))
    assert (update["value"], update["old_value"]) == (values(1, "B"), {"bed": "A"})
    assert delete["value"] == values(1, "B")


def test_what_the_rows_hold_already_is_not_told_again() -> None:
    shape = begun()
    shape.take(offset_at(5, 99), change("update", 1, "bed"), values(1, "old"), True)
    shape.take(offset_at(4, 100), change("insert", 9, "bed"), values(9, "old"), True)
    shape.take(offset_at(6, 1), change("insert", 9, "bed"), values(9, "new"), True)
    shape.take(offset_at(6, 1), change("insert", 9, "bed"), values(9, "new"), True)
    assert told(shape, 0) == [("insert", values(9, "new"))]


def test_places_are_in_commit_order() -> None:
    places = [offset_at(4), offset_at(5, 1), offset_at(5, 2**63 - 1), offset_at(5), offset_at(6, 1)]
    assert places == sorted(places) and len(set(places)) == 5


@pytest.mark.parametrize(("name", "limit"), [("LOG_ENTRIES", 3), ("LOG_BYTES", 500)])
def test_the_log_is_cut(monkeypatch: pytest.MonkeyPatch, name: str, limit: int) -> None:
    monkeypatch.setattr(module, name, limit)
    shape = begun()
    for place in range(1, 9):
        shape.take(AT + place, change("update", 1, "bed"), values(1, str(place)), True)
    kept = shape.after(0)
    assert 1 <= len(kept) <= 3 and kept[-1].offset == AT + 8
    assert not shape.holds(kept[0].offset - 2)
    assert shape.holds(kept[0].offset - 1) and shape.holds(AT + 8)


def test_a_shape_that_grows_over_its_limit_ends() -> None:
    shape = begun(rows_limit=2)
    shape.take(AT + 1, change("insert", 2, "bed"), values(2, "B"), True)
    assert shape.holds(AT)
    shape.take(AT + 2, change("insert", 3, "bed"), values(3, "C"), True)
    assert (shape.ended, shape.holds(AT)) == (True, False)
    with pytest.raises(ApplianceError) as refused:
        begun(rows_limit=0)
    assert refused.value.code == "PGF109"


async def test_who_waits_is_woken_by_news_and_by_the_end() -> None:
    shape = begun()
    waiting = [asyncio.create_task(shape.wait(AT, 5)) for _ in range(3)]
    await asyncio.sleep(0)
    assert shape.waiting == 3
    shape.take(AT + 1, change("delete", 1), None, False)
    assert [len(entries) for entries in await asyncio.gather(*waiting)] == [1, 1, 1]
    late = asyncio.create_task(shape.wait(AT + 1, 5))
    await asyncio.sleep(0)
    shape.end()
    assert await late == [] and shape.waiting == 0
    assert await begun().wait(AT, 0.01) == []


def test_old_handles_stay_good_for_a_while() -> None:
    shape = begun()
    first = shape.handle
    shape.renew()
    assert first != shape.handle and {first, shape.handle} <= set(shape.handles)
    for _ in range(module.HANDLES):
        shape.renew()
    assert first not in shape.handles and len(shape.handles) == module.HANDLES


def test_a_row_as_a_message_is_what_a_change_would_tell() -> None:
    shape = begun()
    shape.take(AT + 1, change("insert", 2, "bed"), values(2, 'say "x"'), True)
    told_later = json.loads(shape.after(AT)[0].body)
    at_once = json.loads(inserted("beds", 2, json.dumps(values(2, 'say "x"'))))
    assert (at_once["key"], at_once["value"]) == (told_later["key"], told_later["value"])
    assert at_once["key"] == '"api"."beds"/"2"'


def test_columns_are_cut_to_what_the_role_has() -> None:
    outline = outlined(Definition("wall", "beds", ("free", "patient")), LAYOUT)
    assert outline.names == ("id", "free")
    with pytest.raises(ApplianceError) as refused:
        outlined(Definition("wall", "beds"), None)
    assert refused.value.code == "PGF104"
