"""The recorder: like any receiver it holds no queue, and what it has taken survives the worst end of its process."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from appliance.bridge import recorder as recorder_module
from appliance.bridge.recorder import Recorder, now_ms
from appliance.bridge.recordings import Recordings
from appliance.bridge.segment_writer import Step
from appliance.bridge.segments import Index, load_index
from appliance.bridge.stream import Stream
from appliance.types import Signal

ROOT = Path(__file__).resolve().parents[3]


@asynccontextmanager
async def recording(stream: Stream, folder: Path, **more: Any) -> AsyncIterator[Recorder]:
    recorder = Recorder(
        stream, "staff", folder / "main" / "staff", {"stream": "main", "role": "staff"}, reserve=0, **more
    )
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def say(stream: Stream, **values: Any) -> None:
    stream.write("test", [Signal(name, value, "staff") for name, value in values.items()])


async def until(met: Callable[[], Any], timeout_s: float = 5.0) -> None:
    until = time.monotonic() + timeout_s
    while not met():
        assert time.monotonic() < until
        await asyncio.sleep(0.02)


async def values_at(folder: Path, at: int) -> dict[str, Any]:
    return (await asyncio.to_thread(Recordings(folder).state_at, "main", "staff", at)).values


async def indexes_of(folder: Path) -> list[Index]:
    return await asyncio.to_thread(lambda: [load_index(path) for path in segments(folder)])


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "main" / "staff").glob("*.seg"))


async def test_what_a_stream_was_is_there_afterwards(tmp_path: Path) -> None:
    stream, told = Stream("main"), []
    stream.write("test", [Signal("secret", 1, "admin")])
    async with recording(stream, tmp_path):
        for n in range(30):
            say(stream, n=n)
            await asyncio.sleep(0.02)
            told.append((now_ms(), n))
            await asyncio.sleep(0.002)
    for at, n in told:
        assert await values_at(tmp_path, at) == {"n": n}
    assert b"secret" not in segments(tmp_path)[0].read_bytes()
    [index] = await indexes_of(tmp_path)
    assert index.ended
    assert index.meta["stream"] == "main"
    assert segments(tmp_path)[0].with_suffix(".b3").exists()


async def test_what_waits_for_a_thread_when_it_stops_is_written_too(tmp_path: Path) -> None:
    stream, busy, loop = Stream("main"), threading.Event(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    async with recording(stream, tmp_path) as recorder:
        say(stream, n=1)
        await until(lambda: recorder.path)
        other = loop.run_in_executor(None, busy.wait, 5.0)
        say(stream, n=2)
        await until(lambda: recorder.frames == 2 and not recorder._pending)
        loop.call_later(0.1, busy.set)
    await other
    assert await values_at(tmp_path, now_ms()) == {"n": 2}


async def test_it_is_on_disk_within_a_second_while_it_goes_on(tmp_path: Path) -> None:
    stream = Stream("main")
    async with recording(stream, tmp_path):
        for n in range(1, 4):
            say(stream, n=n)
            await asyncio.sleep(0.6)
            assert await values_at(tmp_path, now_ms()) == {"n": n}


async def test_it_is_made_durable_at_most_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[float] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}").endswith(".seg"):
            synced.append(time.monotonic())
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    stream = Stream("main")
    async with recording(stream, tmp_path):
        for n in range(150):
            say(stream, n=n)
            await asyncio.sleep(0.02)
        last = time.monotonic()
        await until(lambda: synced[-1] > last, 2.5)
        while_running = list(synced)
    gaps = [b - a for a, b in pairwise(while_running)]
    assert len(gaps) >= 2
    assert min(gaps) > 0.95


async def test_a_flood_is_merged_and_memory_stays_bounded(tmp_path: Path) -> None:
    stream = Stream("main")
    async with recording(stream, tmp_path) as recorder:
        for n in range(5_000):
            say(stream, n=n)
            if n % 10 == 0:
                await asyncio.sleep(0)
    assert recorder.frames < 1_500
    assert await values_at(tmp_path, now_ms()) == {"n": 4_999}


async def test_a_disk_that_is_slow_holds_the_recorder_up_and_not_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "PENDING_BYTES", 20_000)
    stream = Stream("main")
    async with recording(stream, tmp_path) as recorder:
        write = recorder._writer.write

        def slowly(steps: list[Step]) -> None:
            time.sleep(0.5)
            write(steps)

        monkeypatch.setattr(recorder._writer, "write", slowly)
        for n in range(200):
            say(stream, n=n, text="x" * 1000 + str(n))
            await asyncio.sleep(0.005)
            assert recorder._pending_bytes < 22_000
    assert (await values_at(tmp_path, now_ms()))["n"] == 199


async def test_keyframes_come_by_bytes_and_segments_end_by_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "KEYFRAME_BYTES", 3_000)
    stream = Stream("main")
    async with recording(stream, tmp_path, segment_bytes=20_000):
        for n in range(300):
            say(stream, n=n, text=f"{random.random()}" * 10)
            await asyncio.sleep(0.006)
    indexes = await indexes_of(tmp_path)
    assert 2 <= len(indexes) <= 10
    assert all(index.ended and index.keys for index in indexes)
    assert sum(len(index.keys) for index in indexes) > 10
    assert all(indexes[n].last <= indexes[n + 1].first for n in range(len(indexes) - 1))
    assert (await values_at(tmp_path, now_ms()))["n"] == 299


async def test_a_clock_that_is_set_back_begins_a_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, shift = Stream("main"), 0
    monkeypatch.setattr(recorder_module, "now_ms", lambda: time.time_ns() // 1_000_000 + shift)
    async with recording(stream, tmp_path):
        say(stream, n=1)
        await asyncio.sleep(0.05)
        shift = -500
        say(stream, n=2)  # a small correction: time stands still
        await asyncio.sleep(0.05)
        shift = -60_000
        say(stream, n=3)
        await asyncio.sleep(0.05)
    indexes = await indexes_of(tmp_path)
    assert len(indexes) == 2
    assert all(index.first <= index.last for index in indexes)


_FULL = """
import asyncio, random, resource, sys
from pathlib import Path
from appliance.bridge.recorder import Recorder
from appliance.bridge.stream import Stream
from appliance.types import Signal

