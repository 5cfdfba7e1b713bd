"""Rows compared by their values, and the unseen sets: of every kind, their gold rows those of their SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.llm.training.unseen import Asked, Gold, fits, judged, read_set
from tests.ask.unseen.gold import filled, loaded
from tests.ask.unseen.make import DOMAINS, documents_of

UNSEEN = Path(__file__).resolve().parents[3] / "ask" / "unseen"


@pytest.mark.parametrize(
    ("values", "rows", "same"),
    [
        ([[4]], [{"count": 4}], True),
        ([[4]], [{"count": 5}], False),
        ([[4]], [{"count": "4"}], False),
        ([[2.3333]], [{"avg": 2.34}], True),
        ([[2.3333]], [{"avg": 2.35}], False),
        ([[True]], [{"paid": True}], True),
        ([[True]], [{"paid": 1}], False),
        ([[None]], [{"berth": None}], True),
        ([[None]], [{"berth": ""}], False),
        ([["Seabird"]], [{"name": "seabird"}], False),
        ([["2026-03-01", 2]], [{"starts_at": "2026-03-01T00:00:00+00:00", "count": 2}], True),
        ([["2026-03-01"]], [{"starts_at": "2026-03-01T01:00:00+01:00"}], True),
        ([["2026-03-01"]], [{"starts_at": "2026-03-02"}], False),
        ([["2026-03-01"]], [{"starts_at": None}], False),
        ([[2, 2]], [{"a": 2, "b": 3}], False),
        ([[2, 2]], [{"a": 2, "b": 2}], True),
        ([["a"], ["b"]], [{"x": "b"}, {"x": "a"}], True),
        ([["a"], ["a"]], [{"x": "a"}, {"x": "b"}], False),
        ([["a"], ["b"]], [{"x": "a", "y": "b"}, {"x": "a", "y": "c"}], True),
        ([["a"]], [{"x": "a"}, {"x": "b"}], False),
        ([["a"], ["b"]], [{"x": "a"}], False),
        ([], [], True),
        ([], [{"x": "a"}], False),
    ],
)
def test_rows_are_the_gold_rows_by_their_values(
    values: list[list[Any]], rows: list[dict[str, Any]], same: bool
) -> None:
    assert fits(Gold(values), rows) is same


def test_the_order_counts_where_it_is_asked_for() -> None:
    rows = [{"x": "b"}, {"x": "a"}]
    assert fits(Gold([["b"], ["a"]], ordered=True), rows)
    assert not fits(Gold([["a"], ["b"]], ordered=True), rows)


def test_others_may_follow_the_first_of_a_ranking() -> None:
    rows = [{"x": "b", "count": 3}, {"x": "a", "count": 2}]
    assert fits(Gold([["b"]], ranked=True), rows)
    assert not fits(Gold([["a"]], ranked=True), rows)
    assert not fits(Gold([["b"]], ranked=True), [])


@pytest.mark.parametrize(
    ("asked", "status", "rows", "found"),
    [
        (Asked("q", gold=Gold([[4]])), "answered", [{"count": 4}], "right"),
        (Asked("q", gold=Gold([[4]])), "answered", [{"count": 5}], "wrong"),
        (Asked("q", gold=Gold([[4]]), others=(Gold([[5]]),)), "answered", [{"count": 5}], "right"),
        (Asked("q", gold=Gold([[4]])), "clarify", [], "asked back"),
        (Asked("q", gold=Gold([[4]])), "refused", [], "refused"),
        (Asked("q", expect="refused"), "clarify", [], "right"),
        (Asked("q", expect="refused"), "answered", [{"count": 4}], "wrong"),
    ],
)
def test_what_became_of_a_question(asked: Asked, status: str, rows: list[dict[str, Any]], found: str) -> None:
    assert judged(asked, {"status": status, "rows": rows}) == found


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_small_and_asked_in_every_way(domain: str) -> None:
    documents = msgspec.json.decode((UNSEEN / f"{domain}.json").read_bytes())
    asked = read_set(UNSEEN / f"{domain}.jsonl")
    assert documents == documents_of(domain)
    assert 2 <= len(documents) <= 4
    assert all(30 <= len(rows) <= 120 for rows in documents.values())
    assert len({each.question for each in asked}) == len(asked) == 45
    assert sum(each.expect != "answered" for each in asked) >= 8
    assert all((each.gold is None) == (each.expect != "answered") for each in asked)
    assert all(each.gold is None or each.collection in documents for each in asked)


@pytest.mark.parametrize("domain", DOMAINS)
def test_gold_rows_are_those_of_the_sql_and_are_some(domain: str) -> None:
    asked = read_set(UNSEEN / f"{domain}.jsonl")
    with loaded(documents_of(domain)) as database:
        assert [filled(database, each) for each in asked] == asked
    assert all(each.gold.values for each in asked if each.gold)
