"""The sets of `tests/ask/unseen`: data that no training and no list of words was made for, asked as a client asks.

Each domain gets an empty box, its documents by ``/flex``, and its questions by ``POST /api/ask``. Only the rows of
an answer are looked at (:mod:`appliance.llm.training.unseen`). A run of the tests asks two of the domains, `make eval`
(``ASK_ALL=1``) all.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from appliance.llm.training.judge import Outcome
from appliance.llm.training.unseen import Asked, judged, read_set
from tests.box import running_box

UNSEEN: Final = Path(__file__).resolve().parent.parent / "ask" / "unseen"
STILL_S: Final = 3.0
"""Relations are looked for a second after rows came; a catalog that is the same for so long is complete."""
SETTLED_S: Final = 60.0
RIGHT_FEWER_AT_MOST: Final = 2
WRONG_MORE_AT_MOST: Final = 2
OUTCOMES: Final[tuple[Outcome, ...]] = ("right", "asked back", "refused", "wrong")


class Measured(msgspec.Struct, frozen=True):
    """What a domain measured when it was last looked at, in questions."""

    right: int
    wrong: int


MEASURED: Final = {
    "beekeepers": Measured(right=36, wrong=3),
    "marina": Measured(right=34, wrong=2),
    "mountain_rescue": Measured(right=35, wrong=2),
    "recording_studio": Measured(right=38, wrong=3),
    "seed_bank": Measured(right=34, wrong=2),
    "tool_library": Measured(right=35, wrong=1),
}


DOMAINS: Final = tuple(MEASURED) if os.environ.get("ASK_ALL") else ("beekeepers", "marina")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_box_of_data_it_has_never_seen(domain: str, capsys: pytest.CaptureFixture[str]) -> None:
    documents = msgspec.json.decode((UNSEEN / f"{domain}.json").read_bytes())
    table, told_of = outcomes(domain, documents, read_set(UNSEEN / f"{domain}.jsonl"))
    with capsys.disabled():
        print(told_of)
    assert_measured(table, MEASURED[domain])


def assert_measured(table: Counter[Outcome], measured: Measured) -> None:
    """What became of a domain's questions is about what was measured, or better."""
    assert table["right"] >= measured.right - RIGHT_FEWER_AT_MOST
    assert table["wrong"] <= measured.wrong + WRONG_MORE_AT_MOST


def outcomes(
    domain: str, documents: dict[str, list[dict[str, Any]]], questions: Iterable[Asked]
) -> tuple[Counter[Outcome], str]:
    """What became of the questions about documents in a box of their own, and that as text."""
    table, notes = Counter[Outcome](), []
    with empty_box() as door:
        fill(door, documents)
        for asked in questions:
            answer = told(door, asked)
            found = judged(asked, answer)
            table[found] += 1
            if found != "right":
                notes.append(f"  {found:10}  {asked.question}  ->  {answer['reading'] or answer['sentence']}")
    head = f"\n{domain}: " + ", ".join(f"{table[each]} {each}" for each in OUTCOMES)
    return table, "\n".join([head, *notes])


@contextmanager
def empty_box() -> Iterator[httpx.Client]:
    """The door of a box without data."""
    with (
        running_box("--demo", "none", "--timezone", "UTC") as box,
        httpx.Client(base_url=box.url, timeout=60, trust_env=False) as door,
    ):
        yield door


def fill(door: httpx.Client, documents: dict[str, list[dict[str, Any]]]) -> None:
    """Post the documents and wait until the catalog knows them, and stays as it is."""
    for collection, rows in documents.items():
        door.post(f"/flex/{collection}", json=rows).raise_for_status()
    until, seen, since = time.monotonic() + SETTLED_S, "", 0.0
    counts = {collection: len(rows) for collection, rows in documents.items()}
    while time.monotonic() < until:
        catalog = door.get("/api/catalog").json()
        if catalog["version"] != seen:
            seen, since = catalog["version"], time.monotonic()
        held = {item["name"]: item["count"] for item in catalog["collections"]}
        if held == counts and time.monotonic() - since > STILL_S:
            return
        time.sleep(0.2)
    raise AssertionError(f"the catalog did not come to rest: {held}")


def told(door: httpx.Client, asked: Asked) -> dict[str, Any]:
    """The answer to a question; no part of the box may fail over it."""
    answer = door.post("/api/ask", json={"question": asked.question})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] != "failed", found
    return found