async def main(folder):
    stream = Stream("main")
    folder = Path(folder) / "main" / "staff"
    recorder = Recorder(stream, "staff", folder, {"stream": "main", "role": "staff"}, reserve=0, retry_s=0.2)
    task = asyncio.create_task(recorder.run())
    async def say(first, last):
        for n in range(first, last):
            stream.write("t", [Signal("n", n), Signal("text", random.randbytes(300).hex())])
            await asyncio.sleep(0.01)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
    await say(0, 150)
    assert recorder.problem, "the limit was not met"
    assert not task.done()
    await say(150, 300)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await say(300, 450)
    assert recorder.problem is None, recorder.problem
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main(sys.argv[1]))
"""


def test_a_full_disk_pauses_it_with_one_warning_and_it_goes_on_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("recording pauses") == 1
    assert done.stderr.count("recording goes on") == 1
    past = Recordings(tmp_path)
    past.tidy()
    assert past.state_at("main", "staff", now_ms()).values["n"] == 449
    for path in segments(tmp_path):
        index = load_index(path)
        assert index.covers == path.stat().st_size, "what could not be written whole was taken back"


async def test_it_leaves_room_on_the_disk_to_the_database(tmp_path: Path) -> None:
    stream = Stream("main")
    async with recording(stream, tmp_path, retry_s=0.1) as recorder:
        recorder._writer._reserve = 1 << 60
        say(stream, n=1)
        await until(lambda: recorder.problem)
        assert "MB of the disk are free" in str(recorder.problem)
        assert segments(tmp_path) == []
        recorder._writer._reserve = 0
        await until(lambda: recorder.problem is None)
    assert await values_at(tmp_path, now_ms()) == {"n": 1}


_KILLED = """
import asyncio, sys, time
from pathlib import Path
from appliance.bridge.recorder import Recorder
from appliance.bridge.stream import Stream
from appliance.types import Signal

async def main(folder):
    stream = Stream("main")
    folder = Path(folder) / "main" / "staff"
    recorder = Recorder(stream, "staff", folder, {"stream": "main", "role": "staff"}, reserve=0, segment_bytes=60_000)
    task = asyncio.create_task(recorder.run())
    n = 0
    while True:
        stream.write("t", [Signal("n", n), Signal(f"x{n % 50}", f"{n:x}" * 40), Signal("check", n * 7919 % 65521)])
        sys.stdout.write(f"{time.time_ns() // 1_000_000} {n}\\n")
        sys.stdout.flush()
        n += 1
        await asyncio.sleep(0.004)

asyncio.run(main(sys.argv[1]))
"""


def test_a_process_that_is_killed_loses_at_most_its_last_second(tmp_path: Path) -> None:
    chance = random.Random(11)
    for attempt in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            said = [child.stdout.readline()]
            until = time.monotonic() + 1.0 + chance.random() * 1.5
            while time.monotonic() < until:
                said.append(child.stdout.readline())
            killed = now_ms()
            child.send_signal(signal.SIGKILL)
            said += [line for line in child.stdout if line.endswith("\n")]
        told = [(int(at), int(n)) for at, n in (line.split() for line in said)]
        past = Recordings(tmp_path)
        past.tidy()
        found = past.state_at("main", "staff", killed + 1000)
        kept = max((at for at, n in told if n <= found.values["n"]), default=0)
        assert killed - kept < 1000, f"attempt {attempt} lost {killed - kept} ms"
        for at, _ in told[:: len(told) // 20]:
            values = past.state_at("main", "staff", min(at + 20, kept)).values
            assert values["check"] == values["n"] * 7919 % 65521
