"""Plans beyond a query: what fits, the JSON they travel as, and what they say they would do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.form_words import alert_message, alert_name, form_words
from appliance.llm.forms import (
    AddField,
    Alert,
    AlertCancel,
    Measure,
    Plan,
    Summary,
    check_form,
    is_confirmed,
    main_time,
    read_plan,
)
from appliance.llm.plan import Clarify, Condition, Query, Refuse
from appliance.types import Field
from tests.unit.llm.facility import APPOINTMENTS, BEDS, INVENTORY, PATIENTS
from tests.unit.llm.test_plan import (
    ANY_AGGREGATE,
    ANY_NAME,
    ANY_OPERATOR,
    ANY_PLAN,
    ANY_VALUE,
    CATALOG,
    COUNT,
    HOSTILE,
    TODAY,
    VISITS,
    WARDS,
    query,
)

BOOKED = Condition("status", "eq", "booked")
NUMBER = Measure("*", "count")

# What fits


FITTING: list[Plan] = [
    query(),
    Alert("visits", (BOOKED,)),
    Alert("visits", (BOOKED,), NUMBER, "lt", 3),
    Alert("visits", (), NUMBER, "gte", 3, ("doctor", "status")),
    Alert("visits", (), Measure("price", "sum"), "gt", 9.5, ("doctor",), "{doctor}: {value} of {threshold}"),
    Alert("visits", (), Measure("minutes"), "lte", 5, message="{doctor} {subject} {rule}", audience="wall"),
    Alert("visits", (Condition("seen_at", "gt", "2026-11-23T09:00:00+01:00"),)),
    Alert("visits", (Condition("seen_at", "in", ["2026-11-23"]),)),
    AlertCancel("visits"),
    AlertCancel("visits", (BOOKED,), NUMBER, "few"),
    AlertCancel("visits", alerts=(1, 2), confirmed=True),
    AddField("visits", "Weight (kg)", "numeric"),
    AddField("visits", "cost", formula="price * minutes", confirmed=True),
    Summary(),
    Summary("visits"),
    Summary("wards"),
    Summary(None, "2026-11-23", "2026-11-24T00:00:00+01:00"),
    Summary("visits", "2026-11-23"),
]


@pytest.mark.parametrize("plan", FITTING, ids=range(len(FITTING)))
def test_a_plan_that_fits_gives_its_collection(plan: Plan) -> None:
    found = check_form(plan, CATALOG)
    assert (found and found.name) == getattr(plan, "collection", None)
    assert read_plan(msgspec.to_builtins(plan)) == plan


MISFITS: dict[str, Plan] = {
    "what only asks back": Clarify("Which?"),
    "what only refuses": Refuse("LLM204", "No."),
    "a query that does not fit": query(limit=0),
    "no such collection": Alert("salaries", (BOOKED,)),
    "an alert without a test": Alert("visits"),
    "a threshold of nothing": Alert("visits", (BOOKED,), threshold=3),
    "a side of nothing": Alert("visits", (BOOKED,), op="lt"),
    "groups of rows": Alert("visits", (BOOKED,), group=("doctor",)),
    "groups of a field": Alert("visits", (), Measure("minutes"), "lt", 3, ("doctor",)),
    "a group twice": Alert("visits", (), NUMBER, "lt", 3, ("doctor", "doctor")),
    "no such group": Alert("visits", (), NUMBER, "lt", 3, ("salary",)),
    "a number without a threshold": Alert("visits", (), NUMBER, "lt"),
    "a number without a side": Alert("visits", (), NUMBER, threshold=3),
    "a threshold that is none": Alert("visits", (), NUMBER, "lt", float("nan")),
    "a threshold without end": Alert("visits", (), NUMBER, "lt", float("inf")),
    "watching a text": Alert("visits", (), Measure("doctor"), "lt", 3),
    "watching the latest day": Alert("visits", (), Measure("seen_at", "max"), "lt", 3),
    "watching all rows": Alert("visits", (), Measure("*"), "lt", 3),
    "the sum of rows": Alert("visits", (), Measure("*", "sum"), "lt", 3),
    "at least a part": Alert("visits", (), Measure("price", "sum"), "gte", 3),
    "at most an average": Alert("visits", (), Measure("minutes", "avg"), "lte", 3),
    "an id": Alert("visits", (Condition("id", "eq", 3),)),
    "a field of another collection": Alert("patients", (Condition("ward_id.name", "eq", "A"),)),
    "an order of texts": Alert("visits", (Condition("doctor", "gt", "A"),)),
    "a time of nowhere": Alert("visits", (Condition("seen_at", "gt", "2026-11-23T09:00:00"),)),
    "a word for a number": Alert("visits", (Condition("minutes", "gt", "long"),)),
    "tests without end": Alert("visits", (BOOKED,) * 21),
    "a message of white space": Alert("visits", (BOOKED,), message="  "),
    "a long message": Alert("visits", (BOOKED,), message="x" * 501),
    "a zero byte to tell": Alert("visits", (BOOKED,), message="a\0"),
    "a message that names nothing": Alert("visits", (BOOKED,), message="{salary}"),
    "a message that names a field of many rows": Alert("visits", (), NUMBER, "lt", 3, message="{doctor}"),
    "an open brace": Alert("visits", (BOOKED,), message="{value"),
    "a misfit to end": AlertCancel("visits", (Condition("minutes", "gt", "long"),)),
    "an aggregate to end": AlertCancel("visits", measure=Measure("doctor", "sum")),
    "an alert of no number": AlertCancel("visits", alerts=(0,)),
    "a yes to nothing": AlertCancel("visits", confirmed=True),
    "alerts without end": AlertCancel("visits", alerts=tuple(range(1, 102))),
    "a name without end": AlertCancel("visits", name="x" * 1001),
    "a field without a name": AddField("visits", " ", "text"),
    "a field of signs": AddField("visits", "..", "text"),
    "a field of two lines": AddField("visits", "a\nb", "text"),
    "a field without a kind": AddField("visits", "Weight"),
    "a field of two kinds": AddField("visits", "Weight", "text", "price"),
    "a field that is there": AddField("visits", "doctor", "text"),
    "a formula of nothing": AddField("visits", "Weight", formula=""),
    "a formula without end": AddField("visits", "Weight", formula="1+" * 1001),
    "a formula with a zero byte": AddField("visits", "Weight", formula="a\0"),
    "a time that is none": Summary(None, "today"),
    "an end before the start": Summary(None, "2026-11-24", "2026-11-24"),
    "a time of what has none": Summary("wards", "2026-11-23"),
    "a summary of what is not there": Summary("salaries"),
}  # fmt: skip


@pytest.mark.parametrize("plan", MISFITS.values(), ids=MISFITS.keys())
def test_a_misfit_is_told(plan: Plan) -> None:
    with pytest.raises(ApplianceError) as raised:
        check_form(plan, CATALOG)
    assert raised.value.code == "LLM206"
    assert raised.value.details is not None


def test_the_history_of_alerts_is_not_watched_and_gets_no_fields() -> None:
    history = msgspec.structs.replace(VISITS, name="alerts")
    catalog = msgspec.structs.replace(CATALOG, collections=(history,))
    for plan in (Alert("alerts", (BOOKED,)), AddField("alerts", "Weight", "text")):
        with pytest.raises(ApplianceError, match="LLM206"):
            check_form(plan, catalog)


# As JSON


CONDITIONS = st.lists(st.builds(Condition, ANY_NAME, ANY_OPERATOR, ANY_VALUE), max_size=2).map(tuple)
MEASURE = st.none() | st.builds(Measure, ANY_NAME, ANY_AGGREGATE)
COLLECTION = st.sampled_from(["visits", "wards", "nope"])
TIME = st.none() | st.dates().map(str) | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()) | HOSTILE
NUMBERS = st.none() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False)
KIND = st.none() | st.sampled_from(["text", "integer", "numeric", "date", "timestamptz", "boolean", "jsonb"])
MESSAGE = st.sampled_from(["", "{value}", "{doctor} {status}"]) | HOSTILE
FORMS: st.SearchStrategy[Any] = st.one_of(
    ANY_PLAN,
    st.builds(Clarify, HOSTILE, st.just((query(select=COUNT),))),
    st.builds(Refuse, st.just("LLM204"), HOSTILE, HOSTILE),
    st.builds(
        Alert, COLLECTION, CONDITIONS, MEASURE, st.sampled_from([None, "lt", "lte", "gt", "gte"]), NUMBERS,
        st.lists(ANY_NAME, max_size=2).map(tuple), MESSAGE, st.sampled_from(["wall", "staff", "admin"]), st.booleans(),
    ),
    st.builds(
        AlertCancel, COLLECTION, CONDITIONS, MEASURE, HOSTILE, st.lists(st.integers(), max_size=2).map(tuple),
        st.booleans(),
    ),
    st.builds(AddField, COLLECTION, HOSTILE, KIND, st.none() | HOSTILE, st.booleans()),
    st.builds(Summary, st.none() | COLLECTION, TIME, TIME),
)  # fmt: skip


@given(FORMS)
def test_any_plan_of_any_form_either_fits_and_can_be_said_or_is_told_apart(plan: Plan) -> None:
    try:
        collection = check_form(plan, CATALOG)
    except ApplianceError as error:
        assert error.code == "LLM206"
        return
    assert read_plan(msgspec.to_builtins(plan)) == plan
    assert read_plan(msgspec.json.decode(msgspec.json.encode(plan))) == plan
    if not isinstance(plan, Query | Clarify | Refuse):
        assert form_words(plan, collection, TODAY)
    if isinstance(plan, Alert) and collection is not None:
        assert 0 < len(alert_name(plan, collection)) <= 200
        message = alert_message(plan, collection)
        assert 0 < len(message) <= 500
        check_form(msgspec.structs.replace(plan, message=message), CATALOG)


@given(st.builds(Clarify, HOSTILE, st.just((query(),))) | st.builds(Refuse, st.just("LLM204"), HOSTILE))
def test_what_only_says_something_travels_too(plan: Plan) -> None:
    assert read_plan(msgspec.json.decode(msgspec.json.encode(plan))) == plan


@pytest.mark.parametrize(
    "value",
    [None, [], "alert", {"form": "drop"}, {"form": "alert"}, {"form": "alert", "collection": "beds", "op": "eq"},
     {"form": "add_field", "collection": "beds", "label": "x", "type": "money"},
     {"form": "alert_cancel", "collection": "beds", "alerts": ["1"]}, {"collection": "beds"}],
)  # fmt: skip
def test_junk_is_no_plan(value: object) -> None:
    with pytest.raises(ApplianceError, match="LLM206"):
        read_plan(value)


def test_a_plan_without_a_form_is_a_query() -> None:
    assert read_plan({"collection": "visits", "select": [{"field": "doctor"}]}) == Query(
        "visits", read_plan({"form": "query", "collection": "visits", "select": [{"field": "doctor"}]}).select  # type: ignore[union-attr]
    )  # fmt: skip


def test_only_a_yes_is_a_yes() -> None:
    assert is_confirmed(msgspec.to_builtins(AlertCancel("beds", alerts=(1,), confirmed=True)))
    others: list[Any] = [
        None,
        [],
        {},
        {"confirmed": 1},
        {"confirmed": "true"},
        msgspec.to_builtins(AlertCancel("beds")),
    ]
    for value in others:
        assert not is_confirmed(value)


# In words


FREE = Condition("status", "eq", "free")
SAID: list[tuple[Any, Any, str]] = [
    (
        Alert("beds", (FREE,), NUMBER, "lt", 3),
        BEDS,
        "tell the staff's screens when the number of beds where status is free falls under 3",
    ),
    (
        Alert("beds", (FREE,), NUMBER, "gte", 5, ("ward",), audience="wall"),
        BEDS,
        "tell every screen when the number of beds where status is free for any ward rises to 5 or more",
    ),
    (
        Alert("inventory", (), Measure("quantity", "sum"), "gt", 1000, audience="admin"),
        INVENTORY,
        "tell the admin's screens when the sum of quantity of inventory items rises over 1,000",
    ),
    (
        Alert("inventory", (), Measure("quantity"), "lte", 5),
        INVENTORY,
        "tell the staff's screens when quantity of one inventory item falls to 5 or less",
    ),
    (
        Alert("appointments", (Condition("starts_at", "gte", "2026-11-23T00:00:00+00:00"),)),
        APPOINTMENTS,
        "tell the staff's screens when there is a row of appointments where starts at is from 23 November 2026",
    ),
    (AlertCancel("beds"), BEDS, "end the alerts on beds"),
    (AlertCancel("beds", alerts=(7,)), BEDS, "end the alert 7 on beds"),
    (AlertCancel("beds", alerts=(7, 8)), BEDS, "end the alerts 7 and 8 on beds"),
    (
        AlertCancel("beds", (FREE,), NUMBER, "Few beds"),
        BEDS,
        "end the alert named “Few beds” on beds about number of beds where status is free",
    ),
    (AddField("beds", "Weight", "numeric"), BEDS, "add a field “Weight” to beds, for numbers"),
    (AddField("beds", "x", formula="floor + room"), BEDS, "add a field “x” to beds, computed as floor + room"),
    (Summary(), None, "summary of everything"),
    (Summary(None, "2026-11-23", "2026-11-24"), None, "summary of everything, today"),
    (
        Summary("patients", "2026-11-16", "2026-11-23"),
        PATIENTS,
        "summary of patients by admitted on, from 16 to 22 November 2026",
    ),
    (Summary("beds", None, None), BEDS, "summary of beds"),
]


@pytest.mark.parametrize(("plan", "collection", "said"), SAID, ids=[said for _, _, said in SAID])
def test_a_plan_says_what_it_would_do(plan: Any, collection: Any, said: str) -> None:
    assert form_words(plan, collection, TODAY) == said


@pytest.mark.parametrize(
    ("plan", "collection", "told"),
    [
        (Alert("beds", (FREE,), NUMBER, "lt", 3), BEDS, "Number of beds where status is free is {value}."),
        (
            Alert("beds", (FREE,), NUMBER, "lt", 3, ("ward",)),
            BEDS,
            "{subject}: number of beds where status is free is {value}.",
        ),
        (Alert("inventory", (), Measure("quantity"), "lt", 5), INVENTORY, "{item}: quantity is {value}."),
        (Alert("beds", (FREE,)), BEDS, "{bed}: status is free."),
        (Alert("beds", (Condition("bed", "eq", "{x}"),)), BEDS, "{ward}: bed is (x)."),
        (Alert("beds", (FREE,), message="Look!"), BEDS, "Look!"),
    ],
)
def test_an_alert_without_a_message_gets_one(plan: Alert, collection: Any, told: str) -> None:
    assert alert_message(plan, collection) == told


def test_at_least_and_at_most_of_whole_numbers_are_past_the_next_one() -> None:
    limits = [
        (plan.direction, plan.limit)
        for plan in (
            Alert("visits", (), NUMBER, op, threshold)  # type: ignore[arg-type]
            for op, threshold in (("lt", 3), ("lte", 3), ("gt", 3), ("gte", 3), ("gte", 2.5), ("lte", 2.5))
        )
    ]
    assert limits == [("below", 3), ("below", 4), ("above", 3), ("above", 2), ("above", 2.5), ("below", 2.5)]


def test_the_time_of_a_row_is_when_it_happened() -> None:
    assert main_time(PATIENTS) == "admitted_on"
    assert main_time(APPOINTMENTS) == "starts_at"
    assert main_time(INVENTORY) == "expires_on"
    assert main_time(WARDS) is None
    made = msgspec.structs.replace(WARDS, fields=(Field("created_at", "created at", "timestamptz"),))
    assert main_time(made) == "created_at"
