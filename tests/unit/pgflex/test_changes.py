"""The feed without a database: positions, what a reader is told, and readers that are too slow."""

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.changes import QUEUE_LIMIT, CatalogChanged, Feed, _Entry, _Place, _Subscriber, _told
from appliance.types import Change, Role


def entry(audience: Role = "wall", changed: tuple[str, ...] = ("ward", "note"), op: str = "update") -> _Entry:
    row = None if op == "delete" else {"id": 1, "ward": "A", "note": "secret"}
    change = Change("5.1", "beds", op, 1, "2026-11-23T00:00:00+00:00", row, changed, audience)  # type: ignore[arg-type]
    return _Entry(_Place(5, 1), change, ("ward",))


def test_wall_is_told_only_its_fields() -> None:
    (told,) = _told(entry(), _Subscriber("wall", None))
    assert told.row == {"id": 1, "ward": "A"}
    assert told.changed == ("ward",)
    (whole,) = _told(entry(), _Subscriber("staff", None))
    assert whole == entry().change


def test_wall_is_not_told_of_changes_it_may_not_see() -> None:
    assert _told(entry(changed=("note",)), _Subscriber("wall", None)) == []
    assert _told(entry(audience="staff"), _Subscriber("wall", None)) == []
    assert _told(entry(audience="admin"), _Subscriber("staff", None)) == []
    assert len(_told(entry(changed=(), op="delete"), _Subscriber("wall", None))) == 1


def test_reader_of_one_collection() -> None:
    assert _told(entry(), _Subscriber("staff", "patients")) == []
    assert len(_told(entry(), _Subscriber("staff", "beds"))) == 1


async def test_slow_reader_gets_what_is_queued_and_then_the_end() -> None:
    reader = _Subscriber("staff", None)
    for number in range(QUEUE_LIMIT + 50):
        reader.put(CatalogChanged(str(number)))
    got = []
    while (event := await reader.next()) is not None:
        got.append(event)
    assert got == [CatalogChanged(str(number)) for number in range(QUEUE_LIMIT)]


@pytest.mark.parametrize("text", ["", "5", "5.", ".1", "-1.2", "5.1.2", "a.b", "5 .1", "99999999999999999999.1", "٥.١"])
def test_position_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ApplianceError, match="PGF111"):
        Feed("").subscribe("staff", after=text)


def test_places_compare_as_numbers() -> None:
    assert _Place(9, 100) < _Place(10, 2) < _Place(10, 11)
    assert str(_Place(9, 100)) == "9.100"
