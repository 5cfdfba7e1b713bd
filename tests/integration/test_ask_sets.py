"""The question sets of `tests/ask` against real boxes: how many are answered right, asked back, refused or wrong.

A question is *right* when the box does what the set expects: it answers from the right collection with a
request that holds every expected part, or it asks back, or it refuses. It is *asked back* or *refused* where
something else was expected, which costs the asker a moment. It is *wrong* when it is answered but should not
be, or is answered from other rows than it asks for: that is what must not happen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec
import pytest

from appliance.config import Runtime
from appliance.llm.plan import read_query
from appliance.llm.render import to_rest
from appliance.types import Answer, Question
from tests.integration.ask_box import asking_box, assistant

SETS: Final = Path(__file__).resolve().parent.parent / "ask"
POINTS_LOST_AT_MOST: Final = 5
Outcome = Literal["right", "asked back", "refused", "wrong"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("right", "asked back", "refused", "wrong")


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a set. `rest_contains` may name days: ``{today}``, ``{monday}`` (this week's), ``{month}``."""

    question: str
    expect: Literal["answered", "clarify", "refused"]
    collection: str = ""
    rest_contains: tuple[str, ...] = ()


class Measured(msgspec.Struct, frozen=True):
    """What a set measured when it was last looked at, in questions of 60."""

    right: int
    wrong: int


MEASURED: Final = {"hospital": Measured(56, 1), "lawfirm": Measured(53, 0)}


def days(today: date) -> dict[str, str]:
    """The days that a set may name, as of today."""
    monday, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    named = {
        "today": today,
        "tomorrow": today + timedelta(days=1),
        "yesterday": today - timedelta(days=1),
        "monday": monday,
        "next_monday": monday + timedelta(weeks=1),
        "last_monday": monday - timedelta(weeks=1),
        "month": month,
        "last_month": (month - timedelta(days=1)).replace(day=1),
    }
    return {name: day.isoformat() for name, day in named.items()}


def outcome(asked: Asked, answer: Answer, named: dict[str, str]) -> Outcome:
    """What became of a question."""
    if answer.status != "answered":
        as_expected = answer.status == asked.expect
        return "right" if as_expected else "asked back" if answer.status == "clarify" else "refused"
    about, request = (answer.plan or {}).get("collection") == asked.collection, plainly(answer)
    fits = all(part.format(**named) in request for part in asked.rest_contains)
    return "right" if asked.expect == "answered" and about and fits else "wrong"


def plainly(answer: Answer) -> str:
    """The request of an answer as PostgREST would have it, also where the database ranks or counts by time."""
    plan = read_query(answer.plan)
    select = tuple(msgspec.structs.replace(each, bucket=None) for each in plan.select)
    return to_rest(msgspec.structs.replace(plan, select=select, order=() if plan.grouped else plan.order, having=()))


def read_set(name: str) -> list[Asked]:
    return [msgspec.json.decode(line, type=Asked) for line in (SETS / f"{name}.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("demo", ["hospital", "lawfirm"])
def test_a_set_is_of_every_kind(demo: str) -> None:
    kinds = Counter(asked.expect for asked in read_set(demo))
    assert kinds.total() == 60
    assert kinds["clarify"] + kinds["refused"] >= 12
    assert all(asked.collection for asked in read_set(demo) if asked.expect == "answered")


@pytest.fixture(scope="module", params=["hospital", "lawfirm"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with asking_box(request.param) as runtime:
        yield runtime


async def test_ask_set(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    demo, named = runtime.settings.demo, days(date.today())
    table, notes = Counter[tuple[str, Outcome]](), []
    async with assistant(runtime) as box:
        for asked in read_set(demo):
            answer = await box.ask(Question("1", asked.question, "staff", ""), lambda _: None)
            found = outcome(asked, answer, named)
            table[asked.expect, found] += 1
            if found != "right":
                notes.append(f"  {found:10}  {asked.question}  ->  {answer.rest or answer.sentence}")
    with capsys.disabled():
        print(f"\n{shown(demo, table)}\n" + "\n".join(notes))
    right = sum(table[expected, "right"] for expected in ("answered", "clarify", "refused"))
    wrong = sum(table[expected, "wrong"] for expected in ("answered", "clarify", "refused"))
    assert 100 * right / table.total() >= 100 * MEASURED[demo].right / 60 - POINTS_LOST_AT_MOST
    assert wrong <= MEASURED[demo].wrong + 1


def shown(demo: str, table: Counter[tuple[str, Outcome]]) -> str:
    """The counts as a table: what was expected down, what came across."""
    head = f"{demo:10}" + "".join(f"{name:>12}" for name in OUTCOMES)
    lines = [
        f"{expected:10}" + "".join(f"{table[expected, name]:12}" for name in OUTCOMES)
        for expected in ("answered", "clarify", "refused")
    ]
    total = f"{'all':10}" + "".join(
        f"{sum(count for (_, found), count in table.items() if found == name):12}" for name in OUTCOMES
    )
    return "\n".join([head, *lines, total])
