"""The observer's signals: for whom they are, and when a digest is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.watching.seasons import zone_of
from appliance.services.clients import BridgeSource
from appliance.services.observer import Observer, digest, last_due
from tests.unit.services.runtimes import runtime

VIENNA = ZoneInfo("Europe/Vienna")
EVENT: dict[str, Any] = {
    "id": 3, "collection": "visits", "label": "visits", "what": "came", "side": "above", "scale": "day",
    "state": "active", "value": 34, "usual": 24, "percent": 42, "basis": "weekday", "days": 8,
    "start": "2026-11-23T00:00:00+01:00", "told_at": "2026-11-23T14:00:00+01:00", "over_at": None,
    "acknowledged_at": None, "acknowledged_by": None, "audience": "wall", "keys": [5, 4],
}  # fmt: skip


@pytest.mark.parametrize(
    ("now", "due"),
    [((23, 7, 0), (23, 7)), ((23, 6, 59), (22, 7)), ((23, 23, 0), (23, 7)), ((1, 0, 30), (31, 7))],
)
def test_a_digest_is_due_once_a_day(now: tuple[int, int, int], due: tuple[int, int]) -> None:
    day, hour, minute = now
    moment = datetime(2026, 11, day, hour, minute, tzinfo=VIENNA)
    month = 10 if due[0] == 31 else 11
    assert last_due(moment, "07:00") == datetime(2026, month, due[0], due[1], tzinfo=VIENNA)


class Bridge(BridgeSource):
    """What would go to the screens."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any, str]] = []

    def set(self, values: dict[str, Any], audience: str = "wall", stream: str = "main") -> None:
        self.said += [(name, value and value["sentence"], audience) for name, value in values.items()]


def answering(*answers: tuple[int, Any]) -> httpx.AsyncClient:
    """A data service that gives these answers, one after the other."""
    left = [httpx.Response(status, json=body) for status, body in answers]
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: left.pop(0)))


@pytest.fixture(autouse=True)
def zone() -> None:
    """As at the start of the gateway."""
    zone_of("Europe/Vienna")


async def test_what_is_for_others_now_leaves_the_screens_it_was_on() -> None:
    bridge, name = Bridge(), "unusual.visits.came"
    client = answering((200, [EVENT]), (200, [EVENT | {"audience": "staff"}]), (503, {"code": "PGF101"}), (200, []))
    observer = Observer(client, runtime(timezone="Europe/Vienna"), bridge)
    assert [await observer._looked() for _ in range(4)] == [True, True, False, True]
    sentence = "Visits today are 42 % above a usual Monday by now: 34, usually 24."
    assert bridge.said == [
        (name, sentence, "wall"),
        (name, None, "wall"),
        (name, sentence, "staff"),
        (name, None, "staff"),
    ]


async def test_a_digest_tells_the_data_services_faults() -> None:
    now = datetime(2026, 11, 23, tzinfo=VIENNA)
    client = answering((404, {"code": "PGF104", "message": "There is no such collection."}), (500, "?"))
    for code in ("PGF104", "BRG406"):
        with pytest.raises(ApplianceError, match=code):
            await digest(client, runtime(timezone="Europe/Vienna"), "nothing", now, now, "staff")
