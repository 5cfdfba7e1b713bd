"""The question sets of `tests/ask` against real boxes: how many are answered right, asked back, refused or wrong.

A question is *right* when the answer's rows hold the rows of a gold plan (:mod:`appliance.llm.training.judge`), or
when the box declines what it cannot know. It is *asked back* or *refused* where an answer was expected, which costs
the asker a moment. It is *wrong* when it is answered but should not be, or from other rows than it asks for: that
is what must not happen, least of all with confidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec
import pytest

from appliance.config import Runtime
from appliance.llm.forms import read_plan
from appliance.llm.plan import Query, validate
from appliance.llm.training.judge import Outcome, outcome, same_rows, uncut
from appliance.services.assistant import Assistant
from appliance.types import Answer, Catalog, Question
from tests.integration.ask_box import asking_box, assistant
from tests.integration.ask_set import Asked, days, read_set

POINTS_LOST_AT_MOST: Final = 5
WRONG_MORE_AT_MOST: Final = 4
FILLED_AT_LEAST: Final = 0.9
"""Share of the questions whose gold rows are more than none; on a Sunday a hospital does less."""
CONFIDENT: Final = 0.8
"""An answer that is at least this sure of itself is given without a doubt."""
OUTCOMES: Final[tuple[Outcome, ...]] = ("right", "asked back", "refused", "wrong")
EXPECTED: Final = ("answered", "clarify", "refused")
Table = Counter[tuple[str, str]]


class Measured(msgspec.Struct, frozen=True):
    """What a set measured when it was last looked at, in questions."""

    right: int
    wrong: int


MEASURED: Final = {"hospital": Measured(169, 14), "lawfirm": Measured(176, 9)}


@pytest.mark.parametrize("demo", ["hospital", "lawfirm"])
def test_a_set_is_of_every_kind(demo: str) -> None:
    asked = read_set(demo)
    kinds = Counter(each.expect for each in asked)
    assert kinds.total() >= 160
    assert kinds["clarify"] + kinds["refused"] >= 25
    assert all((each.plan is not None) == (each.expect == "answered") for each in asked)
    assert len({each.question for each in asked}) == len(asked)


@pytest.fixture(scope="module", params=["hospital", "lawfirm"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with asking_box(request.param) as runtime:
        yield runtime


async def test_gold_plans_run_and_most_find_rows(runtime: Runtime) -> None:
    named, found = days(datetime.now().astimezone()), []
    async with assistant(runtime) as box:
        catalog = await box.catalog("staff")
        for asked in read_set(runtime.settings.demo):
            if asked.expect == "answered":
                found.append(any([await gold_rows(box, plan, catalog) for plan in asked.readings(named)]))
    assert sum(found) / len(found) >= FILLED_AT_LEAST


async def gold_rows(box: Assistant, plan: Query, catalog: Catalog) -> bool:
    """Run a gold plan; whether its rows say something."""
    validate(plan, catalog)
    assert {(each.field, each.aggregate) for each in plan.order} <= {(s.field, s.aggregate) for s in plan.select}
    return says_something(await box.rows(uncut(plan), "staff"))


def says_something(rows: list[dict[str, object]]) -> bool:
    """Whether rows are more than none, a nought or nothing known."""
    return any(value for row in rows for value in row.values())


async def test_ask_set(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    demo = runtime.settings.demo
    table, notes = Table(), []
    async with assistant(runtime) as box:
        for asked in read_set(demo):
            answer = await box.ask(Question("1", asked.question, "staff", ""), lambda _: None)
            assert answer.status != "failed", answer
            found = outcome(asked.expect, answer.status, await fits(box, asked, answer))
            count(table, asked, answer, found)
            if found != "right":
                notes.append(f"  {found:10}  {asked.question}  ->  {answer.reading or answer.sentence}")
    with capsys.disabled():
        print(f"\n{shown(demo, table)}\n" + "\n".join(notes))
    assert 100 * (MEASURED[demo].right - table["all", "right"]) / len(read_set(demo)) <= POINTS_LOST_AT_MOST
    assert table["all", "wrong"] <= MEASURED[demo].wrong + WRONG_MORE_AT_MOST


async def fits(box: Assistant, asked: Asked, answer: Answer) -> bool:
    """Whether an answer holds the rows of a gold plan, which are read from the same box."""
    if answer.status != "answered" or asked.expect != "answered":
        return False
    given, named = read_plan(answer.plan), days(datetime.now().astimezone())
    if not isinstance(given, Query):
        return False
    return any([await holds(box, gold, given, answer) for gold in asked.readings(named)])


async def holds(box: Assistant, gold: Query, given: Query, answer: Answer) -> bool:
    return same_rows(gold, await box.rows(uncut(gold), "staff"), given, answer.rows)


def count(table: Table, asked: Asked, answer: Answer, found: Outcome) -> None:
    """Note what came across: by what was expected and over all, and of the wrong ones those told with confidence."""
    sure = found == "wrong" and getattr(answer, "confidence", 1.0) >= CONFIDENT
    for name in (asked.expect, "all"):
        table[name, found] += 1
        table[name, "confidently wrong"] += sure


def shown(demo: str, table: Table) -> str:
    """The counts as a table: what was expected down, what came across."""
    columns = (*OUTCOMES, "confidently wrong")
    head = f"{demo:10}" + "".join(f"{name:>19}" for name in columns)
    lines = [f"{name:10}" + "".join(f"{table[name, each]:19}" for each in columns) for name in (*EXPECTED, "all")]
    return "\n".join([head, *lines])
