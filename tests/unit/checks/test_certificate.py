"""Is the door's certificate good, and does it stay so?"""

from typing import Any

import pytest

from appliance.checks import run_checks
from appliance.checks.certificate import check
from tests.unit.checks.probe import SaidProbe

GOOD: dict[str, Any] = {
    "days": 300,
    "ca_days": 3000,
    "names": ["localhost"],
    "lacks": [],
    "clock": "",
    "fingerprint": "AB12 CD34",
}


async def test_ok_with_the_days_left_and_whom_to_trust() -> None:
    found = await check(SaidProbe(door=GOOD))
    assert (found.name, found.state, found.fix) == ("certificate", "ok", "")
    assert "300 days" in found.sentence and "AB12 CD34" in found.sentence


@pytest.mark.parametrize(
    ("more", "state", "word", "fix"),
    [
        ({"days": -3}, "down", "3 days ago", "writable"),
        ({"days": 13}, "warn", "13 days", "writable"),
        ({"days": 13, "ca_days": 13}, "warn", "13 days", "trust the new"),
        ({"days": -1, "ca_days": -1}, "down", "1 day", "trust the new"),
        ({"ca_days": 364}, "warn", "364 days", "trust the new"),
        ({"lacks": ["ward", "8.8.8.8"]}, "warn", "ward, 8.8.8.8", "trust the new"),
        ({"clock": "1970-01-01T00:05+00:00"}, "warn", "1970", "clock"),
    ],
)
async def test_what_is_wrong_is_told_with_its_fix(more: dict[str, Any], state: str, word: str, fix: str) -> None:
    found = await check(SaidProbe(door=GOOD | more))
    assert found.state == state
    assert word in found.sentence
    assert fix in found.fix and "\n" not in found.fix


async def test_it_is_looked_at_only_where_there_is_one() -> None:
    assert "certificate" not in [finding.name for finding in await run_checks(SaidProbe())]
    assert "certificate" in [finding.name for finding in await run_checks(SaidProbe(door=GOOD))]
    assert (await check(SaidProbe())).state == "ok"
