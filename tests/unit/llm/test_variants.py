"""Variants: a step away from a sketch only where a word of the question says so."""

from __future__ import annotations

import pytest

from appliance.llm.notation import Column, read, write
from appliance.llm.variants import (
    Rows,
    amounts_said,
    denying,
    distinct_of,
    fields_of_dimensions,
    names_things,
    variants,
)
from appliance.llm.words import dimensions

COLUMNS = (
    Column("berth"),
    Column("pontoon"),
    Column("price day", "number"),
    Column("depth (m)", "number"),
    Column("litres", "number"),
    Column("room", "number"),
    Column("arrived", "time"),
    Column("left on", "time"),
)


@pytest.mark.parametrize(
    ("sketch", "text", "named", "expected"),
    [
        ("<count><all><by> pontoon<e>", "litres per pontoon", {"litres"}, ["<sum> litres<by> pontoon<e>"]),
        ("<count><all><e>", "litres", {"litres"}, ["<all><e>"]),
        ("<all><e>", "how many", set(), ["<count><all><e>"]),
        ("<min> depth (m)<e>", "minimum and maximum depth", set(), ["<min> depth (m)<,><max> depth (m)<e>"]),
        ("<count><all><by> berth<e>", "how many different pontoons", set(), ["<distinct> pontoon<e>"]),
        ("<avg> litres<by> berth<e>", "litres per stay", {"litres"}, ["<avg> litres<e>"]),
        ("<count><all><e>", "how many litres", {"litres"}, ["<sum> litres<e>"]),
        ("<count><all><e>", "how many rooms", {"room"}, []),
        ("<sum> litres<by> pontoon<e>", "berths per pontoon", {"pontoon"}, ["<count><all><by> pontoon<e>"]),
        (
            "<count><all><and> pontoon<eq> arrived<and> arrived<when><w1><e>",
            "how many arrived today",
            set(),
            ["<count><all><and> arrived<when><w1><e>"],
        ),
        (
            "<count><all><and> pontoon<eq> arrived<and> arrived<when><w1><e>",
            "how many arrived, arrived today",
            set(),
            [],
        ),
        (
            "<all><top> price day<lim> four<e>",
            "the four deepest berths",
            set(),
            ["<all><top> depth (m)<lim> four<e>"],
        ),
        ("<all><and> price day<gt> 3<e>", "berths deeper than 3 m", set(), ["<all><and> depth (m)<gt> 3<e>"]),
        (
            "<count><all><and> arrived<when><w1><e>",
            "how many left on monday",
            {"left on"},
            ["<count><all><and> left on<when><w1><e>"],
        ),
        ("<count><all><e>", "how many moorings per pontoon", set(), ["<count><all><by> pontoon<e>"]),
        (
            "<all><top> price day<lim> 3<e>",
            "top 3 pontoons by price day",
            set(),
            [
                "<count><all><by> pontoon<top><lim> 3<e>",
                "<sum> price day<by> pontoon<top><lim> 3<e>",
            ],
        ),
        (
            "<all><top> litres<lim> 1<e>",
            "most popular pontoon",
            set(),
            ["<count><all><by> pontoon<top><lim> 1<e>"],
        ),
        (
            "<sum> litres<by> berth<top><lim> 1<e>",
            "what takes the most",
            set(),
            ["<all><top> litres<lim> 1<e>", "<count><all><by> berth<top><lim> 1<e>"],
        ),
        ("<count><all><e>", "busiest month", set(), ["<all><e>", "<count><all><by><month> arrived<top><lim> 1<e>"]),
        (
            "<sum> litres<e>",
            "which day had the most litres",
            {"litres"},
            ["<sum> litres<by><day> arrived<top><lim> 1<e>"],
        ),
        ("<all><and> arrived<when><w1><e>", "litres costs", {"litres"}, ["<sum> litres<and> arrived<when><w1><e>"]),
        ("<none><e>", "litres per pontoon", {"litres"}, []),
        ("<alert><all><e>", "litres per pontoon", {"litres"}, []),
    ],
)
def test_variants(sketch: str, text: str, named: set[str], expected: list[str]) -> None:
    assert [write(each) for each in variants(read(sketch), COLUMNS, text, named, Rows(frozenset({"stay"})))] == expected


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("room", "how many rooms are free", True),
        ("floor_no", "how many floors", False),
        ("room", "which room is free", False),
        ("seats", "how many seats are there", False),
        ("nights", "how many nights", False),
    ],
)
def test_a_number_that_names_a_thing(label: str, text: str, expected: bool) -> None:
    assert names_things(label, text) is expected


def test_adjectives_measure() -> None:
    assert "depth" in dimensions("the deepest berth") and dimensions("a green berth") == frozenset()
    assert fields_of_dimensions([column.label for column in COLUMNS], "the deepest berth") == ["depth (m)"]


SOLD = (
    Column("product"),
    Column("quantity", "number"),
    Column("price", "number"),
    Column("assigned to"),
    Column("paid", "flag"),
)


