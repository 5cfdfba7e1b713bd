"""What happens to a real box when its parts are killed, when it is stopped, and when it cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.box import (
    PROCESSES,
    START_S,
    Box,
    appliance,
    box_folder,
    command,
    environment,
    free_port,
    processes_of,
    running_box,
)
from tests.receiver import Signals, joined

pytestmark = pytest.mark.alone

BACK_S = 10.0
QUESTION = "How many beds are free in cardiology?"
BED = {"bed": "C-98", "ward": "Cardiology", "room": 299, "floor": 2, "kind": "standard", "status": "free"}
MISSED = {
    "postgres": ("database", "data service"),
    "postgrest": ("REST",),
    "pgflex": ("data service",),
    "llm": ("model",),
    "bridge": ("bridge",),
}
"""What a part is called to people. Without the database the data service is the first to tell: it hears no changes."""


@pytest.fixture(scope="module")
def hurt() -> Iterator[Box]:
    """The box that is hurt here; well at the start of every test."""
    with running_box("--no-mdns") as box:
        yield box


@pytest.fixture
async def door(hurt: Box) -> AsyncIterator[httpx.AsyncClient]:
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    async with httpx.AsyncClient(base_url=hurt.url, timeout=40, trust_env=False) as client:
        yield client


async def ask(door: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await door.post("/api/ask", json={"question": QUESTION})).json()
    assert answer.get("status") == "answered", answer
    return answer


async def moves(box: Box, door: httpx.AsyncClient, answer: dict[str, Any]) -> None:
    """Check that a row that comes and goes moves the answer on a screen."""
    name = f"answer.{answer['id']}.rows"
    async with joined(box.url) as screen:
        await screen.until(lambda signals: name in signals, BACK_S)
        count = (await door.get("/rest/beds?select=id&ward=eq.Cardiology&status=eq.free")).json()
        added = await door.post("/rest/beds", json=BED, headers={"Prefer": "return=representation"})
        assert added.status_code == 201, added.text
        await screen.until(lambda signals: signals[name] == [{"count": len(count) + 1}], 5)
        await door.delete(f"/rest/beds?id=eq.{added.json()[0]['id']}")
        await screen.until(lambda signals: signals[name] == [{"count": len(count)}], 5)


async def missed_until(box: Box, missed: tuple[str, ...], timeout_s: float) -> bool:
    """Whether ``/health`` names a part before all is well again, looked at until `timeout_s` have passed."""
    until = time.monotonic() + timeout_s
    named = False
    while time.monotonic() < until:
        status, parts = await asyncio.to_thread(box.health)
        named = named or (status == 503 and any(parts.get(part) == "down" for part in missed))
        if named and status == 200:
            return True
        await asyncio.sleep(0.02)
    return False


def down(signals: Signals, missed: tuple[str, ...]) -> list[str]:
    """The sentences about these parts that are down."""
    parts = signals.get("box.parts", ())
    return [part["sentence"] for part in parts if part["name"] in missed and part["state"] == "down"]


@pytest.mark.parametrize("name", MISSED)
async def test_part_that_is_killed_is_named_and_comes_back(hurt: Box, door: httpx.AsyncClient, name: str) -> None:
    answer = await ask(door)
    before = hurt.pids()
    dead = hurt.kill(name)
    assert await missed_until(hurt, MISSED[name], BACK_S)
    await asyncio.sleep(0.6)  # run/box.json is written twice a second
    after = hurt.pids()
    assert after.pop(name) != dead
    assert after == {other: pid for other, pid in before.items() if other != name}, "the others carried on"
    await moves(hurt, door, answer)


@pytest.mark.parametrize("name", ["postgres", "postgrest", "pgflex", "llm"])
async def test_screens_are_told_what_is_missing(hurt: Box, door: httpx.AsyncClient, name: str) -> None:
    async with joined(hurt.url) as screen:
        await screen.until(lambda signals: "box.parts" in signals and not down(signals, MISSED[name]))
        hurt.kill(name)
        await screen.until(lambda signals: down(signals, MISSED[name]), 5)
        assert all(sentence.endswith(".") for sentence in down(screen.signals, MISSED[name]))
        answers = [value for name, value in screen.signals.items() if name.endswith(".rows")]
        assert answers, "what was on the screen stays"
        await screen.until(lambda signals: not down(signals, MISSED[name]), BACK_S)


async def test_gateway_that_is_killed_comes_back_with_its_answers(hurt: Box, door: httpx.AsyncClient) -> None:
    answer = await ask(door)
    before = hurt.pids()
    hurt.kill("gateway")
    assert (await asyncio.to_thread(hurt.health))[0] == 0
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    await asyncio.sleep(0.6)
    assert {name: pid for name, pid in hurt.pids().items() if before[name] != pid}.keys() == {"gateway"}
    async with joined(hurt.url) as screen:
        await screen.until(lambda signals: f"answer.{answer['id']}.rows" in signals, BACK_S)
    await moves(hurt, door, answer)


async def test_question_asked_while_the_model_is_dead_is_answered(hurt: Box, door: httpx.AsyncClient) -> None:
    hurt.kill("llm")
    answer = await ask(door)
    assert answer["took_ms"] < BACK_S * 1000


async def test_question_asked_while_rows_cannot_be_read_is_answered(hurt: Box, door: httpx.AsyncClient) -> None:
    hurt.kill("postgrest")
    refused = await door.get("/rest/beds")
    assert (refused.status_code, refused.json()["code"]) == (503, "PGF102")
    assert refused.json()["hint"]
    answer = await ask(door)
    assert answer["took_ms"] < BACK_S * 1000


async def test_question_asked_while_the_bridge_is_dead_is_answered(hurt: Box, door: httpx.AsyncClient) -> None:
    hurt.kill("bridge")
    answer = await ask(door)
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    async with joined(hurt.url) as screen:
        await screen.until(lambda signals: f"answer.{answer['id']}.rows" in signals, BACK_S)


async def test_change_made_while_the_data_service_is_dead_is_seen(hurt: Box, door: httpx.AsyncClient) -> None:
    answer = await ask(door)
    name, count = f"answer.{answer['id']}.rows", answer["rows"][0]["count"]
    hurt.kill("pgflex")
    added = await door.post("/rest/beds", json=BED, headers={"Prefer": "return=representation"})
    assert added.status_code == 201, added.text
    async with joined(hurt.url) as screen:
        await screen.until(lambda signals: signals.get(name) == [{"count": count + 1}], BACK_S)
        await door.delete(f"/rest/beds?id=eq.{added.json()[0]['id']}")
        await screen.until(lambda signals: signals.get(name) == [{"count": count}], BACK_S)


async def test_all_parts_killed_at_once_come_back(hurt: Box, door: httpx.AsyncClient) -> None:
    answer = await ask(door)
    for name in PROCESSES:
        hurt.kill(name)
    await asyncio.sleep(0.1)
    await asyncio.to_thread(hurt.wait_well, 2 * BACK_S)
    await moves(hurt, door, answer)


def test_deaths_are_one_line_each(hurt: Box) -> None:
    deaths = [line for line in hurt.log().splitlines() if "a process died" in line]
    assert {line.partition("process=")[2].split()[0] for line in deaths} == set(PROCESSES)
    assert all("status=SIGKILL" in line for line in deaths)
    assert "Traceback" not in hurt.log()


# Stopping and starting ------------------------------------------------------------------------------------


def gone(data: Path, timeout_s: float) -> dict[int, str]:
    """The processes of a box that are left after at most `timeout_s`."""
    until = time.monotonic() + timeout_s
    while (left := processes_of(data)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


@pytest.fixture
def folder() -> Iterator[Path]:
    with box_folder() as folder:
        yield folder


async def test_stop_leaves_nothing_running_and_nothing_is_lost(folder: Path) -> None:
    box = Box(folder, "--no-mdns")
    try:
        await asyncio.to_thread(box.start)
        async with httpx.AsyncClient(base_url=box.url, timeout=40, trust_env=False) as door:
            answer = await ask(door)
            count = answer["rows"][0]["count"]
            assert (await door.post("/rest/beds", json=BED)).status_code == 201
            assert (await door.post("/flex/beds", json=BED | {"bed": "C-97", "Window side": True})).status_code == 201
        assert await asyncio.to_thread(box.stop) == 0
        assert gone(box.data, 1) == {}
        assert not (box.data / "run" / "box.json").exists()
        assert [line for line in box.log().splitlines() if "ERROR" in line or "Traceback" in line] == [], box.log()
        assert str(box.data) in box.log().rpartition("Stopping")[2]
        assert await asyncio.to_thread(box.start) < BACK_S, "a second start is quick"
        async with joined(box.url) as screen:
            await screen.until(lambda signals: signals.get(f"answer.{answer['id']}.rows") == [{"count": count + 2}])
            assert screen.answer(answer["id"])["question"] == QUESTION
        async with httpx.AsyncClient(base_url=box.url, timeout=40, trust_env=False) as door:
            rows = (await door.get("/rest/beds?bed=eq.C-97")).json()
            assert [row["window_side"] for row in rows] == [True]
            await moves(box, door, answer)
    finally:
        await asyncio.to_thread(box.stop, signal.SIGTERM)
    assert gone(box.data, 1) == {}


@pytest.mark.parametrize("name", ["postgres", "postgrest", "pgflex"])
def test_stop_while_it_starts(folder: Path, name: str) -> None:
    box = Box(folder, "--no-mdns")
    box.launch()
    until = time.monotonic() + START_S
    while f"started  process={name}" not in box.log():
        assert time.monotonic() < until, box.failed("did not start")
        time.sleep(0.01)
    assert box.stop() == 0, box.log()
    assert gone(box.data, 1) == {}
    assert "Traceback" not in box.log()
    assert "did not stop" not in box.log()
    try:
        box.start()
    finally:
        assert box.stop() == 0


def test_supervisor_that_is_killed_takes_its_children_along(folder: Path) -> None:
    box = Box(folder, "--no-mdns")
    try:
        box.start()
        box.process.kill()
        box.process.wait(5)
        assert gone(box.data, BACK_S) == {}
        box.start()
    finally:
        box.stop()


def test_supervisor_that_is_killed_with_all_its_children_starts_again(folder: Path) -> None:
    box = Box(folder, "--no-mdns")
    try:
        box.start()
        rows = httpx.get(f"{box.url}/rest/beds?order=id", trust_env=False).json()
        for pid in (box.process.pid, *box.pids().values()):
            os.kill(pid, signal.SIGKILL)
        box.process.wait(5)
        assert box.start() < 2 * BACK_S
        assert httpx.get(f"{box.url}/rest/beds?order=id", trust_env=False).json() == rows
    finally:
        box.stop()


# What cannot start ----------------------------------------------------------------------------------------


def refused(done: subprocess.CompletedProcess[str], code: str) -> None:
    """Check that a start ended with this error on one line, and the fix on a second one."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 1, done.stderr
    assert [line for line in lines if line.startswith(f"{code}: ")] == lines[-2:-1], done.stderr
    assert lines[-1].startswith("  fix: ")


