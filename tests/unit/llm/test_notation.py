"""The notation: what is written can be read, and a question cannot write control tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.notation import (
    AGGREGATES,
    BARE,
    BUCKETS,
    FIRST_TOKENS,
    FORMULAS,
    LAST_TOKENS,
    NONE,
    VALUED,
    Column,
    Group,
    Item,
    Mark,
    Rank,
    Sketch,
    field_marks,
    later,
    marks_of,
    plain,
    question,
    read,
    schema,
    write,
)
from appliance.llm.notation import (
    Test as Tried,
)

labels = st.text("abcdefg hij-/%()1", min_size=1, max_size=12).map(plain).filter(bool)
items = st.builds(Item, st.none() | labels, st.none() | st.sampled_from(AGGREGATES))
valued = st.builds(Tried, labels, st.sampled_from(VALUED), st.lists(labels, min_size=1, max_size=3).map(tuple))
bare = st.builds(Tried, labels, st.sampled_from(BARE), st.just(()))
timed = st.builds(Tried, labels, st.just("when"), st.sampled_from([("w1",), ("w2",)]))
queries = st.builds(
    Sketch,
    st.sampled_from(["query", "alert", "cancel", "summary"]),
    st.lists(items, min_size=1, max_size=3).map(tuple),
    st.lists(valued | bare | timed, max_size=3).map(tuple),
    st.lists(st.builds(Group, labels, st.none() | st.sampled_from(BUCKETS)), max_size=2).map(tuple),
    st.none() | st.tuples(st.sampled_from(["gt", "lt"]), labels),
    st.none() | st.builds(Rank, st.booleans(), st.none() | labels, st.none() | labels),
)
additions = st.builds(
    Sketch,
    st.just("add"),
    st.just(()),
    new=labels,
    formula=st.none() | st.tuples(labels, st.sampled_from(FORMULAS), labels),
)


@given(queries | additions | st.just(NONE))
def test_what_is_written_can_be_read(sketch: Sketch) -> None:
    assert read(write(sketch)) == sketch


@pytest.mark.parametrize(
    "text", ["", "<e>", "<count>", " ward<and>", " ward<and> status", "<add>", "<all> ward", "<all><lim>", "<nonsense>"]
)
def test_what_is_no_sketch_is_refused(text: str) -> None:
    with pytest.raises(ApplianceError) as told:
        read(text)
    assert told.value.code == "LLM206"


def test_control_tokens_are_each_there_once() -> None:
    tokens = [*FIRST_TOKENS, *LAST_TOKENS]
    assert len(set(tokens)) == len(tokens)


@given(st.text(max_size=60))
def test_a_question_has_no_control_piece_of_its_own(text: str) -> None:
    pieces = question(text, ())
    assert [piece.text for piece in pieces if piece.control] == ["<q>", "<a>"]
    assert not any("<" in piece.text or ">" in piece.text for piece in pieces if not piece.control)


def test_marks_stand_around_the_words_they_are_about() -> None:
    marks = (Mark("value", 17, 27, ("ward", "unit")), Mark("w1", 28, 33), Mark("field", 9, 13))
    text = "how many beds in cardiology today"
    said = "".join(piece.text for piece in question(text, marks))
    assert (
        said == "<q> how many<m> beds<[> in".replace("<[> in", " in") + "<[> cardiology<v> ward<v> unit<]><w1> today<a>"
    )


def test_a_schema_names_kinds() -> None:
    columns = (Column("Ward_Name"), Column("floor", "number"), Column("since", "time"), Column("free", "flag"))
    assert "".join(piece.text for piece in schema("beds", columns)) == "<t> beds<s> ward name<n> floor<d> since<b> free"


def test_fields_are_found_in_any_number_longest_first() -> None:
    columns = (Column("due date"), Column("date"), Column("total"))
    text = "totals by due dates and date"
    assert {text[mark.start : mark.end] for mark in field_marks(text, columns)} == {"due dates", "totals", "date"}


def test_a_field_inside_a_value_is_not_marked() -> None:
    known = [Mark("value", 3, 14, ("status",))]
    assert marks_of("in total care", (Column("total"),), known) == tuple(known)


def test_an_earlier_time_is_the_second_one() -> None:
    sketch = Sketch(where=(Tried("day", "when", ("w1",)), Tried("ward", "eq", ("icu",))))
    assert write(later(sketch)) == "<all><and> day<when><w2><and> ward<eq> icu<e>"


def test_a_label_stands_for_a_word_of_its_family_and_idle_words_go() -> None:
    text = "what was he diagnosed with so far"
    marks = (Mark("field", 12, 21, ("diagnosis",)), Mark("idle", 27, 33))
    shown = "".join(piece.text for piece in question(text, marks))
    assert shown == "<q> what was he<m> diagnosis with<a>"
