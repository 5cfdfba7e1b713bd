"""What a screen keeps: drawn with its age, written whole, and not believed when it cannot be read."""

import asyncio
import io
import time
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from appliance.bridge.identity import Identity
from appliance.errors import ApplianceError
from appliance.screen.agent import Agent
from appliance.screen.finder import Finder
from appliance.screen.shelf import Kept, Shelf
from appliance.screen.text import draw

DOOR = "http://127.0.0.1:9"


def kept(count: int, age_s: float = 0.0) -> Kept:
    rows: dict[str, dict[str, str | None]] = {
        str(key): {"id": str(key), "bed": f"C-{key}\x1b[31m", "free": "true"} for key in range(count)
    }
    return Kept(DOOR, "h", "1_0", {"id": "int8", "bed": "text", "free": "bool"}, rows, time.time() - age_s)


def shown(screen: Identity, shelf: Shelf) -> str:
    agent = Agent(Finder(screen, None, faithful=False, frame_limit=1000))
    console = Console(file=io.StringIO(), width=90)
    console.print(draw(agent, shelf))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize(
    ("count", "age_s", "live", "line"),
    [
        (42, 0, True, "beds, 42 rows, live"),
        (1, 200, False, "beds, 1 row, as of {at}, 3 min old"),
        (1200, 8000, False, "beds, 1,200 rows, as of {at}, 2 h old"),
        (2, 3 * 86_400, False, "beds, 2 rows, as of {at}, 3 days old"),
    ],
)
def test_rows_are_drawn_with_their_age(
    screen: Identity, tmp_path: Path, count: int, age_s: float, live: bool, line: str
) -> None:
    shelf = Shelf(tmp_path, ["beds"], door=DOOR)
    (item,) = shelf.items
    item.kept, item.live = kept(count, age_s), live
    told = shown(screen, shelf)
    at = time.localtime(item.kept.at)
    today = at[:3] == time.localtime()[:3]
    assert line.format(at=time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", at)) in told
    assert "C-0" in told and "yes" in told and "\x1b" not in told
    assert ("the first 12 of" in told) == (count > 12)


def test_what_never_came_is_told(screen: Identity, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ["beds"], door=DOOR)
    shelf.items[0].problem = ApplianceError("SCR501", "The box does not answer.")
    told = shown(screen, shelf)
    assert "beds, nothing yet" in told and "The box does not answer." in told
    assert not shelf.holds


@pytest.mark.parametrize("body", [b"", b"{", b"[]", msgspec.json.encode(kept(1))[:-20]])
def test_a_file_that_cannot_be_read_is_as_none(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "beds.json").write_bytes(body)
    shelf = Shelf(tmp_path, ["beds"], door=DOOR)
    shelf.load()
    assert not shelf.holds


async def test_it_is_written_when_there_is_news_or_after_a_while(tmp_path: Path) -> None:
    (item,) = Shelf(tmp_path, ["beds"], door=DOOR).items
    item.kept = kept(3)
    await item.save(60)
    again = Shelf(tmp_path, ["beds"], door=DOOR)
    await asyncio.to_thread(again.load)
    assert again.items[0].kept == item.kept
    first = item.kept.at
    item.kept.at = first + 30
    await item.save(60)
    await asyncio.to_thread(again.load)
    assert again.items[0].kept is not None and again.items[0].kept.at == first
    item.kept.at = first + 61
    await item.save(60)
    await asyncio.to_thread(again.load)
    assert again.items[0].kept == item.kept


def test_a_name_twice_is_kept_once(tmp_path: Path) -> None:
    assert [item.name for item in Shelf(tmp_path, ["beds", "wards", "beds"], door=DOOR).items] == ["beds", "wards"]
