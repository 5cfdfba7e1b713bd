"""A screen keeps collections on its disk: followed live, shown with their age without the box, also after a restart."""

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.screen.shelf import Shelf
from tests.box import ROOT, appliance, command, environment
from tests.box import running_box as running_whole_box
from tests.integration.shape_box import KEYS, ShapeBox, running_shapes

SOON_S = 15.0


@pytest.fixture(scope="module")
def shapes() -> Iterator[ShapeBox]:
    with running_shapes(lan=True) as shapes:
        shapes.client.headers["Authorization"] = f"Bearer {KEYS['staff']}"
        yield shapes


@asynccontextmanager
async def running(shelf: Shelf) -> AsyncIterator[Shelf]:
    task = asyncio.create_task(shelf.run())
    try:
        yield shelf
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + SOON_S
    while not so():
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)


def files(folder: Path) -> list[tuple[str, int]]:
    return [(path.name, path.stat().st_mode & 0o777) for path in folder.iterdir()]


def beds(shelf: Shelf) -> list[str]:
    kept = shelf.items[0].kept
    return sorted(str(row["bed"]) for row in kept.rows.values()) if kept else []


async def test_rows_are_followed_and_outlive_the_box_and_the_screen(shapes: ShapeBox, tmp_path: Path) -> None:
    write = shapes.write
    rows = await asyncio.to_thread(write, "POST", "/flex/berths", [{"bed": "C-01"}, {"bed": "C-02"}])
    shelf = Shelf(tmp_path, ["berths"], door=shapes.url, credential=KEYS["staff"])
    async with running(shelf):
        await until(lambda: beds(shelf) == ["C-01", "C-02"])
        await asyncio.to_thread(write, "POST", "/flex/berths", {"bed": "C-03"})
        await asyncio.to_thread(write, "PATCH", f"/flex/berths/{rows[0]['id']}", {"bed": "C-09"})
        await asyncio.to_thread(write, "DELETE", f"/flex/berths/{rows[1]['id']}")
        await until(lambda: beds(shelf) == ["C-03", "C-09"])
        assert shelf.live and shelf.items[0].age_s() == 0.0
        await asyncio.to_thread(shapes.kill_service)
        try:
            await until(lambda: not shelf.live)
            assert beds(shelf) == ["C-03", "C-09"]
            assert shelf.items[0].problem is not None
            assert (shelf.items[0].age_s() or 0) > 0
        finally:
            await asyncio.to_thread(shapes.restart_service)
        await asyncio.to_thread(write, "POST", "/flex/berths", {"bed": "C-10", "nurse": "Ada"})
        await until(lambda: shelf.live and beds(shelf) == ["C-03", "C-09", "C-10"])
        kept = shelf.items[0].kept
        assert kept is not None and "nurse" in kept.columns
    again = Shelf(tmp_path, ["berths"], door=shapes.url, credential=KEYS["staff"])
    await asyncio.to_thread(again.load)
    assert beds(again) == ["C-03", "C-09", "C-10"]
    assert not again.live and (again.items[0].age_s() or 0) > 0
    async with running(again):
        await asyncio.to_thread(write, "DELETE", f"/flex/berths/{rows[0]['id']}")
        await until(lambda: again.live and beds(again) == ["C-03", "C-10"])
    assert await asyncio.to_thread(files, tmp_path) == [("berths.json", 0o600)]


async def test_what_another_door_told_is_not_shown(shapes: ShapeBox, tmp_path: Path) -> None:
    await asyncio.to_thread(shapes.write, "POST", "/flex/doors", {"bed": "C-01"})
    async with running(Shelf(tmp_path, ["doors"], door=shapes.url, credential=KEYS["staff"])) as shelf:
        await until(lambda: shelf.live)
    other = Shelf(tmp_path, ["doors"], door="http://127.0.0.1:9")
    await asyncio.to_thread(other.load)
    assert other.holds is False


@pytest.mark.parametrize(("name", "key", "code"), [("nothing_here", "staff", "PGF104"), ("berths", "none", "BRG401")])
async def test_why_nothing_comes_is_told(shapes: ShapeBox, tmp_path: Path, name: str, key: str, code: str) -> None:
    async with running(Shelf(tmp_path, [name], door=shapes.url, credential=KEYS.get(key, "wrong"))) as shelf:
        await shelf.settled()
        problem = shelf.items[0].problem
        assert problem is not None and problem.code == code


@pytest.mark.parametrize(
    ("names", "door", "code"), [(["../x"], "http://127.0.0.1:9", "PGF105"), (["beds"], "nowhere", "SCR504")]
)
def test_a_shelf_that_cannot_be(tmp_path: Path, names: list[str], door: str, code: str) -> None:
    with pytest.raises(ApplianceError) as told:
        Shelf(tmp_path, names, door=door)
    assert told.value.code == code


@contextmanager
def screen_that_stays(words: list[str], said: Path) -> Iterator[Path]:
    """The screen of these words, without --once, writing into a file."""
    with said.open("wb") as out:
        told = [word for word in words if word != "--once"]
        process = subprocess.Popen(
            command(*told), cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            yield said
        finally:
            process.terminate()
            process.wait(10)


def wait_line(said: Path, pattern: str) -> None:
    ends = time.monotonic() + SOON_S
    while not re.search(pattern, said.read_text(), re.MULTILINE):
        assert time.monotonic() < ends, said.read_text()
        time.sleep(0.05)


def test_the_command_shows_what_it_kept_when_the_box_is_gone(tmp_path: Path) -> None:
    words = ["screen", "--once", "--keep", "beds, inventory", "--timeout", "6", "--data", str(tmp_path)]
    with running_whole_box() as box:
        words += ["--box", box.ticket(), "--door", box.url]
        done = appliance(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        counts = [int(count) for count in re.findall(r"(?:beds|inventory), (\d+) rows, live", done.stdout)]
        assert len(counts) == 2 and min(counts) > 1
        with screen_that_stays(words, tmp_path / "said") as said:
            wait_line(said, rf"beds, {counts[0]} rows, live")
            box.stop()
            wait_line(said, rf"beds, {counts[0]} rows, as of \d\d:\d\d$")
    done = appliance(*words[:5], "1", *words[6:])
    assert done.returncode == 1
    told = re.findall(r"(beds|inventory), (\d+) rows, as of \d\d:\d\d, \d+ (?:s|min) old", done.stdout)
    assert [(name, int(count)) for name, count in told] == [("beds", counts[0]), ("inventory", counts[1])]
    assert "The box does not answer." in done.stdout
    assert "C-01" in done.stdout
