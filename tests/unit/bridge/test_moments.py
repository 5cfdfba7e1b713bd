"""How a time of a recording is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from appliance.bridge.moments import iso, moment
from appliance.errors import ApplianceError

NOW = round(datetime(2026, 11, 28, 15, 30, tzinfo=UTC).timestamp() * 1000)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("now", "2026-11-28T15:30:00"),
        (NOW - 5, "2026-11-28T15:29:59.995"),
        (str(NOW), "2026-11-28T15:30:00"),
        ("-90s", "2026-11-28T15:28:30"),
        ("90s", "2026-11-28T15:28:30"),
        ("-2h", "2026-11-28T13:30:00"),
        ("-1d", "2026-11-27T15:30:00"),
        ("14:05", "2026-11-28T12:05:00"),
        ("9:05:30", "2026-11-28T07:05:30"),
        ("2026-11-28T14:05", "2026-11-28T12:05:00"),
        ("2026-11-28 14:05:01.5", "2026-11-28T12:05:01.5"),
        ("2026-11-28T14:05:00Z", "2026-11-28T14:05:00"),
        ("2026-11-28T14:05:00+01:00", "2026-11-28T13:05:00"),
    ],
)
def test_times_people_write(said: Any, told: str) -> None:
    assert moment(said, NOW, EAST) == round(datetime.fromisoformat(told + "+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    "said",
    ["", "noon", "25:00", "-5", "-5y", None, True, [], {}, -1, 1e30, float("nan"), "9" * 15, "٣:٠٥x", "2026-13-01"],
)
def test_what_is_no_time(said: Any) -> None:
    with pytest.raises(ApplianceError, match="BRG466"):
        moment(said, NOW, EAST)


def test_without_a_zone_it_is_the_machines() -> None:
    local = datetime.fromtimestamp(NOW / 1000).astimezone()
    assert moment(local.strftime("%H:%M"), NOW) == NOW
    assert moment(local.replace(tzinfo=None).isoformat(), NOW) == NOW


def test_a_time_as_iso() -> None:
    assert iso(NOW + 7) == "2026-11-28T15:30:00.007+00:00"
    assert moment(iso(NOW + 7), 0) == NOW + 7
