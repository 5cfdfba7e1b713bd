"""Plain questions about data the box has never seen, in the words of the data: what a person types first.

Each domain of ``tests/ask/plain`` makes its documents for today and tells what they hold by plain Python. A run of the
tests asks two of the domains, `make eval` (``ASK_ALL=1``) all.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib import import_module
from typing import Final

import pytest

from tests.ask.plain.kit import Domain
from tests.integration.test_ask_unseen import outcomes

LEAST: Final = 0.88
"""The part of a domain that is answered rightly, at least."""
WRONG_AT_MOST: Final = 2
HARDER: Final = {"farm": (0.7, 3), "building": (0.8, 2)}
"""Milk is measured in litres, which a question of milk does not say: its rows are counted. Builders speak of money."""
ALL: Final = tuple(
    "agency bicycles blood_bank building dental energy farm festival fleet freight gym helpdesk hotel hr kitchen"
    " letting library museum office pharmacy school shop vet workshop zoo".split()
)
DOMAINS: Final = ALL if os.environ.get("ASK_ALL") else ("office", "shop")


@pytest.mark.parametrize("domain", DOMAINS)
def test_plain_questions(domain: str, capsys: pytest.CaptureFixture[str]) -> None:
    made: Domain = import_module(f"tests.ask.plain.{domain}").domain(datetime.now(UTC).date())
    table, told_of = outcomes(domain, made.documents, made.asked)
    with capsys.disabled():
        print(told_of)
    least, wrong = HARDER.get(domain, (LEAST, WRONG_AT_MOST))
    assert table["right"] >= least * len(made.asked)
    assert table["wrong"] <= wrong
