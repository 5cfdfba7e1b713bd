"""Question to answer: asked on one screen, seen on another.

    INPUT ask ──► bridge ──► assistant: link, model, REST ──► bridge ──► another screen
                                 └─ "reading" is the first signal ─────────────────┘

Every question is put three ways in turn, so that all three see the same machine: by a screen (that is the time
that counts), by ``POST /api/ask`` (whose answer tells how long each stage took), and as the bare request that
the answer ran, which is what the same rows cost without a question.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx

from benchmarks.box import Box, running_box
from benchmarks.questions import mixed
from benchmarks.report import Measure, Ratio, Result, split
from benchmarks.screen import Heard, Screen, Values, connected

WARM_UP = 8
ASKERS = (4, 16)
STAGES = ("link", "model", "rest")


class Samples:
    """Everything measured, in milliseconds."""

    def __init__(self) -> None:
        self.first: list[float] = []
        self.done: list[float] = []
        self.api: list[float] = []
        self.answered: list[float] = []
        self.bare: list[float] = []
        self.stages: defaultdict[str, list[float]] = defaultdict(list)
        self.statuses: Counter[str] = Counter()
        self.together: dict[int, list[float]] = {}
        self.model = ""


async def run(count: int) -> Result:
    """Measure `count` questions."""
    async with (
        running_box() as box,
        connected(box.url) as asker,
        connected(box.url) as watcher,
        httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=60) as client,
    ):
        await _all(Samples(), mixed(WARM_UP), asker, watcher, client)
        samples = Samples()
        await _all(samples, mixed(count), asker, watcher, client)
        for askers in ASKERS:
            samples.together[askers] = await _together(mixed(count), askers, client)
        samples.model = await asyncio.to_thread(_of_model)
    return _result(samples, box)


async def _together(questions: list[str], askers: int, client: httpx.AsyncClient) -> list[float]:
    """Milliseconds of each question when so many people ask one after another, all at once."""
    left, took = list(questions), list[float]()

    async def person() -> None:
        while left:
            question, began = left.pop(), time.perf_counter()
            (await client.post("/api/ask", json={"question": question})).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(person() for _ in range(askers)))
    return took


def _of_model() -> str:
    """How much memory the model's process holds, the youngest of this machine."""
    found = [
        (folder.stat().st_ctime, folder)
        for folder in Path("/proc").glob("[0-9]*")
        if b"appliance.services.llm" in _read(folder / "cmdline")
    ]
    if not found:
        return "the model's process was not found"
    resident = re.search(rb"VmRSS:\s+(\d+) kB", _read(max(found)[1] / "status"))
    return f"the model's process holds {int(resident[1]) / 1000:.0f} MB" if resident else "its memory is not told"


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


async def _all(
    samples: Samples, questions: list[str], asker: Screen, watcher: Screen, client: httpx.AsyncClient
) -> None:
    for question in questions:
        first, done = await by_screen(question, asker, watcher)
        answer = await _by_api(samples, question, client)
        samples.first.append(first)
        samples.done.append(done)
        samples.statuses[answer["status"]] += 1
        if answer["rest"]:
            samples.answered.append(done)
            samples.bare.append(await _bare(answer["rest"], client))
        asker.forget()
        watcher.forget()


async def by_screen(question: str, asker: Screen, watcher: Screen) -> tuple[float, float]:
    """Ask on one screen; milliseconds to the first signal and to the answer on the other one."""
    known = set(watcher.values)
    began = time.perf_counter()
    await asker.ask(question)
    first = await watcher.until(lambda values: _new(question, values, known) is not None)
    stage = f"answer.{_new(question, first.values, known)}.stage"
    done = await _done(watcher, first, stage)
    return (first.at - began) * 1000, (done.at - began) * 1000


def _new(question: str, values: Values, known: set[str]) -> str | None:
    """The id of an answer to this question that was not there before."""
    for name, value in values.items():
        if name.endswith(".question") and value == question and name not in known:
            return name.split(".")[1]
    return None


async def _done(watcher: Screen, first: Heard, stage: str) -> Heard:
    if first.values.get(stage) == "done":
        return first
    return await watcher.until(lambda values: values.get(stage) == "done")


async def _by_api(samples: Samples, question: str, client: httpx.AsyncClient) -> dict[str, Any]:
    began = time.perf_counter()
    found = await client.post("/api/ask", json={"question": question})
    samples.api.append((time.perf_counter() - began) * 1000)
    answer: dict[str, Any] = found.raise_for_status().json()
    for stage in STAGES:
        samples.stages[stage].append(answer["timings"].get(stage, 0.0))
    return answer


async def _bare(request: str, client: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    (await client.get(request)).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _result(samples: Samples, box: Box) -> Result:
    done = Measure("question -> answer on another screen", tuple(samples.done))
    bare = Measure("the answer's own request, plainly", tuple(samples.bare))
    told = ", ".join(f"{number} {status}" for status, number in samples.statuses.most_common())
    return Result(
        "ask",
        "a question, from a screen to another screen",
        (
            Measure("question -> first signal on another screen", tuple(samples.first)), done,
            Measure("question -> response of POST /api/ask", tuple(samples.api)), bare,
            *(Measure(f"the same, {askers} askers at once", tuple(took)) for askers, took in samples.together.items()),
        ),
        (Ratio(Measure("question -> answer", tuple(samples.answered)), bare),),
        (split("question -> answer on another screen", samples.done, dict(samples.stages), "signals and frames"),),
        (f"{told}; the box was ready {box.ready_s:.1f} s after its first start with an empty folder.", samples.model),
    )  # fmt: skip
