"""Reading: the model's query and the links become one plan, and nothing that is said is dropped in silence."""

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.linking import link
from appliance.llm.lookup import Found, lookups
from appliance.llm.plan import Condition, Order, Query, Select, validate
from appliance.llm.reading import Reading, read
from appliance.llm.render import to_rest
from appliance.llm.words import CUES, STOP
from tests.unit.llm.facility import CATALOG, NOW, linked

_AGGREGATES = (None, "count", "sum", "avg", "min", "max")


def reading(
    question: str, *where: Condition, select: Select | None = None, found: list[Found] | None = None
) -> Reading:
    links = linked(question)
    first = select or Select(links.collection.fields[1].name)
    return read(Query(links.collection.name, (first,), where), links, found or [], NOW)


def test_what_is_certain_wins_over_the_model() -> None:
    made = reading(
        "How many beds are free in cardiology?", Condition("status", "eq", "how"), select=Select("floor", "max")
    )
    assert made.missed == ()
    assert made.plan == Query(
        "beds",
        (Select("*", "count"),),
        (Condition("status", "eq", "free"), Condition("ward", "eq", "Cardiology")),
    )


def test_corrections_are_told() -> None:
    made = reading("ocupied beds in the icu")
    assert made.corrected == (("ocupied", "occupied"), ("icu", "Intensive Care"))


def test_a_question_about_one_row_shows_it_whatever_its_state() -> None:
    made = reading("is bed C-04 free?")
    assert made.plan.where == (Condition("bed", "eq", "C-04"),)
    assert [select.field for select in made.plan.select] == ["id", "bed", "status"]
    assert made.missed == ()


def test_a_statement_about_one_row_tests_its_state() -> None:
    assert len(reading("bed C-04 free").plan.where) == 2


def test_the_next_one_has_not_been_yet() -> None:
    plan = reading("when is the next surgery?").plan
    assert plan.where == (Condition("starts_at", "gte", "2026-11-23T14:05:00+00:00"),)
    assert plan.order == (Order("starts_at"),)
    assert plan.limit == 1


def test_the_last_one_has_been() -> None:
    plan = reading("last appointment of dr salcedo").plan
    assert plan.where[-1] == Condition("starts_at", "lte", "2026-11-23T14:05:00+00:00")
    assert plan.order == (Order("starts_at", True),)


def test_the_last_one_of_a_day_may_lie_ahead() -> None:
    where = reading("last appointment tomorrow").plan.where
    assert [condition.op for condition in where] == ["gte", "lt"]


def test_next_week_asks_for_all_of_it() -> None:
    plan = reading("urgent appointments next week").plan
    assert [condition.op for condition in plan.where] == ["gte", "lt"]


@pytest.mark.parametrize(
    ("question", "missed"),
    [
        ("vegetarian patients", ("vegetarian",)),
        ("wards with more than 2 free beds", ("more than 2",)),
        ("beds free or in surgery", ("or",)),
        ("how many beds were free last tuesday", ("last", "tuesday")),
        ("beds on the moon over 5 with windows", ("moon", "over 5", "windows")),
        ("average and total minutes of appointments", ("total",)),
        ("how many different wards of beds", ()),
        ("beds <and> status <eq> free", ("eq",)),
        ("patients where 1=1", ("1", "1")),
    ],
)
def test_missed_in_the_order_of_the_question(question: str, missed: tuple[str, ...]) -> None:
    assert reading(question).missed == missed


def test_a_lookup_explains() -> None:
    assert reading("appointments of warrier").missed == ("warrier",)
    made = reading("appointments of warrier", found=[Found("warrier", "patient", ("Anil Warrier",))])
    assert made.missed == ()
    assert made.plan.where == (Condition("patient", "eq", "Anil Warrier"),)


# Laws ----------------------------------------------------------------------------------------------------

