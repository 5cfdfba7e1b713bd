"""Wanted: rows, a number or groups, and what a plan cannot show is told."""

import pytest

from appliance.llm.conditions import conditions
from appliance.llm.linking import Links, link
from appliance.llm.plan import Aggregate, Bucket, Order, Query, Select
from appliance.llm.wanted import Wanted, wanted
from appliance.types import Catalog, Collection, Field
from tests.unit.llm.facility import NOW, linked, of_sales

INVOICES = Catalog(
    "invoices",
    (
        Collection(
            "invoices",
            "invoices",
            (
                Field("invoice", "invoice", "text", distinct=160),
                Field("client", "client", "text", distinct=80),
                Field("lawyer", "lawyer", "text", ("Ana Smith", "Ben Jones")),
                Field("due_on", "due_on", "date"),
                Field("fees", "fees", "numeric"),
                Field("total", "total", "numeric"),
                Field("rate", "rate", "numeric"),
                Field("hours", "hours", "numeric"),
            ),
        ),
    ),
)


def shown(links: Links, select: str = "", aggregate: Aggregate | None = None) -> Wanted:
    field = select or links.collection.fields[0].name
    query = Query(links.collection.name, (Select(field, aggregate),))
    return wanted(conditions(query, links, (), NOW))


def of_invoices(question: str) -> Wanted:
    return shown(link(question, INVOICES, NOW)[0])


def dropped(made: Wanted) -> list[str]:
    return [" ".join(word.text for word in made.links.words[slice(*at)]) for at in sorted(made.dropped)]


@pytest.mark.parametrize(
    ("question", "select"),
    [
        ("how many beds are free", Select("*", "count")),
        ("number of beds", Select("*", "count")),
        ("total number of beds", Select("*", "count")),
        ("how many beds in total", Select("*", "count")),
        ("how many minutes do appointments take", Select("minutes", "sum")),
        ("average minutes of appointments", Select("minutes", "avg")),
        ("how long does an appointment take on average", Select("minutes", "avg")),
        ("how many gloves do we have", Select("quantity", "sum")),
        ("total quantity of gloves", Select("quantity", "sum")),
        ("earliest birth date", Select("birth_date", "min")),
    ],
)
def test_one_number(question: str, select: Select) -> None:
    made = shown(linked(question))
    assert (made.select, made.group, made.order) == ((select,), (), ())
    assert dropped(made) == []


@pytest.mark.parametrize(
    ("question", "group", "measure"),
    [
        ("beds per ward", ("ward",), Select("*", "count")),
        ("beds by ward and floor", ("ward", "floor"), Select("*", "count")),
        ("which ward has the most free beds", ("ward",), Select("*", "count")),
        ("average minutes per doctor of appointments", ("doctor",), Select("minutes", "avg")),
        ("highest minutes per doctor of appointments", ("doctor",), Select("minutes", "max")),
        ("hours per role of the staff shifts", ("role",), Select("hours", "sum")),
        ("who has the most appointments", ("patient",), Select("*", "count")),
        ("who worked the most hours yesterday", ("name",), Select("hours", "sum")),
    ],
)
def test_groups(question: str, group: tuple[str, ...], measure: Select) -> None:
    made = shown(linked(question))
    assert made.group == group
    assert made.select == (*(Select(name) for name in group), measure)
    assert made.limit == (1 if "most" in question else 1000)
    assert bool(made.order) == ("most" in question)
    assert dropped(made) == []


@pytest.mark.parametrize(
    ("question", "order", "limit"),
    [
        ("the three largest invoices", Order("total", True), 3),
        ("5 biggest invoices", Order("total", True), 5),
        ("invoice with the lowest fees", Order("fees"), 1),
        ("most expensive invoice", Order("total", True), 1),
        ("which invoice is due next", Order("due_on"), 1),
        ("latest invoice", Order("due_on", True), 1),
    ],
)
def test_rows_in_order(question: str, order: Order, limit: int) -> None:
    made = of_invoices(question)
    assert (made.order, made.limit) == ((order,), limit)
    assert dropped(made) == []


@pytest.mark.parametrize(
    ("question", "coming"), [("next invoice", True), ("last invoice", False), ("latest invoice", None)]
)
def test_next_lies_ahead_and_last_is_past(question: str, coming: bool | None) -> None:
    assert of_invoices(question).coming is coming


