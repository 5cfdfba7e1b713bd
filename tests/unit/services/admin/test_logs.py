"""Log lines of every part are read as what they are, page by page."""

from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.observation import KEPT_IN, logger
from appliance.services.admin.logs import Line, from_files, parse, pick

LINES = [
    ("2026-11-29T01:03:00.123Z bridge warning: source left  a=1", "bridge", "warning", "source left  a=1"),
    ("2026-11-29T01:03:00.000Z box started  process=llm", "box", "info", "started  process=llm"),
    ("2026-11-29 01:03:00.123 UTC ERROR:  out of room", "postgres", "error", "out of room"),
    ("29/Nov/2026:01:03:00 +0000: Listening on port 4", "postgrest", "info", "Listening on port 4"),
    ("FATAL:  no", "postgres", "error", "FATAL:  no"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "part", "level", "told"), LINES)
def test_a_line_is_read(text: str, part: str, level: str, told: str) -> None:
    line = parse(text, part, before=7)
    assert (line.part, line.level, line.text) == (part, level, told)
    assert line.at in (7, 1795914180123, 1795914180000)


BREAKS = "\r\v\f\x1c\x85\u2028\n"


@pytest.mark.parametrize("mark", BREAKS)
def test_nobody_writes_a_line_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    monkeypatch.setenv(KEPT_IN, str(tmp_path))
    forged = f"eve{mark}2026-11-29T01:03:00.123Z gateway    error: all is lost"
    logger("gateway").info("asked", screen=forged)
    logger("gateway").warn(ApplianceError("BRG410", "It cannot be.", forged, "Try again.").line())
    (tmp_path / "llm.log").write_text(f"2026-11-29T01:03:00.123Z llm asked {forged}\n" if mark != "\n" else "")
    lines = from_files(tmp_path)
    assert [(line.part, line.level) for line in lines if line.part == "gateway"] == [
        ("gateway", "info"),
        ("gateway", "warning"),
    ]
    assert all("all is lost" in line.text for line in lines)


def test_pages_go_on_where_the_last_ended_and_leave_nothing_out() -> None:
    lines = [Line(at // 3, "llm", "info", str(at)) for at in range(100)]
    seen: list[str] = []
    before = None
    while True:
        page, before = pick(lines, "", "", "", before, 7)
        seen += [line.text for line in page]
        if before is None:
            break
    assert seen == [str(at) for at in reversed(range(100))]


def test_what_is_asked_for_is_picked() -> None:
    lines = [Line(1, "llm", "info", "one"), Line(2, "bridge", "warning", "Two"), Line(3, "bridge", "error", "three")]
    assert [line.text for line in pick(lines, "bridge", "", "", None, 9)[0]] == ["three", "Two"]
    assert [line.text for line in pick(lines, "", "warning", "", None, 9)[0]] == ["three", "Two"]
    assert [line.text for line in pick(lines, "", "", "TWO", None, 9)[0]] == ["Two"]
