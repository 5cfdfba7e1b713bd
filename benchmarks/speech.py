"""Speech: words heard wrong and the time that takes, by what a box is set up with and by Whisper's smallest.

Every fifth question of the hospital's set, spoken by two voices of flite; the names are those of the box's own catalog.
A voice of a machine is a hard judge: the figures are for comparing, and say little of people.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
import msgspec

from appliance.config import shipped_listening
from appliance.errors import ApplianceError
from appliance.llm.listening.listener import Listener
from appliance.llm.listening.names import names_in
from appliance.llm.listening.said import Heard, Utterance
from appliance.types import Catalog
from benchmarks.box import running_box
from benchmarks.report import Measure, Ratio, Result
from tests.spoken import spoken
from tests.whisper_model import whisper_file

SET: Final = Path(__file__).resolve().parent.parent / "tests" / "ask" / "hospital.jsonl"
VOICES: Final = ("rms", "slt")
EVERY: Final = 5
_WORD: Final = re.compile(r"[\w']+")


class Judged(msgspec.Struct):
    """How an engine fared: words wrong and words said of each utterance, milliseconds, and what it was sure of."""

    what: str
    wrong: list[int] = msgspec.field(default_factory=list)
    said: list[int] = msgspec.field(default_factory=list)
    took_ms: list[float] = msgspec.field(default_factory=list)
    marks: list[tuple[float, bool, bool]] = msgspec.field(default_factory=list)

    def add(self, question: str, heard: Heard | None, took_ms: float) -> None:
        """One utterance more."""
        wanted, found = words(question), words(heard.text if heard else "")
        self.wrong.append(apart(wanted, found))
        self.said.append(len(wanted))
        self.took_ms.append(took_ms)
        if heard:
            self.marks.append((heard.mean, heard.sure, wanted == found))

    def told(self) -> str:
        """A line about it."""
        sure = [right for _, certain, right in self.marks if certain]
        wrong = 100 * sum(self.wrong) / sum(self.said)
        return f"{self.what}: {wrong:.1f} % of words wrong; sure of {len(sure)}, {sum(sure)} of them right to the word"


async def run(count: int) -> Result:
    """Have at most `count` questions heard."""
    async with running_box() as box, httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=30) as client:
        told = (await client.get("/api/catalog")).raise_for_status().content
    names = names_in(msgspec.json.decode(told, type=Catalog))
    asked = [json.loads(line)["question"] for line in SET.read_text(encoding="utf-8").splitlines()][::EVERY][:count]
    ours, peer = Listener(shipped_listening()), Listener(whisper_file())
    judged = [
        await asyncio.to_thread(_judge, what, listener, asked, hints)
        for what, listener, hints in (
            ("Moonshine tiny with the catalog's names", ours, names),
            ("Moonshine tiny", ours, ()),
            ("Whisper tiny.en with the catalog's names", peer, names),
            ("Whisper tiny.en", peer, ()),
        )
    ]
    measures = tuple(Measure(f"{each.what}: an utterance", tuple(each.took_ms)) for each in judged)
    return Result(
        "speech",
        "questions that are spoken",
        measures,
        (Ratio(measures[2], measures[0]),),
        notes=tuple(each.told() for each in judged),
    )


def _judge(what: str, listener: Listener, asked: Sequence[str], names: Sequence[str]) -> Judged:
    judged = Judged(what)
    listener.ready()
    for question in asked:
        for voice in VOICES:
            said, heard = spoken(question, voice), None
            began = time.perf_counter()
            try:
                heard = listener.hear(Utterance(said.samples, said.rate, 1, names))
            except ApplianceError as error:
                if error.code != "LLM231":
                    raise
            judged.add(question, heard, (time.perf_counter() - began) * 1000)
    return judged


def words(text: str) -> list[str]:
    """What counts of a text: its words, small, without marks.

    >>> words("How many beds, Doctor?")
    ['how', 'many', 'beds', 'doctor']
    """
    return _WORD.findall(text.casefold())


def apart(wanted: Sequence[str], found: Sequence[str]) -> int:
    """Words to change, leave out or put in, so that one becomes the other (Levenshtein 1966).

    >>> apart(["how", "many", "beds"], ["how", "men", "beds", "are"])
    2
    """
    row = list(range(len(found) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(found, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]