def test_next_week_is_no_next_one() -> None:
    assert of_invoices("invoices due next week").coming is None


def test_the_oldest_by_birth() -> None:
    assert shown(linked("oldest patient")).order == (Order("birth_date"),)
    assert shown(linked("youngest patient in surgery")).order == (Order("birth_date", True),)


def test_the_cheapest_is_about_money_and_the_longest_about_time() -> None:
    assert shown(linked("cheapest gloves")).order == (Order("unit_cost"),)
    assert shown(linked("longest appointment")).order == (Order("minutes", True),)
    assert dropped(shown(linked("longest bed"))) == ["longest"]


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("average and total minutes of appointments", ["total"]),
        ("how many beds per ward and how many floor", ["floor"]),
        ("number of appointments with the highest minutes", ["highest", "minutes"]),
        ("biggest bed", ["biggest"]),
    ],
)
def test_what_a_plan_does_not_show_is_dropped(question: str, left: list[str]) -> None:
    assert dropped(shown(linked(question))) == left


@pytest.mark.parametrize(
    ("question", "select", "group"),
    [
        ("how many wards have free beds", (Select("ward", "distinct"),), ()),
        ("number of different lawyers of the invoices", (Select("lawyer", "distinct"),), ()),
        ("which wards have free beds", (Select("ward"), Select("*", "count")), ("ward",)),
        ("how many beds", (Select("*", "count"),), ()),
    ],
)
def test_kinds_are_told_once(question: str, select: tuple[Select, ...], group: tuple[str, ...]) -> None:
    made = shown(linked(question)) if "bed" in question else of_invoices(question)
    assert (made.select, made.group) == (select, group)


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("sort the invoices by fees", Order("fees")),
        ("invoices sorted by total, largest first", Order("total", True)),
        ("order invoices by due date descending", Order("due_on", True)),
    ],
)
def test_rows_are_sorted(question: str, order: Order) -> None:
    made = of_invoices(question)
    assert (made.order, made.group) == ((order,), ())


def test_money_has_words_of_its_own() -> None:
    assert of_invoices("revenue of the invoices").select == (Select("total", "sum"),)
    assert of_invoices("revenue per lawyer").select == (Select("lawyer"), Select("total", "sum"))


def test_a_number_of_something_is_no_count_of_rows() -> None:
    assert of_invoices("average number of hours per invoice").select == (Select("hours", "avg"),)


def test_rows_have_no_groups_of_their_own() -> None:
    assert of_invoices("the clients per invoice").dropped == [(2, 4)]
    assert of_invoices("average fees per invoice").dropped == []


@pytest.mark.parametrize(
    ("question", "select", "group"),
    [
        ("how many desk lamps were sold", Select("quantity", "sum"), ()),
        ("how many sales were made", Select("*", "count"), ()),
        ("how much did bruno sell", Select("amount", "sum"), ()),
        ("revenue this month", Select("amount", "sum"), ()),
        ("best selling product", Select("quantity", "sum"), ("product",)),
        ("who made the most sales", Select("*", "count"), ("salesperson",)),
        ("average sale amount", Select("amount", "avg"), ()),
        ("how many products were sold", Select("product", "distinct"), ()),
    ],
)
def test_sales(question: str, select: Select, group: tuple[str, ...]) -> None:
    made = shown(of_sales(question), "amount", "sum")
    assert (made.select[-1], made.group) == (select, group)


def test_the_biggest_is_about_money_and_never_about_numbers_of_rows() -> None:
    assert shown(of_sales("biggest sale")).order == (Order("amount", True),)


def test_which_there_are_of_what_is_told_often() -> None:
    clubs = Collection(
        "clubs", "clubs", (Field("club", "club", "text", distinct=4, count=25), Field("s", "student", "text")), 25
    )
    made = shown(link("which clubs are there", Catalog("clubs", (clubs,)), NOW)[0])
    assert made.group == ("club",)


def test_prices_are_not_added_up() -> None:
    assert dropped(of_invoices("total rate of the invoices")) != []
    assert of_invoices("total rate of the invoices").select != (Select("rate", "sum"),)


def test_two_measures_are_asked_back() -> None:
    assert dropped(of_invoices("sum of fees and hours of the invoices")) == ["hours"]