@pytest.mark.parametrize(
    ("sketch", "text", "expected"),
    [
        (
            "<count><all><and> product<eq> lamp<e>",
            "how many lamps were sold",
            "<sum> quantity<and> product<eq> lamp<e>",
        ),
        ("<all><and> quantity<gt> 100<e>", "lamps over 100", "<all><and> price<gt> 100<e>"),
    ],
)
def test_pieces_and_money(sketch: str, text: str, expected: str) -> None:
    assert expected in [write(each) for each in variants(read(sketch), SOLD, text, set(), Rows())]


def test_a_price_that_is_meant_already_stays() -> None:
    found = variants(read("<all><and> price<gt> 100<e>"), SOLD, "lamps over 100", set(), Rows())
    assert not any("quantity" in write(each) for each in found)


@pytest.mark.parametrize(
    ("sketch", "denied", "expected"),
    [
        ("<all><and> product<eq> unassigned<e>", SOLD[3:4], ["<all><and> assigned to<null><e>"]),
        ("<count><all><e>", SOLD[4:], ["<count><all><and> paid<no><e>"]),
        ("<count><all><and> paid<no><e>", SOLD[4:], []),
        ("<none><e>", SOLD[4:], []),
    ],
)
def test_what_a_word_denies(sketch: str, denied: tuple[Column, ...], expected: list[str]) -> None:
    assert [write(each) for each in denying(read(sketch), denied, ["unassigned", "unpaid"])] == expected


def test_a_flag_is_denied_in_any_order_of_its_words() -> None:
    columns = (Column("status"), Column("customs cleared", "flag"))
    found = variants(read("<all><e>"), columns, "shipments not cleared by customs", {"customs cleared"}, Rows())
    assert "<all><and> customs cleared<no><e>" in [write(each) for each in found]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("how many cities do we have offices in", "office city"),
        ("how many office cities", "office city"),
        ("how many teams", "team"),
        ("how many city", None),
    ],
)
def test_what_is_counted_once_each(text: str, label: str | None) -> None:
    assert distinct_of(text, ["office city", "team"]) == label
    assert distinct_of("how many cities", ["office city", "home city"]) is None
    assert distinct_of(text, ["%"]) is None, "a label without a word"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("visitors last month", ["visitors"]),
        ("toll costs this month", ["toll eur"]),
        ("temperatures this month", []),
        ("visitor this month", []),
    ],
)
def test_what_is_added_up(text: str, labels: list[str]) -> None:
    assert amounts_said(["visitors", "toll eur", "temperature"], text) == labels


LOANS = (Column("book"), Column("due on", "time"), Column("returned on", "time"), Column("rating", "number"))


@pytest.mark.parametrize(
    ("sketch", "text", "named", "expected"),
    [
        ("<all><e>", "overdue loans", set(), "<all><and> due on<lt> now<and> returned on<null><e>"),
        (
            "<all><and> book<eq> overdue<e>",
            "overdue loans",
            set(),
            "<all><and> due on<lt> now<and> returned on<null><e>",
        ),
        ("<all><top> pages<lim> 1<e>", "best rated book", {"rating"}, "<all><top> rating<lim> 1<e>"),
        ("<all><top> rating<lim> 1<e>", "most borrowed book", set(), "<count><all><by> book<top><lim> 1<e>"),
        ("<all><e>", "how much was fined", {"rating"}, "<sum> rating<e>"),
        ("<sum> rating<by> book<e>", "who owes ratings", {"rating"}, "<all><and> rating<gt> 0<e>"),
        ("<all><and> status<eq> open<e>", "what share of loans is open", set(), "<count><all><by> status<e>"),
        (
            "<count><all><and> lost<yes><and> book<eq> tides<e>",
            "percentage of loans of tides that are lost",
            set(),
            "<count><all><and> book<eq> tides<by> lost<e>",
        ),
    ],
)
def test_steps_of_loans(sketch: str, text: str, named: set[str], expected: str) -> None:
    columns = (*LOANS, Column("pages", "number"), Column("status"), Column("lost", "flag"))
    assert expected in [write(each) for each in variants(read(sketch), columns, text, named, Rows())]


def test_what_is_not_due_is_not_overdue() -> None:
    found = variants(read("<all><e>"), (Column("title"), Column("printed on", "time")), "overdue books", set(), Rows())
    assert not any("now" in write(each) for each in found)


def test_a_value_that_is_none_is_left_out_where_a_word_denies() -> None:
    sketch = read("<all><and> product<eq> pets<e>")
    bare = [write(each) for each in denying(sketch, SOLD[4:], ["unpaid"], valued=False)]
    assert bare == ["<all><and> product<eq> pets<and> paid<no><e>", "<all><and> paid<no><e>"]
    assert len(denying(sketch, SOLD[4:], ["unpaid"], valued=True)) == 1


def test_a_flag_that_comes_first_is_meant() -> None:
    found = variants(read(" paid<e>"), SOLD, "paid lamps", {"paid"}, Rows())
    assert "<all><and> paid<yes><e>" in [write(each) for each in found]
    told = variants(read("<all><e>"), SOLD, "pay all lamps", {"paid"}, Rows())
    assert not any("<yes>" in write(each) for each in told)
