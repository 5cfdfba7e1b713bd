"""The judge: which rows count as the answer that was asked for."""

from typing import Any

import pytest

from appliance.llm.plan import GROUPS_AT_MOST, Condition, Order, Query, Select
from appliance.llm.training.judge import Expected, Outcome, outcome, same_rows, uncut

Row = dict[str, Any]
FREE = (Condition("status", "eq", "free"),)
COUNT = Query("beds", (Select("*", "count"),), FREE)
BEDS = Query("beds", (Select("id"), Select("bed")), FREE)
PER_WARD = Query("beds", (Select("ward"), Select("*", "count")), FREE, ("ward",))


def ranked(limit: int, descending: bool = True) -> Query:
    return Query("beds", PER_WARD.select, FREE, ("ward",), (Order("*", descending, "count"),), limit)


def dearest(limit: int) -> Query:
    select = (Select("id"), Select("item"), Select("cost"))
    return Query("stock", select, order=(Order("cost", descending=True),), limit=limit)


def wards(**counts: float) -> list[Row]:
    return [{"ward": ward, "count": count} for ward, count in counts.items()]


def items(*costs: tuple[int, float]) -> list[Row]:
    return [{"id": number, "item": f"item {number}", "cost": cost} for number, cost in costs]


@pytest.mark.parametrize(
    ("expected", "status", "fits", "became"),
    [
        ("answered", "answered", True, "right"),
        ("answered", "answered", False, "wrong"),
        ("answered", "clarify", False, "asked back"),
        ("answered", "refused", False, "refused"),
        ("refused", "refused", False, "right"),
        ("refused", "clarify", False, "right"),
        ("clarify", "clarify", False, "right"),
        ("clarify", "answered", False, "wrong"),
        ("refused", "answered", True, "wrong"),
    ],
)
def test_outcomes(expected: Expected, status: str, fits: bool, became: Outcome) -> None:
    assert outcome(expected, status, fits) == became


def test_a_gold_plan_is_run_without_its_limit() -> None:
    assert uncut(ranked(1)) == ranked(GROUPS_AT_MOST)


# Numbers ----------------------------------------------------------------------------------------------------


def test_a_number_is_compared_as_a_number_however_it_was_counted() -> None:
    by_id = Query("beds", (Select("id", "count"),))
    assert same_rows(COUNT, [{"count": 24}], by_id, [{"count": 24.0}])
    assert not same_rows(COUNT, [{"count": 24}], by_id, [{"count": 23}])


def test_a_long_fraction_is_compared_to_nine_digits() -> None:
    average = Query("stock", (Select("cost", "avg"),))
    assert same_rows(average, [{"avg": 23.516666666666666}], average, [{"avg": 23.5166666667}])
    assert not same_rows(average, [{"avg": 23.5167}], average, [{"avg": 23.5166666667}])


def test_a_sum_is_no_count_even_of_the_same_value() -> None:
    total = Query("beds", (Select("floor", "sum"),))
    assert not same_rows(COUNT, [{"count": 24}], total, [{"sum": 24}])
    assert not same_rows(total, [{"sum": 24}], COUNT, [{"count": 24}])


def test_an_average_is_not_a_highest_value() -> None:
    average, highest = Query("stock", (Select("cost", "avg"),)), Query("stock", (Select("cost", "max"),))
    assert not same_rows(average, [{"avg": 4}], highest, [{"max": 4}])


def test_the_same_value_of_another_collection_or_field_is_another_answer() -> None:
    assert not same_rows(COUNT, [{"count": 2}], Query("rooms", (Select("*", "count"),)), [{"count": 2}])
    fees, total = Query("bills", (Select("fees", "sum"),)), Query("bills", (Select("total", "sum"),))
    assert not same_rows(fees, [{"sum": 10}], total, [{"sum": 10}])


def test_other_columns_of_an_answer_do_not_count() -> None:
    both = Query("stock", (Select("cost", "sum"), Select("fee", "sum"), Select("*", "count")))
    gold = Query("stock", (Select("fee", "sum"),))
    assert same_rows(gold, [{"sum": 5}], both, [{"sum_cost": 7, "sum_fee": 5.0, "count": 1}])
    assert same_rows(COUNT, [{"count": 2}], PER_WARD, wards(Cardiology=2))


