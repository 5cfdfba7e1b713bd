"""The model of speech that a box is set up with, on questions that a voice speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import shipped_listening
from appliance.errors import ApplianceError
from appliance.llm.listening import listener as module
from appliance.llm.listening.listener import Listener, tidied
from tests.spoken import Spoken, hear, heard_whole, noise, spoken


@pytest.fixture(scope="module")
def listener() -> Listener:
    listener = Listener(shipped_listening())
    assert listener.here, "the model of speech is not installed: make test-setup"
    return listener


@pytest.mark.parametrize(
    "question",
    [
        "How many beds are free in cardiology?",
        "Do we have any morphine?",
        "How many women and how many men do we have in at the moment?",
        "Which patients went home this week?",
    ],
)
def test_a_question_is_heard_word_for_word(listener: Listener, question: str) -> None:
    heard = heard_whole(listener, question)
    assert 1.0 < heard.seconds < 6.0


def test_names_of_the_facility_are_heard_where_others_sound_alike(listener: Listener) -> None:
    said = spoken("satisfaction score of the maternity ward", "slt")
    assert "maternity ward" not in hear(listener, said).text
    assert "maternity ward" in hear(listener, said, "Maternity", "ward", "score").text


def test_what_is_not_clear_is_not_sure(listener: Listener) -> None:
    clear, unclear = (hear(listener, spoken(text)) for text in ("Do we have any morphine?", "Any spare defibs around?"))
    assert clear.mean > unclear.mean
    assert clear.sure and not unclear.sure
    assert unclear.text not in unclear.others


@pytest.mark.parametrize("said", [noise(2.0), Spoken(b"", 16_000), noise(0.2, 0.2), Spoken(b"\0\0" * 32_000, 16_000)])
def test_nobody_spoke(listener: Listener, said: Spoken) -> None:
    with pytest.raises(ApplianceError) as told:
        hear(listener, said)
    assert told.value.code == "LLM231"


def test_what_cannot_be_listened_to(listener: Listener) -> None:
    for said in (noise(31.0), Spoken(b"\0\0" * 8000, 4000)):
        with pytest.raises(ApplianceError) as told:
            hear(listener, said)
        assert told.value.code == "LLM232"


@pytest.mark.parametrize("folder", [None, Path("/nowhere")])
def test_a_box_without_a_model_says_so(folder: Path | None) -> None:
    listener = Listener(folder)
    assert not listener.here
    with pytest.raises(ApplianceError) as told:
        listener.ready()
    assert told.value.code == "LLM230"


def test_a_folder_that_holds_no_model(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.bin").write_bytes(b"\x01a")
    (tmp_path / "encoder_model.ort").write_bytes(b"no model")
    with pytest.raises(ApplianceError) as told:
        Listener(tmp_path).ready()
    assert told.value.code == "LLM230"


def test_the_model_is_let_go_when_nobody_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(shipped_listening())
    listener.ready()
    assert not listener.rest()
    monkeypatch.setattr(module, "KEPT_S", 0.0)
    assert listener.rest()
    assert not listener.rest()
    assert hear(listener, spoken("Do we have any morphine?")).text == "Do we have any morphine?"


def test_words_are_written_as_today() -> None:
    assert tidied("To-day or to-morrow, to-night,") == "Today or tomorrow, tonight"
    assert tidied("a to-do list") == "a to-do list"
