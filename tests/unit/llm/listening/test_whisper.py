"""Whisper in a GGML file, as settings may name one, on questions that a voice speaks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.llm.listening.ggml import fault
from appliance.llm.listening.listener import Listener
from appliance.llm.listening.whisper import PROMPT_PIECES, prompt
from tests.spoken import Spoken, hear, heard_whole, noise, spoken
from tests.whisper_model import whisper_file


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener(whisper_file())


@pytest.mark.parametrize(
    "question",
    [
        "Do we have any morphine?",
        "How many women and how many men do we have in at the moment?",
        "Which patients went home this week?",
    ],
)
def test_a_question_is_heard_word_for_word(listener: Listener, question: str) -> None:
    heard = heard_whole(listener, question)
    assert heard.others == []


def test_names_of_the_facility_are_heard_where_others_sound_alike(listener: Listener) -> None:
    said = spoken("How many beds are free in cardiology?")
    assert "cardiology" not in hear(listener, said).text.casefold()
    assert "cardiology" in hear(listener, said, "Cardiology", "ICU", "Maternity").text.casefold()


def test_the_prompt_leaves_room_for_what_is_said() -> None:
    names = [f"Ward {number}" for number in range(500)]
    assert prompt(names).startswith("Ward 0, Ward 1, ")
    assert len(prompt(names)) <= PROMPT_PIECES * 4


@pytest.mark.parametrize("said", [noise(2.0), Spoken(b"\0\0" * 32_000, 16_000)])
def test_nobody_spoke(listener: Listener, said: Spoken) -> None:
    with pytest.raises(ApplianceError) as told:
        hear(listener, said)
    assert told.value.code == "LLM231"


def test_a_word_is_heard(listener: Listener) -> None:
    assert "yes" in hear(listener, spoken("Yes.")).text.casefold()


def test_others_go_on_while_it_hears(listener: Listener) -> None:
    said = spoken("How many women and how many men do we have in at the moment?")
    hears = threading.Thread(target=hear, args=(listener, said))
    hears.start()
    longest, at = 0.0, time.perf_counter()
    while hears.is_alive():
        time.sleep(0.001)
        longest, at = max(longest, time.perf_counter() - at), time.perf_counter()
    assert longest < 0.2, "the library holds the interpreter"


def refused(file: Path) -> str:
    with pytest.raises(ApplianceError) as told:
        Listener(file).ready()
    assert told.value.code == "LLM230"
    return str(told.value.details)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no GGML file"),
        (b"GGUF" + bytes(100), "is no GGML file"),
        (b"lmgg", "is cut short"),
        (b"lmgg" + bytes(500), "n_vocab is 0"),
        (b"lmgg" + b"\1\0\0\0" * 500, "is no model of Whisper's"),
    ],
)
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(content)
    assert refused(file).startswith("model.bin ")
    assert why in refused(file)


@pytest.mark.parametrize("kept", [100, 64_500, 500_000, 40_000_000, -1])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(whisper_file().read_bytes()[:kept])
    assert refused(file) == "model.bin is cut short."


def test_a_whole_file_has_no_fault() -> None:
    assert fault(whisper_file()) == ""


def test_it_is_let_go_and_comes_back(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    listener.ready()
    monkeypatch.setattr("appliance.llm.listening.listener.KEPT_S", 0.0)
    assert listener.rest()
    assert not listener.rest()
    assert hear(listener, spoken("Do we have any morphine?")).text