def test_the_highest_value_may_be_told_by_its_row_and_a_row_by_its_value() -> None:
    highest = Query("stock", (Select("cost", "max"),))
    assert same_rows(highest, [{"max": 9}], dearest(1), items((4, 9)))
    assert same_rows(Query("stock", (Select("cost"),)), [{"cost": 9}], highest, [{"max": 9}])
    assert not same_rows(dearest(1), items((4, 9), (5, 8)), highest, [{"max": 9}])  # which item is not told


def test_true_is_not_one() -> None:
    gold = Query("papers", (Select("secret"),))
    assert not same_rows(gold, [{"secret": True}], gold, [{"secret": 1}])
    assert same_rows(gold, [{"secret": True}], gold, [{"secret": True}])


def test_nothing_known_is_not_nought() -> None:
    total = Query("bills", (Select("total", "sum"),))
    assert not same_rows(total, [{"sum": None}], total, [{"sum": 0}])


# Rows -------------------------------------------------------------------------------------------------------


def test_rows_are_the_same_in_any_order_with_more_columns() -> None:
    shown = Query("beds", (Select("id"), Select("bed"), Select("ward")), FREE)
    rows: list[Row] = [{"id": 2, "bed": "C-02", "ward": "X"}, {"id": 1, "bed": "C-01", "ward": "X"}]
    gold = [{"id": 1, "bed": "C-01"}, {"id": 2, "bed": "C-02"}]
    assert same_rows(BEDS, gold, shown, rows)
    assert not same_rows(BEDS, gold, shown, rows[:1])
    assert not same_rows(BEDS, gold[:1], shown, rows)
    assert not same_rows(BEDS, gold, shown, [*rows, rows[0]])


def test_rows_with_the_same_title_are_told_apart_by_id() -> None:
    gold = [{"id": 1, "bed": "C-01"}, {"id": 2, "bed": "C-01"}]
    assert not same_rows(BEDS, gold, BEDS, [gold[0], {"id": 3, "bed": "C-01"}])


def test_an_answer_without_ids_is_compared_by_the_rest() -> None:
    named = Query("beds", (Select("bed"),), FREE)
    assert same_rows(BEDS, [{"id": 1, "bed": "C-01"}], named, [{"bed": "C-01"}])
    assert not same_rows(BEDS, [{"id": 1, "bed": "C-01"}], named, [{"bed": "C-02"}])
    assert not same_rows(Query("beds", (Select("id"),)), [{"id": 1}], named, [{"bed": "C-01"}])


def test_what_was_asked_for_must_be_shown() -> None:
    gold = Query("beds", (Select("id"), Select("patient")))
    assert not same_rows(gold, [{"id": 1, "patient": "Ana"}], BEDS, [{"id": 1, "bed": "C-01"}])


def test_everything_shows_every_field() -> None:
    everything = Query("beds", (Select("*"),))
    assert same_rows(Query("beds", (Select("bed"),)), [{"bed": "C-01"}], everything, [{"id": 1, "bed": "C-01"}])


def test_no_rows_are_an_answer_about_the_same_collection_only() -> None:
    assert same_rows(BEDS, [], BEDS, [])
    assert not same_rows(BEDS, [], Query("rooms", (Select("id"), Select("bed"))), [])
    assert not same_rows(BEDS, [], BEDS, [{"id": 1, "bed": "C-01"}])


def test_a_list_longer_than_a_box_shows_is_right_when_full() -> None:
    gold = [{"id": number, "bed": "C"} for number in range(300)]
    assert same_rows(BEDS, gold, BEDS, gold[50:250])
    assert not same_rows(BEDS, gold, BEDS, gold[:199])
    assert not same_rows(BEDS, gold, BEDS, [*gold[:199], {"id": 900, "bed": "C"}])


def test_times_are_compared_as_moments() -> None:
    gold = Query("visits", (Select("seen_at", "max"),))
    assert same_rows(gold, [{"max": "2026-11-25T10:00:00+02:00"}], gold, [{"max": "2026-11-25T08:00:00+00:00"}])
    assert not same_rows(gold, [{"max": "2026-11-25T10:00:00+02:00"}], gold, [{"max": "2026-11-25T10:00:00+00:00"}])
    assert same_rows(gold, [{"max": "2026-11-25T10:00"}], gold, [{"max": "2026-11-25 10:00"}])
    assert not same_rows(gold, [{"max": "2026-99-25T10:00"}], gold, [{"max": "2026-98-25T10:00"}])