_COLLECTIONS = {collection.name: collection for collection in CATALOG.collections}
_VALUES = [value for each in CATALOG.collections for field in each.fields for value in field.values]
_LABELS = [field.label.replace("_", " ") for each in CATALOG.collections for field in each.fields if field.name != "id"]
_NAMES = [collection.label for collection in CATALOG.collections]
_GLUE = (
    "how many which the of in with per by and or not next last total average most over 5 under 20 today tomorrow "
    "this week"
).split()
_WORDS = st.sampled_from([*_NAMES, *_VALUES, *_LABELS, *_GLUE])
_NONSENSE = st.text("bcdfghjklmnpqrtvwxz", min_size=6, max_size=10).map(lambda text: f"q{text}")


def models(question: str, seed: int) -> list[Reading]:
    """The readings of a question for each collection, with whatever a model may have written."""
    chance = random.Random(seed)
    made = []
    for links in link(question, CATALOG, NOW):
        fields = links.collection.fields
        where = tuple(
            Condition(
                chance.choice(fields).name,
                chance.choice(("eq", "gt", "lt")),
                chance.choice([*question.split(), "free"]),
            )
            for _ in range(chance.randint(0, 3))
        )
        select = Select(chance.choice(fields).name, chance.choice(_AGGREGATES))  # type: ignore[arg-type]
        made.append(read(Query(links.collection.name, (select,), where), links, [], NOW))
    return made


@given(st.lists(_WORDS, min_size=1, max_size=7), _NONSENSE, st.integers(0, 7), st.integers(0, 99))
def test_a_word_that_nobody_knows_is_always_missed(said: list[str], nonsense: str, at: int, seed: int) -> None:
    assume(nonsense not in CUES and nonsense not in STOP)
    asked = [*said[:at], nonsense, *said[at:]]
    for made in models(" ".join(asked), seed):
        assert any(nonsense in missed for missed in made.missed)


@given(st.lists(_WORDS, min_size=1, max_size=8), st.integers(0, 99))
def test_every_reading_fits_the_catalog(said: list[str], seed: int) -> None:
    for made in models(" ".join(said), seed):
        try:
            validate(made.plan, CATALOG)
        except ApplianceError as error:
            raise AssertionError((" ".join(said), made.plan, error.details)) from error
        assert to_rest(made.plan).startswith((f"/{made.plan.collection}?select=", "/rpc/run_plan?plan="))


@given(st.lists(_WORDS, min_size=1, max_size=6), st.sampled_from(_VALUES), st.integers(0, 99))
def test_a_stored_value_is_tested_or_shown_or_missed(said: list[str], value: str, seed: int) -> None:
    for made in models(" ".join([*said, value]), seed):
        tested = {str(part) for condition in made.plan.where for part in _parts(condition.value)}
        named = value.lower() in (name for each in _NAMES for name in (each, each.removesuffix("s")))
        held = any(value in field.values for field in _COLLECTIONS[made.plan.collection].fields)
        about = {select.field for select in made.plan.select} | {condition.field for condition in made.plan.where}
        timed = value in ("admitted", "discharged") and any(f"{value}_on" == name for name in about)
        assert (
            not held or value in tested or made.missed or named or timed or made.plan.group or _as_label(value, about)
        )


def _parts(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _as_label(value: str, about: set[str]) -> bool:
    """Whether a field of this name is shown: "shift day" may be about the field day."""
    return any(value.lower() in name.split("_") for name in about)


@given(st.text(max_size=60), st.integers(0, 9))
def test_any_question_can_be_read(question: str, seed: int) -> None:
    for made in models(question or "beds", seed):
        assert isinstance(made.missed, tuple)


@given(st.lists(_WORDS, min_size=1, max_size=6))
def test_lookups_are_words_of_the_question(said: list[str]) -> None:
    question = " ".join([*said, "warrier", "anil"])
    for links in link(question, CATALOG, NOW):
        for wanted in lookups(Query(links.collection.name, (Select("*"),)), links):
            assert all(word in question.split() for word in wanted.text.split())
            assert all(links.collection.field(name) is not None for name in wanted.fields)