def test_port_in_use_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = appliance("up", "--demo", "hospital", "--data", str(folder / "data"), "--port", str(port))
    refused(done, "BRG407")
    assert str(port) in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert not (folder / "data").exists(), "nothing was begun"


@pytest.mark.parametrize(("port", "code"), [("0", "BRG407"), ("65536", "BRG407"), ("-1", "BRG412")])
def test_port_that_is_none_is_told(folder: Path, port: str, code: str) -> None:
    refused(appliance("up", "--data", str(folder / "data"), f"--port={port}"), code)


def test_data_folder_of_another_box_is_told(hurt: Box) -> None:
    hurt.wait_well(BACK_S)
    before = hurt.pids()
    refused(appliance("up", "--data", str(hurt.data), "--port", str(free_port())), "PGF108")
    assert hurt.health()[0] == 200
    assert hurt.pids() == before


def test_data_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    (folder / "file").write_text("")
    refused(appliance("up", "--data", str(folder / "file" / "data"), "--port", str(free_port())), "PGF108")
    refused(appliance("up", "--data", "/proc/box", "--port", str(free_port())), "PGF108")


def small_disk(folder: Path, megabytes: int) -> list[str]:
    """The words that start a program which sees a disk of this size at `folder`; nobody else sees it."""
    private = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    # Where / is no mount of its own (a chroot) there is nothing to make private, and nobody to see it.
    script = """mount --make-rprivate / 2>/dev/null
        mount -t tmpfs -o size="$1"m,mode=0755 small "$2" && shift 2 && exec "$@" """
    return [*private, "--propagation", "unchanged", "sh", "-c", script, "sh", str(megabytes), str(folder)]


