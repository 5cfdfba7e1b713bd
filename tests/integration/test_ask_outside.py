"""The sets of `tests/ask/outside`: documents and questions of people who did not know the box.

A run of the tests asks two of the domains, `make eval` (``ASK_ALL=1``) all.
"""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any, Final

import pytest

from appliance.llm.training.unseen import Asked
from tests.ask.plain.kit import NONE, question
from tests.integration.test_ask_unseen import Measured, assert_measured, outcomes

OUTSIDE: Final = Path(__file__).resolve().parent.parent / "ask" / "outside"

MEASURED: Final = {
    "physiotherapy practice": Measured(right=30, wrong=2),
    "seafood wholesaler": Measured(right=30, wrong=0),
    "theatre": Measured(right=19, wrong=3),
    "property insurance office": Measured(right=24, wrong=3),
    "nursing home": Measured(right=31, wrong=0),
    "legal aid office": Measured(right=26, wrong=3),
    "machine shop": Measured(right=26, wrong=1),
    "tree nursery and garden centre": Measured(right=24, wrong=2),
    "boat charter": Measured(right=26, wrong=0),
    "food bank": Measured(right=26, wrong=2),
    "driving school": Measured(right=25, wrong=3),
    "hospital laboratory": Measured(right=25, wrong=1),
    "event agency": Measured(right=27, wrong=1),
    "court calendar": Measured(right=31, wrong=1),
    "bakery_wholesale": Measured(right=25, wrong=3),
    "hospital_maintenance": Measured(right=17, wrong=6),
}

DOMAINS: Final = tuple(MEASURED) if os.environ.get("ASK_ALL") else ("nursing home", "court calendar")


def sets() -> dict[str, tuple[dict[str, Any], list[Asked]]]:
    """The documents and the questions of every domain."""
    found = {}
    for file in sorted(OUTSIDE.glob("*.py")):
        for domain, documents, questions in importlib.import_module(f"tests.ask.outside.{file.stem}").SETS:
            named = {re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower(): rows for name, rows in documents.items()}
            found[domain] = named, [question(text, [gold] if gold == NONE else gold) for text, gold in questions]
    return found


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_people_from_outside_ask(domain: str, capsys: pytest.CaptureFixture[str]) -> None:
    table, told = outcomes(domain, *sets()[domain])
    with capsys.disabled():
        print(told)
    assert_measured(table, MEASURED[domain])


def test_every_domain_is_measured() -> None:
    held = sets()
    assert held.keys() == MEASURED.keys()
    assert all(len(questions) == 35 for _, questions in held.values())
