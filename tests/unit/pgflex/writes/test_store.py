"""The store's rules that need no database."""

import asyncio
import json
from typing import Any

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.writes.known import Known
from appliance.pgflex.writes.layout import Column, Layout
from appliance.pgflex.writes.store import Store
from appliance.pgflex.writes.writing import Statement


async def test_wall_may_not_write() -> None:
    store = Store(None)  # type: ignore[arg-type]
    for attempt in (
        store.insert("beds", [{"a": 1}], "wall"),
        store.update("beds", 1, {"a": 1}, "wall"),
        store.replace("beds", 1, {"a": 1}, "wall"),
        store.delete("beds", 1, "wall"),
    ):
        with pytest.raises(ApplianceError, match="PGF106"):
            await attempt


class Together(Known):
    """Writes nothing, and tells what would have been written together."""

    def __init__(self, refused: str = "") -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.remember("beds", "staff", Layout((Column("n", "n", "integer"),)))
        self.written: list[list[Any]] = []
        self._refused = refused

    async def _run(self, collection: str, role: str, statement: Statement) -> list[dict[str, Any]]:
        await asyncio.sleep(0.001)
        rows = [{"id": place, **row} for place, row in enumerate(json.loads(statement.parameters[0]))]
        self.written.append([row["n"] for row in rows])
        if self._refused and len(rows) > 1:
            raise ApplianceError(self._refused, "No.")
        return rows


async def test_writes_that_wait_go_together() -> None:
    known = Together()
    rows = await asyncio.gather(*(known.insert("beds", [{"n": number}], "staff") for number in range(9)))
    assert [row and row[0]["n"] for row in rows] == list(range(9))
    assert known.written == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]
    assert await known.insert("beds", [{"n": 9}], "staff") == [{"id": 0, "n": 9}]
    assert await known.insert("wards", [{"n": 9}], "staff") is None


async def test_what_is_refused_for_one_is_tried_alone_by_each() -> None:
    known = Together("PGF103")
    rows = await asyncio.gather(*(known.insert("beds", [{"n": number}], "staff") for number in range(4)))
    assert rows == [[{"id": 0, "n": 0}], None, None, None]


async def test_what_may_have_been_written_is_not_tried_again() -> None:
    known = Together("PGF101")
    told = await asyncio.gather(
        *(known.insert("beds", [{"n": number}], "staff") for number in range(3)), return_exceptions=True
    )
    assert told[0] == [{"id": 0, "n": 0}]
    assert [getattr(each, "code", None) for each in told[1:]] == ["PGF101", "PGF101"]
