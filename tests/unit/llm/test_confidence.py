"""Confidence: what agrees is sure, what leaves something out is not, and the shares are those of one whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from appliance.llm.candidates import Candidate, Scores, alike, with_code
from appliance.llm.confidence import decided, shares, told_by
from appliance.llm.evidence import numbers
from appliance.llm.interpret import interpret
from appliance.llm.named import groups_by_itself
from appliance.llm.notation import read
from appliance.llm.plan import Query, Select
from appliance.llm.views import view
from tests.unit.llm.facility import NOW, linked

FREE = "How many beds are free in cardiology?"


def candidate(question: str, sketch: str, score: float = -0.1, lead: float = 0.0) -> Candidate:
    links = linked(question)
    meant = interpret(read(sketch), view(links.collection), links, [], NOW)
    assert meant.plan is not None
    return Candidate(meant.plan, links, read(sketch), Scores(score, lead), meant.corrected, meant.missing)


def judged(*candidates: Candidate) -> list[Candidate]:
    return with_code(candidates, {}, NOW)


def test_what_code_reads_too_is_sure() -> None:
    found = decided(judged(candidate(FREE, "<count><all><and> status<eq> free<and> ward<eq> cardiology<e>")))
    assert found.best is not None and found.best.by_code and found.confidence > 0.9


def test_rooms_are_not_added_up() -> None:
    summed = candidate("how many rooms are free", "<sum> room<and> status<eq> free<e>", -0.1)
    counted = candidate("how many rooms are free", "<count><all><and> status<eq> free<e>", -0.1)
    found = judged(summed, counted)
    assert numbers(found[0], found)["things_summed"] == 1
    best = decided(found).best
    assert best is None or best.sketch != summed.sketch


def test_a_sense_alone_is_no_answer() -> None:
    named = candidate("how many beds are there", "<count><all><e>", -0.01)
    assert decided([named]).confidence > 0.6
    links = linked("how many beds are there")
    links = replace(links, named=(), fields=(), values=(), explained=links.explained - set(links.named))
    guessed = decided([replace(named, links=links)])
    assert guessed.unsaid and guessed.confidence <= 0.5


def test_the_time_that_is_named_is_the_one() -> None:
    named = candidate("who was admitted yesterday", "<all><and> admitted on<when><w1><e>", -3.0)
    other = candidate("who was admitted yesterday", "<all><and> discharged on<when><w1><e>", -0.5)
    found = judged(named, other)
    known = {each.sketch: numbers(each, found)["time_otherwise"] for each in found}
    assert (known[named.sketch], known[other.sketch]) == (0, 1)


def test_a_reading_that_leaves_a_value_out_yields_to_one_that_does_not() -> None:
    part = candidate(FREE, "<count><all><and> ward<eq> cardiology<e>", -0.1)
    whole = candidate(FREE, "<count><all><and> status<eq> free<and> ward<eq> cardiology<e>", -2.5)
    found = decided(judged(part, whole))
    assert found.best is not None and found.best.sketch == whole.sketch
    assert found.others[0].sketch == part.sketch


def test_a_word_that_nothing_explains_is_never_sure() -> None:
    odd = candidate("How many beds are flibbered in cardiology?", "<count><all><and> ward<eq> cardiology<e>", 0.0)
    found = decided(judged(odd))
    assert found.unsaid == ("flibbered",) and found.confidence < 0.55


def test_that_the_data_does_not_tell_stands_back_behind_what_code_reads() -> None:
    no = candidate(FREE, "<none><e>", -0.3)
    count = candidate(FREE, "<count><all><and> status<eq> free<and> ward<eq> cardiology<e>", -1.6)
    found = decided(judged(no, count))
    assert found.best is not None and isinstance(found.best.plan, Query)


def test_readings_that_tell_the_same_are_one_answer() -> None:
    one = candidate("beds in surgery", "<all><and> ward<eq> surgery<e>", -0.9)
    other = candidate("beds in surgery", "<all><and> ward<eq> surgery<top> bed<e>", -0.9)
    apart = decided([one, other])
    told = Candidate(**{name: getattr(one, name) for name in one.__struct_fields__} | {"told": "[1, 2]"})
    same = Candidate(**{name: getattr(other, name) for name in other.__struct_fields__} | {"told": "[1, 2]"})
    joined = decided([told, same])
    assert joined.confidence == pytest.approx(sum(shares([told, same])))
    assert joined.confidence > apart.confidence
    assert joined.others == ()


def test_rows_that_say_nothing_tell_nothing() -> None:
    assert told_by([]) == told_by([{"count": 0}]) == told_by([{"sum": None}]) == ""
    assert told_by([{"id": 3, "bed": "C-01"}]) == told_by([{"id": 3}]) != told_by([{"id": 4}])


def test_the_fields_beside_do_not_make_another_query() -> None:
    one = Query("beds", (Select("id"), Select("bed")))
    assert alike(one, Query("beds", (Select("id"), Select("ward"))))
    assert not alike(one, Query("wards", (Select("id"), Select("bed"))))
    assert not alike(one, Query("beds", (Select("*", "count"),)))


@pytest.mark.parametrize(
    ("question", "sketch", "name"),
    [
        ("beds on floor 3", "<all><and> floor<gt> 3<e>", "compared_unasked"),
        ("beds on floor 3", "<count><all><by> ward<having><gt> 3<e>", "compared_unasked"),
        ("beds with a floor over 3", "<all><and> floor<lt> 3<e>", "compared_otherwise"),
    ],
)
def test_a_number_that_is_held_against_others_unasked_is_unlikely(question: str, sketch: str, name: str) -> None:
    against, over = (
        candidate(question, sketch),
        candidate("beds with a floor above 3, or higher than 4", "<all><and> floor<gt> 3<e>"),
    )
    assert numbers(against, [against])[name] == 1
    assert not any(numbers(over, [over])[each] for each in ("compared_unasked", "compared_otherwise"))
    same = candidate(question, "<all><and> floor<eq> 3<e>", -3.0)
    assert shares([same, against])[0] > shares([same, against])[1] or name == "compared_otherwise"


def test_a_word_that_is_said_once_is_a_value_or_names_a_time() -> None:
    when = candidate(
        "scheduled appointments starting today", "<all><and> status<eq> scheduled<and> starts at<when><w1><e>"
    )
    assert numbers(when, [when])["said_once"] == 0
    twice = candidate("starts today", "<all><and> reason<eq> starts<and> starts at<when><w1><e>")
    assert numbers(twice, [twice])["said_once"] == 1


def test_a_sum_of_what_nobody_named_is_unlikely() -> None:
    summed = candidate("beds per ward", "<sum> floor<by> ward<e>")
    named = candidate("floors per ward", "<sum> floor<by> ward<e>")
    counted = candidate("beds per ward", "<count><all><by> ward<e>", -2.0)
    assert numbers(summed, [summed])["measure_unnamed"] == 1
    assert numbers(named, [named])["measure_unnamed"] == numbers(counted, [counted])["measure_unnamed"] == 0
    assert shares([counted, summed])[0] > shares([counted, summed])[1]


def test_another_amount_than_is_said_is_unlikely() -> None:
    said = candidate("beds with a floor over 3", "<all><and> floor<gt> 3<e>")
    other = candidate("beds with a floor over 3", "<all><and> floor<gt> 180<e>")
    assert [numbers(each, [each])["amount_otherwise"] for each in (said, other)] == [0, 1]


def test_that_each_of_many_is_there_once_tells_nothing() -> None:
    once = [{"patient": name, "count": 1} for name in "abcd"]
    assert told_by(once) == "" != told_by(once[:3])
    assert told_by([*once, {"patient": "e", "count": 2}])


def test_what_is_asked_for_is_not_what_is_grouped_by() -> None:
    question = "beds that have a floor over 3"
    assert groups_by_itself(plan_of(candidate(question, "<count><all><and> floor<gt> 3<by> bed<e>")), linked(question))
    for cued in ("per bed, the number of rows", "which bed has a floor over 3", "floors of each bed"):
        assert not groups_by_itself(plan_of(candidate(cued, "<count><all><by> bed<e>")), linked(cued))
    other = plan_of(candidate("beds by ward", "<count><all><by> ward<e>"))
    assert not groups_by_itself(other, linked("beds by ward"))


def plan_of(each: Candidate) -> Query:
    assert isinstance(each.plan, Query)
    return each.plan


def test_nothing_to_judge() -> None:
    assert decided([]).best is None and shares([]) == [] and with_code([], {}, NOW) == []


def test_what_a_superlative_wants_is_a_rank() -> None:
    question = "beds with the highest floor"
    listed, ranked = candidate(question, "<all><e>"), candidate(question, "<all><top> floor<lim> 1<e>")
    assert numbers(listed, [listed])["rank_unmet"] and not numbers(ranked, [ranked])["rank_unmet"]


@given(st.lists(st.tuples(st.floats(-40, 0), st.floats(-9, 0)), min_size=1, max_size=8))
def test_shares_are_of_one_whole_and_something_is_kept_for_none(scores: list[tuple[float, float]]) -> None:
    made = [candidate(FREE, "<count><all><e>", *each) for each in scores]
    told = shares(made)
    assert all(0 <= share < 1 for share in told) and 0 < sum(told) < 1


@pytest.mark.parametrize(
    "question",
    [
        "what is the phone number of cardiology",
        "phone number of cardiology",
        "what does cardiology earn",
        "which wine goes with cardiology",
        "patients of cardiology that are still in",
    ],
)
def test_what_is_asked_for_and_is_not_there_is_no_answer(question: str) -> None:
    found = decided([candidate(question, "<all><and> ward<eq> cardiology<e>", -0.01)])
    assert found.unsaid and found.confidence <= 0.5


def test_a_not_is_said_by_a_test_that_denies() -> None:
    question = "which items are not flibbered"
    denied = candidate(question, "<all><and> sterile<no><e>")
    listed = candidate(question, "<all><e>")
    assert "not" not in decided([denied]).unsaid and "not" in decided([listed]).unsaid
