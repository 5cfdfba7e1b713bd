"""What is refused of a document, and rows made whole again."""

from decimal import Decimal

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.writes.layout import Column, Layout
from appliance.pgflex.writes.placing import Limits, body, check, whole

LIMITS = Limits(documents=2, depth=2)


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        ([5], "PGF103"),
        (["x"], "PGF103"),
        ([{}, None], "PGF103"),
        ([{"a": float("nan")}], "PGF103"),
        ([{"a": Decimal("Infinity")}], "PGF103"),
        ([{"a": [{"b": float("inf")}]}], "PGF103"),
        ([{"a": [[[]]]}], "PGF103"),
        ([{}, {}, {}], "PGF109"),
    ],
)
def test_refused(documents: list[object], code: str) -> None:
    with pytest.raises(ApplianceError, match=code):
        check(documents, LIMITS)


def test_taken() -> None:
    check([{"a": [[1]], "b": Decimal("1E+400"), "c": 1e300}, {"NaN": "NaN"}], LIMITS)


@pytest.mark.parametrize("value", ["\x00", ["\x00"], {"\x00": 1}, {"a": ["x\x00"]}, "\ud800"])
def test_characters_that_no_text_can_hold(value: object) -> None:
    with pytest.raises(ApplianceError, match="PGF103"):
        body([{"a": value}], [{"a": value}])


def test_an_escaped_escape_is_no_nul() -> None:
    assert body([{"a": "\\u0000"}], [{"a": "\\u0000"}]) == '[{"a":"\\\\u0000"}]'


def test_rows_are_made_whole() -> None:
    layout = Layout((Column("n", "n", "integer"),), taken=("id", "n", "_7", "extra"), pending={"n": "text"})
    assert whole({"id": 1, "n": None, "_7": "x", "extra": {"n": "x"}}, layout) == {"id": 1, "n": "x"}
    assert whole({"id": 1, "n": 2, "_7": "2", "extra": {"n": "x"}}, layout) == {"id": 1, "n": 2}, "the later one counts"
    assert whole({"id": 1, "extra": {"n": "x"}}, layout) == {"id": 1}, "what a role may not read stays away"
