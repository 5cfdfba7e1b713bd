"""Interpret: sketches become plans over stored values, and what means nothing is told as missing."""

from __future__ import annotations

import pytest

from appliance.llm.forms import AddField, Alert, AlertCancel, Measure, Summary
from appliance.llm.interpret import Interpreted, interpret, number_of, open_literals, replaced
from appliance.llm.lookup import Found, Lookup
from appliance.llm.notation import read, write
from appliance.llm.plan import Condition, Having, Order, Query, Refuse, Select
from appliance.llm.views import view
from tests.unit.llm.facility import NOW, linked


def meant(question: str, sketch: str, *found: Found) -> Interpreted:
    links = linked(question)
    return interpret(read(sketch), view(links.collection), links, found, NOW)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,200", 1200),
        ("five", 5),
        ("2.5k", 2500),
        ("a dozen", 12),
        ("$30", 30),
        ("-4", -4),
        ("many", None),
        ("", None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    assert number_of(text) == number


def test_literals_become_stored_values() -> None:
    found = meant("how many beds are ocupied in the icu", "<count><all><and> status<eq> ocupied<e>")
    assert isinstance(found.plan, Query)
    assert found.plan.where == (Condition("status", "eq", "occupied"),)
    assert found.corrected == (("ocupied", "occupied"),) and found.missing == ()


def test_a_literal_that_stands_for_nothing_is_missing() -> None:
    found = meant("how many beds are purple", "<count><all><and> status<eq> purple<e>")
    assert found.missing == ("purple",)


def test_names_are_looked_up() -> None:
    links = linked("appointments of smith")
    seen = view(links.collection)
    sketch = read("<all><and> patient<eq> smith<e>")
    assert open_literals(sketch, seen, links) == [Lookup("smith", ("patient",))]
    found = interpret(sketch, seen, links, [Found("smith", "patient", ("Ana Smith",))], NOW)
    assert isinstance(found.plan, Query) and Condition("patient", "eq", "Ana Smith") in found.plan.where


def test_the_first_of_groups_is_shown_with_those_behind_it() -> None:
    asked = meant("which ward has the most beds", "<count><all><by> ward<top><lim> 1<e>").plan
    only = meant("the one ward with the most beds", "<count><all><by> ward<top><lim> 1<e>").plan
    assert isinstance(asked, Query) and isinstance(only, Query)
    assert (asked.limit, only.limit) == (1, 1)
    assert asked.order == (Order("*", True, "count"),)


def test_the_highest_of_names_says_nothing() -> None:
    assert meant("the highest ward of the beds", "<all><top> ward<lim> 1<e>").missing == ("ward",)


def test_a_test_that_is_written_twice_is_one() -> None:
    plan = meant("free beds", "<all><and> status<eq> free<and> status<eq> free<e>").plan
    assert isinstance(plan, Query) and plan.where == (Condition("status", "eq", "free"),)


def test_groups_are_tested() -> None:
    plan = meant("wards with more than 20 beds", "<count><all><by> ward<having><gt> 20<e>").plan
    assert isinstance(plan, Query) and plan.having == (Having("*", "count", "gt", 20),)


def test_spans_become_days() -> None:
    plan = meant("appointments today", "<count><all><and> starts at<when><w1><e>").plan
    assert isinstance(plan, Query)
    assert [(test.field, test.op) for test in plan.where] == [("starts_at", "gte"), ("starts_at", "lt")]
    assert meant("appointments", "<count><all><and> starts at<when><w1><e>").missing == ("w1",)


def test_other_forms() -> None:
    low = meant("tell me when fewer than 3 beds are free", "<alert><count><all><and> status<eq> free<having><lt> 3<e>")
    assert low.plan == Alert("beds", (Condition("status", "eq", "free"),), Measure("*", "count"), "lt", 3)
    assert isinstance(meant("stop the alerts on beds", "<cancel><all><e>").plan, AlertCancel)
    assert meant("add a field colour to beds", "<add> colour<e>").plan == AddField("beds", "colour", "text")
    assert isinstance(
        meant("what happened with appointments today", "<summary><all><and> starts at<when><w1><e>").plan, Summary
    )
    assert isinstance(meant("why are there beds", "<none><e>").plan, Refuse)


def test_a_sum_of_words_is_none() -> None:
    found = meant("total ward of the beds", "<sum> ward<e>")
    assert found.plan is None and found.missing == ("ward",)


def test_a_field_to_show() -> None:
    plan = meant("which ward is bed C-04 in", " ward<and> bed<eq> c-04<e>", Found("c-04", "bed", ("C-04",))).plan
    assert isinstance(plan, Query) and Select("ward") in plan.select


def test_a_new_value_takes_the_place_of_the_old_one() -> None:
    both = read("<count><all><and> status<eq> free<and> ward<eq> cardiology<and> ward<eq> surgery<and> floor<gt> 2<e>")
    assert write(replaced(both, [])) == "<count><all><and> status<eq> free<and> ward<eq> surgery<and> floor<gt> 2<e>"


def test_a_value_that_is_said_takes_the_earlier_ones_place_in_its_field() -> None:
    earlier = read("<count><all><and> status<eq> free<and> ward<eq> maternity<e>")
    said = [(("ward", "unit"), "surgery"), (("colour",), "blue")]
    assert write(replaced(earlier, said)) == "<count><all><and> status<eq> free<and> ward<eq> surgery<e>"
    both = [*said, (("ward",), "oncology")]
    assert write(replaced(earlier, both)) == "<count><all><and> status<eq> free<and> ward<eq> surgery<or> oncology<e>"
    assert replaced(earlier, [(("ward",), "maternity")]) == earlier
