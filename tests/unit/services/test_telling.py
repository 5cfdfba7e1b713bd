"""Sentences about what is unusual and what happened; every number in them is one that was given."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from appliance.services.telling import digest_rows, digest_sentence, told

EVENT: dict[str, Any] = {
    "label": "admissions", "what": "came", "side": "above", "scale": "day", "basis": "weekday", "value": 34,
    "usual": 24, "percent": 42, "start": "2026-11-23T00:00:00+00:00",
}  # fmt: skip
LINE: dict[str, Any] = {
    "collection": "admissions", "label": "admissions", "of": "came",
    "counted_from": "2026-11-23T00:00:00+00:00", "end": "2026-11-23T14:00:00+00:00",
    "counts": {"came": 34, "changed": 5, "went": 0, "loaded": 0},
    "usual": {
        "came": {"value": 24.0, "percent": 42, "unusual": "above"},
        "changed": {"value": 5.0, "percent": 0, "unusual": None},
        "went": {"value": 0.0, "percent": None, "unusual": None},
    },
    "groups": {"label": "ward", "top": [{"value": "Surgery", "count": 20}, {"value": "ICU", "count": 14}]},
    "sums": [{"label": "deposit_fee", "unit": "€", "sum": 1250.5}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, "Admissions today are 42 % above a usual Monday by now: 34, usually 24."),
        ({"basis": "day"}, "Admissions today are 42 % above a usual day by now: 34, usually 24."),
        (
            {"scale": "hour", "side": "below", "percent": -90, "value": 2, "start": "2026-11-23T13:00:00+00:00"},
            "Admissions from 13:00 to 14:00 are 90 % below a usual Monday at that time: 2, usually 24.",
        ),
        (
            {"what": "changed", "label": "lab_results", "value": 1200},
            "Changes of lab results today are 42 % above a usual Monday by now: 1,200, usually 24.",
        ),
        (
            {"state": "over", "until": "2026-11-23T14:15:00+00:00"},
            "Admissions on 23 November 2026 were 42 % above a usual Monday by 14:15: 34, usually 24.",
        ),
        (
            {"state": "over", "until": "2026-11-23T01:00:00+00:00", "scale": "hour"},
            "Admissions on 23 November 2026 from 00:00 to 01:00 were 42 % above a usual Monday at that time: 34, "
            "usually 24.",
        ),
        (
            {"what": "went", "usual": 0, "percent": None, "value": 12},
            "Removed admissions today are unusual for a Monday by now: 12, usually none.",
        ),
    ],
)
def test_what_is_unusual(more: dict[str, Any], sentence: str) -> None:
    assert told(EVENT | more, UTC) == sentence


def test_what_happened() -> None:
    assert digest_sentence(LINE, UTC) == (
        "34 admissions came (42 % above the usual 24) and 5 changed (as usual) on 23 November 2026 from 00:00 to 14:00."
        " Most by ward: Surgery 20 and ICU 14. Deposit fee of those that came: 1,250.5 € in all."
    )
    assert digest_rows(LINE)[0] == {"what": "came", "count": 34, "usual": 24.0, "percent": 42}


def test_nothing_happened() -> None:
    nothing = {"counts": dict.fromkeys(("came", "changed", "went", "loaded"), 0), "usual": None, "groups": None}
    line = LINE | nothing | {"sums": []}
    assert digest_sentence(line, UTC) == "Nothing happened in admissions on 23 November 2026 from 00:00 to 14:00."
    assert {row["usual"] for row in digest_rows(line)} == {None}


def test_a_load_is_told_apart() -> None:
    line = LINE | {"counts": {"came": 1, "changed": 0, "went": 0, "loaded": 3452}, "usual": None, "sums": []}
    assert digest_sentence(line, UTC).startswith("1 admission came on 23")
    assert "3,452 rows were written at once, by a load." in digest_sentence(line, UTC)