def test_no_room_for_the_data_folder_is_told(folder: Path) -> None:
    words = command("up", "--demo", "hospital", "--data", str(folder / "data"), "--port", str(free_port()))
    words = [*small_disk(folder, 60), *words]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=START_S, check=False)
    refused(done, "PGF107")
    assert "MB needed" in done.stderr


async def test_disk_that_fills_up_is_told_and_nothing_is_lost(folder: Path) -> None:
    box = Box(folder, "--no-mdns")
    box.data.mkdir()
    box.launch(*small_disk(box.data, 300))
    try:
        await asyncio.to_thread(box.wait_well, START_S)
        disk = Path(f"/proc/{box.process.pid}/root{box.data}")
        async with httpx.AsyncClient(base_url=box.url, timeout=40, trust_env=False) as door:
            assert (await door.post("/flex/notes", json={"n": -1, "text": ""})).status_code == 201
            await asyncio.to_thread(fill, disk / "filling")
            status, parts = await asyncio.to_thread(box.health)
            assert (status, parts["disk"]) == (503, "down")
            kept = await write_until_refused(door)
            assert (await ask(door))["rows"], "what is there can be asked for"
            await asyncio.to_thread((disk / "filling").unlink)
            await asyncio.to_thread(box.wait_well, BACK_S)
            assert (await door.get("/rest/notes?select=count")).json() == [{"count": 1 + kept}]
            assert (await door.post("/flex/notes", json={"n": -2})).status_code == 201
    finally:
        await asyncio.to_thread(box.stop)


def fill(file: Path) -> None:
    """Write to `file` until the disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as out:
        while out.write(b"\0" * 65_536):
            pass


async def write_until_refused(door: httpx.AsyncClient) -> int:
    """Write notes until the box says, in the one shape, that it cannot; returns how many it took."""
    notes = [{"n": number, "text": "x" * 500} for number in range(1000)]
    for batch in range(40):
        answer = await door.post("/flex/notes", json=notes)
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (507, "PGF107"), answer.text
            assert set(answer.json()) == {"code", "message", "details", "hint"}
            return batch * len(notes)
    raise AssertionError("a full disk took 20 MB")