def test_lists_and_documents_are_compared_whole() -> None:
    gold = Query("notes", (Select("tags"),))
    assert same_rows(gold, [{"tags": {"a": 1, "b": [2]}}], gold, [{"tags": {"b": [2], "a": 1}}])


# Groups -----------------------------------------------------------------------------------------------------


def test_groups_are_the_same_in_any_order() -> None:
    assert same_rows(PER_WARD, wards(A=2, B=3), ranked(10), wards(B=3, A=2))
    assert not same_rows(PER_WARD, wards(A=2, B=3), PER_WARD, wards(A=3, B=2))
    assert not same_rows(PER_WARD, wards(A=2, B=3), PER_WARD, wards(A=2))


def test_a_group_of_a_time_is_of_the_same_length() -> None:
    month, week = (Query("visits", (Select("day", bucket=bucket), Select("*", "count")), group=("day",))
                   for bucket in ("month", "week"))  # fmt: skip
    rows = [{"day": "2026-11-02", "count": 3}]
    assert same_rows(month, rows, month, rows)
    assert not same_rows(month, rows, week, rows)


def test_the_first_group_may_be_followed_by_others_of_the_ranking() -> None:
    gold, rows = ranked(1), wards(A=5, B=3, C=1)
    assert same_rows(gold, rows, ranked(1), rows[:1])
    assert same_rows(gold, rows, ranked(10), rows)
    assert not same_rows(gold, rows, ranked(1), wards(B=3))
    assert not same_rows(gold, rows, PER_WARD, rows)  # a list of all names no first
    assert not same_rows(gold, rows, ranked(10, descending=False), rows[::-1])
    assert not same_rows(gold, rows, ranked(10), [])


def test_a_ranking_by_another_count_of_the_rows_is_the_same_ranking() -> None:
    by_id = Query("beds", (Select("ward"), Select("id", "count")), (), ("ward",), (Order("id", True, "count"),))
    assert same_rows(ranked(1), wards(A=5, B=3), by_id, wards(A=5, B=3))


def test_groups_that_are_level_may_each_stand_first() -> None:
    gold, rows = ranked(1), wards(A=5, B=5, C=1)
    assert same_rows(gold, rows, ranked(1), wards(B=5))
    assert same_rows(gold, rows, ranked(10), wards(B=5, A=5, C=1))
    assert not same_rows(gold, rows, ranked(1), wards(C=1))


# Order ------------------------------------------------------------------------------------------------------


def test_the_first_rows_are_those_and_no_more() -> None:
    rows = items((1, 9), (2, 8), (3, 7))
    assert same_rows(dearest(2), rows, dearest(2), rows[:2])
    assert not same_rows(dearest(2), rows, dearest(3), rows)
    assert not same_rows(dearest(2), rows, dearest(1), rows[:1])


def test_rows_that_are_level_at_the_cut_may_each_be_there_or_all() -> None:
    rows = items((1, 9), (2, 8), (3, 8), (4, 7))
    for given in (items((1, 9), (2, 8)), items((1, 9), (3, 8)), items((1, 9), (3, 8), (2, 8))):
        assert same_rows(dearest(2), rows, dearest(2), given)
    assert not same_rows(dearest(2), rows, dearest(2), items((2, 8), (3, 8)))


def test_the_order_counts_where_one_was_asked_for() -> None:
    rows = items((1, 9), (2, 8), (3, 8))
    plain = Query("stock", dearest(1).select)
    assert same_rows(dearest(200), rows, plain, items((1, 9), (3, 8), (2, 8)))
    assert not same_rows(dearest(200), rows, plain, rows[::-1])
    assert same_rows(plain, rows, dearest(200), rows[::-1])


def test_fewer_rows_than_the_limit_are_all_of_them() -> None:
    rows = items((1, 9), (2, 8))
    assert same_rows(dearest(5), rows, dearest(5), rows)
    assert not same_rows(dearest(5), rows, dearest(5), rows[:1])
    assert same_rows(dearest(5), [], dearest(5), [])


def test_an_order_that_is_not_shown_is_not_judged() -> None:
    gold = Query("stock", (Select("id"),), order=(Order("cost"),), limit=1)
    rows = [{"id": 1}, {"id": 2}]
    assert same_rows(gold, rows, gold, rows[:1])
    assert not same_rows(gold, rows, gold, rows[1:])
