from __future__ import annotations

import asyncio
import io
import time
from typing import Any

import pytest
from rich.console import Console

from appliance.bridge.identity import Identity
from appliance.errors import ApplianceError
from appliance.screen import cache, finder
from appliance.screen.agent import Agent
from appliance.screen.digits import large
from appliance.screen.text import clean, draw, run_text
from appliance.screen.ticket import Ticket
from tests.unit.screen.small_box import KEY, SmallBox, agent_for, an_answer

BEDS = {"label": "Bed", "type": "text", "name": "bed"}
FREE = {"label": "Free", "type": "integer", "name": "free"}


def holding(screen: Identity, signals: dict[str, Any], age_s: float = 0) -> Agent:
    held = cache.Held(Ticket("00" * 32, ("127.0.0.1:9",)), "e", 1, signals, time.time() - age_s)
    return agent_for(screen, None, held=held)


def drawn(agent: Agent, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as capture:
        console.print(draw(agent))
    return capture.get()


def with_answer(**values: Any) -> dict[str, Any]:
    return {"answers.order": ["a"], **an_answer("a", question="How many beds are free?", status="answered", **values)}


def test_the_head_names_the_facility_and_says_how_old_the_content_is(screen: Identity) -> None:
    head = drawn(holding(screen, {"box.facility": "St. Anne Hospital"}, age_s=125)).splitlines()[0]
    assert "St. Anne Hospital" in head
    assert "the box is away, content from 2 min ago" in head
    assert time.strftime("%H:") in head


def test_a_screen_without_anything_looks_for_the_box(screen: Identity) -> None:
    assert "looking for the box" in drawn(agent_for(screen, None))


def test_a_number_is_large_and_its_sentence_and_reading_are_there(screen: Identity) -> None:
    view = {"kind": "number", "value": 12, "label": "beds"}
    text = drawn(
        holding(screen, with_answer(view=view, sentence="12 beds are free.", reading="Count beds.", took_ms=1840))
    )
    number = large("12")
    assert number is not None
    for line in (*number.splitlines(), "12 beds are free.", "Count beds.", "How many beds are free?", "1,840 ms"):
        assert line.rstrip() in text


def test_a_number_that_is_none_is_written_small(screen: Identity) -> None:
    assert "–" in drawn(holding(screen, with_answer(view={"kind": "number", "value": None}, sentence="Nothing.")))


def test_a_table_has_at_most_twelve_rows_and_says_how_many_there_are(screen: Identity) -> None:
    rows = [{"id": i, "bed": f"C-{i:02}", "free": i} for i in range(20)]
    values = {"view": {"kind": "table"}, "rows": rows, "row_count": 345, "fields": [BEDS, FREE]}
    text = drawn(holding(screen, with_answer(**values)))
    assert "Bed" in text
    assert "C-11" in text
    assert "C-12" not in text
    assert "the first 12 of 345 rows" in text


def test_bars_are_as_long_as_their_values(screen: Identity) -> None:
    rows = [{"bed": "Cardiology", "free": 8}, {"bed": "Surgery", "free": 4}, {"bed": "None", "free": 0}]
    view = {"kind": "bars", "label": "bed", "value": "free"}
    lines = drawn(holding(screen, with_answer(view=view, rows=rows))).splitlines()
    lengths = {name: line.count("█") for line in lines for name in ("Cardiology", "Surgery", "None") if name in line}
    assert lengths == {"Cardiology": 24, "Surgery": 12, "None": 0}


def test_bars_without_a_number_become_a_table(screen: Identity) -> None:
    view = {"kind": "bars", "label": "bed", "value": "free"}
    assert "C-01" in drawn(holding(screen, with_answer(view=view, rows=[{"bed": "C-01", "free": None}])))


def test_choices_and_hints_are_shown(screen: Identity) -> None:
    error = {"code": "LLM207", "message": "Which ward?", "hint": "Choose one."}
    choices = [{"label": "Cardiology", "plan": {}}, {"label": "Surgery", "plan": {}}]
    signals = with_answer(choices=choices, error=error) | {"answer.a.status": "clarify"}
    text = drawn(holding(screen, signals))
    for line in ("Which ward?", "Choose one.", "1. Cardiology", "2. Surgery"):
        assert line in text


def test_earlier_answers_are_one_line_each(screen: Identity) -> None:
    signals: dict[str, Any] = {"answers.order": [f"q{i}" for i in range(12)]}
    for i in range(12):
        signals |= an_answer(
            f"q{i}", question=f"Question {i}?", status="answered", sentence=f"Answer {i}. " + "x" * 200
        )
    lines = drawn(holding(screen, signals)).splitlines()
    assert sum("Question 1?" in line and "Answer 1." in line for line in lines) == 1
    assert not any("Question 9?" in line for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_a_part_that_is_away_is_told(screen: Identity) -> None:
    parts = [{"name": "llm", "state": "down", "sentence": "The model is starting again."}]
    assert "The model is starting again." in drawn(holding(screen, {"box.parts": parts}))


def test_alerts_stand_over_the_answers_and_those_nobody_has_seen_come_first(screen: Identity) -> None:
    alerts = {
        "alert.1": {
            "message": "Old and \x1b[2Jseen",
            "fired_at": "2026-11-28T09:00",
            "acknowledged_at": "2026-11-28T09:01",
        },
        "alert.2": {"message": "First", "fired_at": "2026-11-28T08:00", "acknowledged_at": None},
        "alert.3": {"message": "Second", "fired_at": "2026-11-28T08:30", "acknowledged_at": None},
        "alert.4": {"fired_at": "2026-11-28T08:30"},
    }
    text = drawn(holding(screen, with_answer(sentence="12 beds are free.") | alerts))
    told = [line.strip() for line in text.splitlines() if "▲" in line]
    assert told == ["▲ Second", "▲ First", "▲ Old and  [2Jseen"]
    assert text.index("▲ First") < text.index("12 beds are free.")


def test_data_cannot_steer_the_terminal(screen: Identity) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07[red]bold[/red]\r\n\x9b31m"
    values = {"view": {"kind": "table"}, "rows": [{"bed": evil}], "fields": [{**BEDS, "label": evil}]}
    signals = with_answer(sentence=evil, reading=evil, **values) | {"box.facility": evil, "answer.a.question": evil}
    text = drawn(holding(screen, signals))
    assert not any(char in text for char in "\x1b\x07\r\x9b")
    assert "[red]bold[/red]" in text  # shown, not obeyed


@pytest.mark.parametrize("width", [20, 40, 200])
def test_any_width_will_do(screen: Identity, width: int) -> None:
    values = {"view": {"kind": "table"}, "rows": [{"bed": "x" * 90, "free": 1}], "fields": [BEDS, FREE]}
    lines = drawn(holding(screen, with_answer(sentence="long " * 40, **values)), width).splitlines()
    assert max(len(line) for line in lines) <= width


def test_clean_keeps_letters_of_every_script() -> None:
    assert clean("Ärztin 東京 ☃") == "Ärztin 東京 ☃"
    assert clean("a\tb\u202ec") == "a b c"


async def test_once_prints_the_state_and_ends(box: SmallBox, screen: Identity) -> None:
    box.write({"box.facility": "St. Anne", **with_answer(sentence="7 beds are free.")})
    out = io.StringIO()
    assert await run_text(agent_for(screen, box.ticket), once=True, out=out) == 0
    assert "St. Anne" in out.getvalue()
    assert "● live" in out.getvalue()
    assert "7 beds are free." in out.getvalue()


async def test_once_without_a_box_prints_what_was_held(screen: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 0.2)
    out = io.StringIO()
    agent = holding(screen, with_answer(sentence="7 beds are free."), age_s=3600)
    assert await run_text(agent, once=True, timeout_s=0.5, out=out) == 1
    assert "content from 1 h ago" in out.getvalue()
    assert "7 beds are free." in out.getvalue()


async def test_once_without_a_box_or_anything_held_is_told(screen: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 0.2)
    with pytest.raises(ApplianceError) as told:
        await run_text(agent_for(screen, None), once=True, timeout_s=1.0, out=io.StringIO())
    assert told.value.code == "SCR500"


async def test_a_screen_that_is_sent_away_ends_with_the_reason(box_identity: Identity, screen: Identity) -> None:
    box = SmallBox(box_identity, key=KEY)
    await box.start()
    try:
        with pytest.raises(ApplianceError) as told:
            await run_text(agent_for(screen, box.ticket), out=io.StringIO())
    finally:
        await box.stop()
    assert told.value.code == "BRG401"


async def test_without_a_terminal_each_new_or_changed_answer_is_a_line(box: SmallBox, screen: Identity) -> None:
    out = io.StringIO()
    box.write(with_answer(sentence="7 beds are free."))
    showing = asyncio.create_task(run_text(agent_for(screen, box.ticket), out=out))
    await lines(out, "7 beds are free.")
    box.write({"other.signal": 1})
    box.write(with_answer(sentence="8 beds are free."))
    await lines(out, "8 beds are free.")
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing
    told = [line.split(" ", 1)[1] for line in out.getvalue().splitlines()]
    assert told[-3:] == [
        "live",
        "How many beds are free? → 7 beds are free.",
        "How many beds are free? → 8 beds are free.",
    ]


async def test_in_a_terminal_it_redraws_in_place(
    box: SmallBox, screen: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    box.write(with_answer(sentence="7 beds are free."))
    showing = asyncio.create_task(run_text(agent_for(screen, box.ticket), out=out))
    await lines(out, "7 beds are free.")
    box.write(with_answer(sentence="8 beds are free."))
    await lines(out, "8 beds are free.")
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing
    assert out.getvalue().startswith("\x1b[?1049h")
    assert "\x1b[?1049l" in out.getvalue()  # the terminal is given back as it was


async def lines(out: io.StringIO, wanted: str) -> None:
    """Wait until a screen has written this."""
    for _ in range(500):
        if wanted in out.getvalue():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"never written: {wanted}")
