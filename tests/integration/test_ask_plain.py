"""Plain questions about data the box has never seen, in the words of the data: what a person types first.

Each domain of ``tests/ask/plain`` makes its documents for today and tells what they hold by plain Python. A run of the
tests asks two of the domains, `make eval` (``ASK_ALL=1``) all.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from importlib import import_module
from typing import Final

import pytest

from appliance.llm.training.judge import Outcome
from appliance.llm.training.unseen import judged
from tests.ask.plain.kit import Domain
from tests.integration.test_ask_unseen import OUTCOMES, empty_box, fill, told

LEAST: Final = 0.88
"""The part of a domain that is answered rightly, at least."""
WRONG_AT_MOST: Final = 2
ALL: Final = ("bicycles", "dental", "festival", "letting", "office", "zoo")
DOMAINS: Final = ALL if os.environ.get("ASK_ALL") else ("festival", "office")


@pytest.mark.parametrize("domain", DOMAINS)
def test_plain_questions(domain: str, capsys: pytest.CaptureFixture[str]) -> None:
    made: Domain = import_module(f"tests.ask.plain.{domain}").domain(datetime.now(UTC).date())
    table, notes = Counter[Outcome](), []
    with empty_box() as door:
        fill(door, made.documents)
        for asked in made.asked:
            answer = told(door, asked)
            found = judged(asked, answer)
            table[found] += 1
            if found != "right":
                notes.append(f"  {found:10}  {asked.question}  ->  {answer['reading'] or answer['sentence']}")
    with capsys.disabled():
        print(f"\n{domain}: " + ", ".join(f"{table[each]} {each}" for each in OUTCOMES))
        print("\n".join(notes))
    assert table["right"] >= LEAST * len(made.asked)
    assert table["wrong"] <= WRONG_AT_MOST
