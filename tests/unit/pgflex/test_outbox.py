"""What a role sees of a change: columns it may read, rows its policy hides, values that overflowed."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.outbox import Batch, Columns, Entry, Place, read_place
from appliance.types import Change

ROW = '{"id":1,"ward":"A","note":null,"dose":0.1000000000000000000001}'


def entry(
    op: str = "update",
    row: str | None = ROW,
    changed: tuple[str, ...] | None = ("dose", "ward"),
    hides: tuple[str, ...] = (),
    hid: tuple[str, ...] = (),
) -> Entry:
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    return Entry(Place(5, 1), at, "beds", op, "1", row, changed, frozenset(hides), frozenset(hid))  # type: ignore[arg-type]


def told(item: Entry, role: str = "staff", columns: Columns = None) -> list[Change]:
    return Batch([item], {"beds": "wall"}, {role: {"beds": columns}}).told(role)


def test_a_role_that_reads_everything_gets_the_row_exactly() -> None:
    (change,) = told(entry())
    assert change.row == {"id": 1, "ward": "A", "note": None, "dose": Decimal("0.1000000000000000000001")}
    assert (change.position, change.op, change.key, change.changed) == ("5.1", "update", 1, ("dose", "ward"))
    assert (change.at, change.audience) == ("2026-11-24T08:30:00+00:00", "wall")


def test_a_role_gets_the_columns_it_may_read() -> None:
    (change,) = told(entry(), "wall", frozenset({"id", "ward"}))
    assert change.row == {"id": 1, "ward": "A"}
    assert change.changed == ("ward",)
    assert told(entry(changed=("dose",)), "wall", frozenset({"id", "ward"})) == []
    assert told(entry(), "wall", frozenset()) == []


def test_an_insert_names_the_fields_that_have_a_value() -> None:
    (change,) = told(entry("insert", changed=None))
    assert change.changed == ("dose", "id", "ward")


@pytest.mark.parametrize(
    ("op", "hides", "hid", "seen"),
    [
        ("insert", ("staff",), (), []),
        ("insert", ("wall",), (), ["insert"]),
        ("update", (), ("staff",), ["insert"]),
        ("update", ("staff",), (), ["delete"]),
        ("update", ("staff",), ("staff",), []),
        ("delete", (), ("staff",), []),
        ("delete", (), (), ["delete"]),
    ],
)
def test_rows_that_a_policy_hides(op: str, hides: tuple[str, ...], hid: tuple[str, ...], seen: list[str]) -> None:
    item = entry(op, None if op == "delete" else ROW, () if op == "delete" else ("ward",), hides, hid)
    changes = told(item)
    assert [change.op for change in changes] == seen
    for change in changes:
        assert (change.row is None) == (change.op == "delete")
        if change.op == "insert":
            assert change.changed == ("dose", "id", "ward")


def test_a_row_hidden_from_walls_is_not_for_walls() -> None:
    assert [change.audience for change in told(entry(hides=("wall",)))] == ["staff"]
    assert [change.audience for change in told(entry("delete", None, (), (), ("wall", "staff")), "admin")] == ["admin"]


def test_a_value_that_overflowed_is_in_its_place() -> None:
    row = '{"id":1,"dose":null,"note":"x","extra":{"dose":"about 5"}}'
    (whole,) = told(entry(row=row))
    assert whole.row == {"id": 1, "dose": "about 5", "note": "x"}
    (some,) = told(entry(row=row, changed=("note",)), "wall", frozenset({"id", "note"}))
    assert some.row == {"id": 1, "note": "x"}
    (empty,) = told(entry(row='{"id":1,"dose":2,"extra":null}'))
    assert empty.row == {"id": 1, "dose": 2}


def test_a_column_that_is_being_filled_is_not_told() -> None:
    (change,) = told(entry(row='{"id":1,"dose":2,"_7":"2"}', changed=("_7", "dose")))
    assert (change.row, change.changed) == ({"id": 1, "dose": 2}, ("dose",))
    assert told(entry(row='{"id":1,"dose":2,"_7":"2"}', changed=("_7",))) == []


def test_events_say_what_changes_say() -> None:
    for item, role, columns in (
        (entry(), "staff", None),
        (entry("insert", changed=None), "wall", frozenset({"id", "ward"})),
        (entry("delete", None, ()), "admin", None),
    ):
        batch = Batch([item], {"beds": "wall"}, {role: {"beds": columns}})
        name, place, data, *rest = batch.sent(role).decode().split("\r\n")
        assert (name, place, rest) == ("event: change", "id: 5.1", ["", ""])
        assert msgspec.json.decode(data.removeprefix("data: "), type=Change) == msgspec.json.decode(
            msgspec.json.Encoder(decimal_format="number").encode(batch.told(role)[0]),
            type=Change,
        )


def test_one_collection_of_several() -> None:
    item = entry()
    batch = Batch([item, item._replace(collection="wards")], {"beds": "wall"}, {"staff": {"beds": None}})
    assert [change.collection for change in batch.told("staff", "beds")] == ["beds"]
    assert batch.sent("staff", "wards") == b"", "a collection that is gone is told of to admins only"
    assert not batch.touches("staff", "wards")


def test_the_part_up_to_a_place() -> None:
    items = [entry()._replace(place=Place(number, 1)) for number in range(5)]
    batch = Batch(items, {"beds": "wall"}, {"staff": {"beds": None}})
    assert [str(item.place) for item in batch.until(Place(2, 1)).entries] == ["0.1", "1.1", "2.1"]
    assert batch.until(Place(9, 9)) is batch


@pytest.mark.parametrize("text", ["", "5", "5.", ".1", "-1.2", "5.1.2", "a.b", "5 .1", "99999999999999999999.1", "٥.١"])
def test_position_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ApplianceError, match="PGF111"):
        read_place(text)


def test_places_compare_as_numbers() -> None:
    assert Place(9, 100) < Place(10, 2) < Place(10, 11)
    assert str(Place(9, 100)) == "9.100"


def test_in_brief_changes_are_counted_and_some_are_whole() -> None:
    items = [
        entry()._replace(place=Place(1, 1)),
        entry(hides=("wall",))._replace(place=Place(2, 1)),
        entry("delete", None, ())._replace(place=Place(3, 1)),
        entry()._replace(place=Place(4, 1), collection="alerts"),
    ]
    batch = Batch(items, {"beds": "wall", "alerts": "wall"}, {"admin": {"beds": None, "alerts": None}})
    *events, end = batch.brief("admin", ("alerts",)).decode().split("\r\n\r\n")
    lines = [event.split("\r\n") for event in events]
    said = [msgspec.json.decode(line[1].removeprefix("data: ")) for line in lines]
    at = "2026-11-24T08:30:00+00:00"
    assert end == ""
    assert [line[0] for line in lines] == ["event: change", "event: moved", "event: moved"]
    assert said[0]["row"]["ward"] == "A"
    assert said[1:] == [
        {"collection": "beds", "op": "delete", "at": at, "n": 2, "audience": "wall"},
        {"collection": "beds", "op": "update", "at": at, "n": 1, "audience": "staff"},
    ]
    assert [line[2:] for line in lines] == [[], [], ["id: 4.1"]], "only the last can be resumed from"
    assert Batch(items[:1], {"beds": "wall"}, {"wall": {"beds": frozenset()}}).brief("wall", ()) == b""
