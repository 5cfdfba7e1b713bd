"""Fits the weights of :mod:`appliance.llm.confidence` to the sets of ``tests/ask``: unseen, plain, outside.

    .venv/bin/python -m tests.ask.calibrate           prints the weights, and how well they do on domains left out
    .venv/bin/python -m tests.ask.calibrate --write   writes them into the module

Each domain gets an empty box, its documents and its questions; every plan that the model or code thought of is run, so
that it is known which would have been right. What is printed of right and wrong answers is of domains that the weights
were not fitted to: each domain in turn is left out. Takes some minutes; run it after the model or the linking changed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import re
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import httpx
import msgspec
import numpy as np
from msgspec.structs import replace

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm import confidence
from appliance.llm.candidates import Candidate, with_code
from appliance.llm.confidence import told_by
from appliance.llm.evidence import numbers, numbers_of_none
from appliance.llm.plan import Query, Refuse
from appliance.llm.training.unseen import Asked, fits, read_set
from appliance.services import understanding
from appliance.services.assistant import Assistant
from appliance.types import Question
from tests.ask.plain.kit import Domain
from tests.integration import test_ask_outside as outside
from tests.integration.ask_box import assistant, model_service
from tests.integration.pgflex_box import free_port, running_box

UNSEEN: Final = Path(__file__).resolve().parent / "unseen"
DOMAINS: Final = tuple(sorted(file.stem for file in UNSEEN.glob("*.jsonl")))
PLAIN: Final = tuple(sorted(file.stem for file in UNSEEN.with_name("plain").glob("*.py") if file.stem != "kit"))
OUTSIDE: Final = tuple(outside.sets())
SETTLED_S: Final = 6.0
STEPS: Final = 2000
CAUTION: Final = 0.3
"""So much is added to "none of these": what people ask of their own data is harder than what is fitted to here."""
HELD_TO_PRIOR: Final = 0.5
"""How much a weight that goes from its prior costs, against the logarithm of the likelihood of one question."""
PRIOR: Final = {
    "score": 0.5,
    "lead": 0.5,
    "count_unmet": -1.5,
    "avg_unmet": -1.5,
    "rank_unmet": -1.2,
    "count_unasked": -1.0,
    "rank_unasked": -0.8,
    "compared_otherwise": -2.0,
    "compared_unasked": -2.0,
    "group_unmet": -0.7,
    "group_unnamed": -1.5,
    "dimension_unmet": -0.7,
    "numbers_listed": -1.0,
    "said_once": -2.0,
    "time_otherwise": -2.5,
    "things_counted": -1.0,
    "things_summed": -4.0,
    "sensed": -0.7,
    "measure_unnamed": -0.7,
    "amount_otherwise": -1.5,
    "rank_otherwise": -3.0,
    "tells_nothing": -2.0,
    "ends_unmet": -2.0,
    "flag_unmet": -1.2,
    "roundabout": -3.0,
    "reached_unnamed": -2.0,
    "row_unmet": -1.5,
    "distinct_unmet": -1.5,
    "titled": 1.0,
    "advice": -2.5,
    "asked_unknown": -2.0,
    "one_counted": -3.0,
    "named_otherwise": -1.0,
    "never_summed": -1.5,
    "price_summed": -2.5,
    "rows_grouped": -1.5,
    "time_beyond": -2.5,
    "without_unmet": -2.5,
}
"""What common sense says of what is seldom seen; all other weights are held to nothing."""


class Seen(msgspec.Struct):
    """A question, its candidates, what is known of each (of "none of these" last), and which are right."""

    domain: str
    candidates: list[Candidate]
    known: list[dict[str, float]]
    right: list[bool]


def read(domain: str) -> Domain:
    """The documents of a domain, and its questions."""
    if domain in OUTSIDE:
        return Domain(*outside.sets()[domain])
    if domain in PLAIN:
        made: Domain = importlib.import_module(f"tests.ask.plain.{domain}").domain(date.today())
        return made
    return Domain(msgspec.json.decode((UNSEEN / f"{domain}.json").read_bytes()), read_set(UNSEEN / f"{domain}.jsonl"))


async def seen(runtime: Runtime, domain: str, questions: list[Asked]) -> list[Seen]:
    """The questions of a domain, asked of its box."""
    found = []
    async with assistant(runtime) as box:
        for asked in questions:
            held: list[list[Candidate]] = []

            def kept(*given: Any, held: list[list[Candidate]] = held) -> list[Candidate]:
                held.append(with_code(*given))
                return held[-1]

            with patch.object(understanding, "with_code", kept):
                await box.ask(Question("1", asked.question, "staff", ""), lambda _: None)
            if held and held[-1]:
                found.append(await tried(box, domain, asked, held[-1]))
    return found


async def tried(box: Assistant, domain: str, asked: Asked, candidates: list[Candidate]) -> Seen:
    """Run every candidate; which are right."""
    marked, right = [], []
    golds = [gold for gold in (asked.gold, *asked.others) if gold is not None]
    for each in candidates:
        rows: list[dict[str, Any]] | None = None
        if isinstance(each.plan, Query):
            try:
                rows = await box.rows(each.plan, "staff")
            except ApplianceError:
                rows = None
        marked.append(replace(each, told=told_by(rows)) if rows is not None else each)
        refused = isinstance(each.plan, Refuse) and asked.expect == "refused"
        right.append(refused or (rows is not None and any(fits(gold, rows) for gold in golds)))
    known = [*(numbers(each, marked) for each in marked), numbers_of_none(marked)]
    return Seen(domain, marked, known, right)


def box_of(domain: str) -> list[Seen]:
    """An empty box, the domain's documents, its questions."""
    with running_box(demo="none", mdns=False) as box:
        box.start_postgrest()
        box.start_service()
        runtime = msgspec.structs.replace(box.runtime(), llm_url=f"http://127.0.0.1:{free_port()}")
        headers = {"Authorization": f"Bearer {runtime.token}", "X-Role": "admin"}
        with httpx.Client(base_url=runtime.pgflex_url, headers=headers, timeout=60, trust_env=False) as door:
            documents, questions = read(domain)
            for name, rows in documents.items():
                door.post(f"/flex/{name}", json=rows).raise_for_status()
        time.sleep(SETTLED_S)  # relations are looked for once rows are still
        with model_service(runtime):
            return asyncio.run(seen(runtime, domain, questions))