def test_top_of_something_ranks_groups_and_leaves_the_number() -> None:
    made = of_invoices("top 3 lawyers by invoices")
    assert made.group == ("lawyer",)
    assert made.select[1] == Select("*", "count")
    assert (made.order, made.limit) == ((Order("*", True, "count"),), 3)
    assert made.explained == {1}


def test_a_count_is_believed_of_the_model_only_where_a_number_is_spoken_of() -> None:
    assert shown(linked("free beds, the number"), aggregate="count").select == (Select("*", "count"),)
    assert shown(linked("free beds"), aggregate="count").select[0] == Select("id")
    assert shown(linked("free beds"), select="floor", aggregate="sum").select[0] == Select("id")


def test_rows_show_what_is_asked_first_and_ten_fields_at_most() -> None:
    made = shown(linked("what is the floor of bed C-04"))
    assert [select.field for select in made.select] == ["id", "bed", "floor"]
    wide = Collection("wide", "wide", tuple(Field(f"f{n}", f"f{n}", "text") for n in range(60)))
    assert len(shown(link("wide f59", Catalog("wide60", (wide,)), NOW)[0]).select) == 11


def test_rows_of_a_time_come_in_its_order() -> None:
    assert shown(linked("appointments tomorrow")).order == (Order("starts_at"),)
    assert shown(linked("appointments")).order == (Order("id"),)


def test_who_names_people() -> None:
    assert "patient" in [select.field for select in shown(linked("who is in bed C-04")).select]


@pytest.mark.parametrize(
    ("question", "order", "limit"),
    [
        ("which ward has the most free beds", Order("*", True, "count"), 1),
        ("which ward has the fewest free beds", Order("*", False, "count"), 1),
        ("who worked the most hours yesterday", Order("hours", True, "sum"), 1),
        ("which ward is the most common of the beds", Order("*", True, "count"), 1),
        ("what is the least common ward of the beds", Order("*", False, "count"), 1),
    ],
)
def test_the_database_ranks_groups(question: str, order: Order, limit: int) -> None:
    made = shown(linked(question))
    assert (made.order, made.limit) == ((order,), limit)


@pytest.mark.parametrize(
    ("question", "group", "bucket", "measure"),
    [
        ("invoices per month", ("due_on",), "month", Select("*", "count")),
        ("monthly fees of the invoices", ("due_on",), "month", Select("fees", "sum")),
        ("total of invoices per lawyer and quarter", ("lawyer",), None, Select("total", "sum")),
        ("fees by week per lawyer", ("lawyer", "due_on"), "week", Select("fees", "sum")),
    ],
)
def test_time_buckets(question: str, group: tuple[str, ...], bucket: Bucket | None, measure: Select) -> None:
    made = of_invoices(question)
    assert made.group == group
    assert [select.bucket for select in made.select if select.field == "due_on"] == ([bucket] if bucket else [])
    assert made.select[-1] == measure
    assert made.order == ((Order("due_on"),) if bucket else ())


def test_days_have_no_hours() -> None:
    made = of_invoices("hourly invoices")
    assert (made.group, dropped(made)) == ((), ["hourly"])


def test_the_time_that_is_spent_is_added_up() -> None:
    assert shown(linked("time spent on surgeries this month")).select == (Select("minutes", "sum"),)


@pytest.mark.parametrize(
    ("question", "group", "where"),
    [
        ("what percentage of beds are free", ("status",), {}),
        ("share of free beds in cardiology", ("status",), {"ward": "Cardiology"}),
        ("percentage of beds in cardiology that are free", ("status",), {"ward": "Cardiology"}),
        ("percentage of beds in cardiology", ("ward",), {}),
    ],
)
def test_a_part_is_told_beside_the_others(question: str, group: tuple[str, ...], where: dict[str, str]) -> None:
    made = shown(linked(question))
    assert made.group == group and made.select == (Select(group[0]), Select("*", "count"))
    assert {test.field: test.value for test in made.tests.where} == where
    assert not made.links.unexplained(made.explained) and not made.dropped


@pytest.mark.parametrize(
    ("question", "group", "bucket"),
    [
        ("which month had the most admissions", ("admitted_on",), "month"),
        ("busiest day for appointments", ("starts_at",), "day"),
    ],
)
def test_the_busiest_time(question: str, group: tuple[str, ...], bucket: Bucket) -> None:
    made = shown(linked(question))
    assert (made.group, made.select[0].bucket, made.limit) == (group, bucket, 1)
    assert made.order == (Order("*", True, "count"),)
