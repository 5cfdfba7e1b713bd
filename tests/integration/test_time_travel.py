"""Time travel with a real box: recorded, replayed, forked, archived, and still there after the bridge was killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.bridge import FrameType, control
from tests.box import Box, running_box
from tests.receiver import Receiver, joined

ROOT = Path(__file__).resolve().parents[2]
ROOM = {"label": "Intensive care"}


@pytest.fixture(scope="module")
def moving() -> Iterator[Box]:
    """A box of its own: its data moves, and its bridge is killed."""
    with running_box("--demo-tick-s", "0.5") as box:
        yield box


def run(box: Box, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance", *words]
    given = {**os.environ, "PYTHONPATH": str(ROOT), "DREAMSTACK_URL": box.url, **environ}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=given)


def get(box: Box, path: str, role: str = "staff", **query: Any) -> dict[str, Any]:
    answer = httpx.get(box.url + path, params=query, headers={"X-Role": role}, trust_env=False)
    told: dict[str, Any] = answer.json()
    return told


def free_beds(signals: dict[str, Any]) -> Any:
    found = [name for name, value in signals.items() if value == "How many beds are free?"]
    return signals.get(found[0].replace("question", "sentence")) if found else None


def until(met: Any, timeout_s: float = 20) -> Any:
    end = time.monotonic() + timeout_s
    while not (found := met()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found


def now() -> int:
    return time.time_ns() // 1_000_000


async def test_the_past_is_what_screens_were_sent(moving: Box) -> None:
    seen: list[tuple[int, Any]] = []
    async with joined(moving.url) as screen:
        end = time.monotonic() + 8
        while time.monotonic() < end:
            await asyncio.sleep(0.5)
            seen.append((now(), dict(screen.signals)))
        await asyncio.sleep(1)
        same = 0
        for at, signals in seen:
            told = await asyncio.to_thread(get, moving, "/api/recordings/main/at", t=at)
            assert told["known"]
            same += told["signals"] == signals  # not where one of the two was a change ahead just then
        assert same > len(seen) * 0.7
        assert len({free_beds(signals) for _, signals in seen} | {str(s) for _, s in seen}) > 3


async def shown(screen: Receiver, **said: Any) -> dict[str, Any]:
    """Say ``replay`` and wait for what the box tells of it."""
    told = asyncio.get_running_loop().create_future()
    take = screen._take

    async def hear(frame: Any) -> None:
        if frame.type == FrameType.CONTROL and frame.json()["type"] in ("replaying", "error") and not told.done():
            told.set_result(frame.json())
        await take(frame)

    screen._take = hear  # type: ignore[method-assign]
    await screen.send(control("replay", **said))
    found: dict[str, Any] = await asyncio.wait_for(told, 10)
    return found


async def test_a_screen_is_shown_the_past_and_comes_back(moving: Box) -> None:
    async with joined(moving.url) as screen:
        t = now() - 5_000
        past = await asyncio.to_thread(get, moving, "/api/recordings/main/at", t=t)
        told = await shown(screen, t=t, speed=0)
        assert (told["state"], told["t"]) == ("paused", t)
        assert screen.signals == past["signals"]
        before = dict(screen.signals)
        await shown(screen, step=3)
        await screen.until(lambda signals: signals != before)
        assert (await shown(screen, speed=100))["state"] == "playing"
        assert (await shown(screen, live=True))["state"] == "live"
        live = dict(screen.signals)
        await screen.until(lambda signals: signals != live)
        assert screen.errors == []


async def test_a_wall_is_shown_what_walls_saw(moving: Box) -> None:
    t = now() - 3_000
    wall = await asyncio.to_thread(get, moving, "/api/recordings/main/at", "wall", t=t)
    assert wall["role"] == "wall"
    async with joined(moving.url, "wall") as screen:
        assert (await shown(screen, t=t, speed=0))["role"] == "wall"
        assert screen.signals == wall["signals"]
    answer = await asyncio.to_thread(
        httpx.post,
        f"{moving.url}/api/recordings/main/fork",
        json={"t": t, "name": "x"},
        headers={"X-Role": "wall"},
        trust_env=False,
    )
    assert answer.json()["code"] == "BRG402"


async def test_a_fork_can_be_subscribed_to_and_stands_still(moving: Box) -> None:
    t = now() - 4_000
    forked = await asyncio.to_thread(run, moving, "replay", "--at", str(t), "--fork", "what-if")
    assert forked.returncode == 0, forked.stderr
    past = await asyncio.to_thread(get, moving, "/api/recordings/main/at", t=t)
    async with joined(moving.url) as screen:
        screen.subscribed.clear()
        await screen.send(control("subscribe", stream="what-if"))
        await asyncio.wait_for(screen.subscribed.wait(), 5)
        copy = past["signals"] | {"fork.of": {"stream": "main", "t": t}}
        assert screen.signals == copy
        await asyncio.sleep(3)
        assert screen.signals == copy
    ended = await asyncio.to_thread(httpx.delete, f"{moving.url}/api/recordings/forks/what-if", trust_env=False)
    assert ended.status_code == 200


def test_rooms_are_recorded_where_a_setting_says_so_and_seen_by_the_admin() -> None:
    with running_box("--record", "main,room/*", "--lan", "--no-mdns", "--tls", "off") as box:
        assert httpx.put(f"{box.url}/api/rooms/icu", headers=box.bearer("admin"), json=ROOM, trust_env=False).is_success

        def asked(path: str, role: str) -> httpx.Response:
            return httpx.get(f"{box.url}/api/recordings{path}", headers=box.bearer(role), trust_env=False)

        def recorded(role: str) -> set[str]:
            return {each["stream"] for each in asked("", role).json()["recordings"]}

        until(lambda: "room/icu" in recorded("admin"))
        assert recorded("staff") == recorded("wall") == {"main"}
        for path in ("/room%2Ficu/timeline", "/room%2Ficu/at", "/room/icu/frames?from=1h"):
            assert asked(path, "admin").status_code == 200, path
            assert asked(path, "staff").json()["code"] == "BRG460", path


def test_replay_in_a_pipe(moving: Box) -> None:
    told = run(moving, "replay", "--from", "5s", "--speed", "max")
    assert told.returncode == 0, told.stderr
    assert any("How many beds are free?" in line for line in told.stdout.splitlines())
    listed = run(moving, "replay")
    assert {"main", "staff", "wall"} <= set(listed.stdout.split())


def test_a_killed_bridge_loses_less_than_a_second_and_its_recording_has_a_hash(moving: Box, tmp_path: Path) -> None:
    before = now()
    moving.kill("bridge")
    killed = now()
    moving.wait_well(20)
    told = get(moving, "/api/recordings/main/at", t=before - 1_000)
    assert told["known"], f"{before - 1_000} of {killed}"
    item = until(lambda: next((a for a in get(moving, "/api/archives")["archives"] if a["role"] == "staff"), None))
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    got = run(moving, "archive", "get", item["hash"], "--from", moving.ticket(), "--out", str(tmp_path), **state)
    assert got.returncode == 0, got.stderr
    played = run(moving, "replay", "--file", str(tmp_path / f"{item['hash']}.seg"), "--speed", "max")
    assert "How many beds are free?" in played.stdout
    assert moving.health()[1]["recording"] == "ok"