def fit(questions: Iterable[Seen], names: list[str]) -> np.ndarray:
    """The weights that make what is right likeliest (a conditional logit; Adam)."""
    prior = np.array([PRIOR.get(name, 0.0) for name in names])
    given = [(matrix(each, names), np.array([*each.right, not any(each.right)])) for each in questions]
    weights, first, second = prior.copy(), np.zeros(len(names)), np.zeros(len(names))
    for step in range(1, STEPS + 1):
        slope = HELD_TO_PRIOR * (weights - prior)
        for known, right in given:
            told = softmax(known @ weights)
            wanted = told * right / max(float((told * right).sum()), 1e-12)
            slope += known.T @ (told - wanted)
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        weights -= 0.03 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return weights


def matrix(each: Seen, names: list[str]) -> np.ndarray:
    """What is known, candidates down, names across."""
    return np.array([[known.get(name, 0.0) for name in names] for known in each.known])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Scores as shares of one."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def judged(each: Seen, weights: dict[str, float]) -> tuple[float, bool, bool]:
    """With these weights: the confidence, whether the best refuses, whether it is right."""
    with patch.dict(confidence.WEIGHTS, weights, clear=True):
        found = confidence.decided(each.candidates)
    assert found.best is not None
    place = next(place for place, one in enumerate(each.candidates) if one is found.best)
    return found.confidence, isinstance(found.best.plan, Refuse), each.right[place]


def report(told: list[tuple[float, bool, bool]], count: int) -> None:
    """How many would be answered rightly and wrongly from each confidence, and how right each confidence is."""
    print(f"{len(told)} of {count} questions have candidates\n\nfrom   right  wrong  asked back or refused")
    for least in (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
        answered = [right for sure, refuses, right in told if sure >= least and not refuses]
        print(f"{least:.2f} {sum(answered):7} {len(answered) - sum(answered):6} {count - len(answered):6}")
    print("\nconfidence  questions  right")
    for low in np.arange(0.0, 1.0, 0.1):
        some = [right for sure, _, right in told if low <= sure < low + 0.1]
        if some:
            print(f"{low:.1f} to {low + 0.1:.1f} {len(some):9} {100 * sum(some) / len(some):6.0f} %")


def main() -> None:
    """Ask, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the weights into appliance/llm/confidence.py")
    options = parser.parse_args()
    questions = [each for domain in (*DOMAINS, *PLAIN, *OUTSIDE) for each in box_of(domain)]
    names = sorted({name for each in questions for known in each.known for name in known})
    for domains in (DOMAINS, PLAIN, OUTSIDE):
        told = []
        for domain in domains:
            weights = fit((each for each in questions if each.domain != domain), names)
            named = dict(zip(names, map(float, weights), strict=True))
            told += [judged(each, named) for each in questions if each.domain == domain]
        report(told, sum(len(read(domain).asked) for domain in domains))
    found = fit(questions, names) + np.array([CAUTION * (name == "none") for name in names])
    fitted = zip(names, found, strict=True)
    lines = "".join(f'    "{name}": {weight:.2f},\n' for name, weight in fitted)
    text = f"WEIGHTS: Final[dict[str, float]] = {{\n{lines}}}\n"
    print(f"\n{text}")
    if options.write:
        file = Path(confidence.__file__)
        written = re.sub(
            r"WEIGHTS: Final\[dict\[str, float\]\] = \{.*?\n\}\n", lambda _: text, file.read_text(), flags=re.S
        )
        file.write_text(written)


if __name__ == "__main__":
    main()
