"""Which streams and roles are recorded, and that they go on being so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.bridge import recorders as recorders_module
from appliance.bridge.recorder import now_ms
from appliance.bridge.recorders import Recorders, Wanted
from appliance.bridge.stream import Streams
from appliance.types import Signal


@asynccontextmanager
async def running(streams: Streams, folder: Path, wanted: Wanted) -> AsyncIterator[Recorders]:
    recorders = Recorders(streams, folder, wanted, "Box")
    task = asyncio.create_task(recorders.run())
    try:
        yield recorders
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def wanted(streams: str, roles: str, days: int = 0, limit: int = 0) -> Wanted:
    return Wanted.read(streams, roles, days, limit)


def test_what_is_wanted_is_read_from_the_settings() -> None:
    assert wanted("main, ward , main", "staff,wall") == Wanted(("main", "ward"), ("wall", "staff"), 0, 0)
    assert wanted("none", "wall").streams == ()
    assert wanted("", "none") == Wanted((), (), 0, 0)
    assert wanted("main,room/*", "wall").picks(["main", "mainly", "room/a", "room/b", "rooms"]) == [
        "main",
        "room/a",
        "room/b",
    ]


async def test_each_role_has_its_own_and_one_that_is_off_has_none(tmp_path: Path) -> None:
    streams = Streams()
    streams.open("main").write("s", [Signal("a", 1), Signal("b", 2, "staff"), Signal("c", 3, "admin")])
    async with running(streams, tmp_path, wanted("main", "wall,staff")) as recorders:
        await asyncio.sleep(0.5)
        assert recorders.told()["recorders"] == 2
    past = recorders.past
    wall, staff = [await asyncio.to_thread(past.state_at, "main", role, now_ms()) for role in ("wall", "staff")]
    assert wall.values == {"a": 1}
    assert staff.values == {"a": 1, "b": 2}
    assert sorted(os.listdir(tmp_path / "main")) == ["staff", "wall"]


async def test_a_stream_that_comes_later_and_one_that_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders_module, "LOOK_S", 0.05)
    streams = Streams()
    async with running(streams, tmp_path, wanted("main,later,../x", "wall")) as recorders:
        await asyncio.sleep(0.1)
        assert recorders.told()["recorders"] == 0
        streams.open("../x")
        streams.open("later").write("s", [Signal("a", 1)])
        await asyncio.sleep(0.5)
        assert recorders.told()["recorders"] == 1
        streams.close("later")
        await asyncio.sleep(0.2)
        assert recorders.told()["recorders"] == 0
        streams.open("later").write("s", [Signal("a", 2)])
        await asyncio.sleep(0.5)
    found = await asyncio.to_thread(recorders.past.state_at, "later", "wall", now_ms())
    assert found.values == {"a": 2}
    assert len(list((tmp_path / "later" / "wall").glob("*.seg"))) == 2


async def test_a_recorder_that_falls_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recorders_module, "LOOK_S", 0.05)
    streams = Streams()
    streams.open("main").write("s", [Signal("a", 1)])
    async with running(streams, tmp_path, wanted("main", "wall")) as recorders:
        await asyncio.sleep(0.4)
        [(recorder, _)] = recorders._running.values()

        def fall(version: int | None) -> None:
            raise ValueError("nobody foresaw this")

        monkeypatch.setattr(recorder, "_take", fall)
        streams.open("main").write("s", [Signal("a", 2)])
        await asyncio.sleep(0.8)
    assert "a recorder fell, begins anew" in capsys.readouterr().err
    assert (await asyncio.to_thread(recorders.past.state_at, "main", "wall", now_ms())).values == {"a": 2}


async def test_the_folder_is_kept_within_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders_module, "TIDY_S", 0.1)
    old = tmp_path / "main" / "wall" / "1000000000000.seg"
    old.parent.mkdir(parents=True)
    old.touch()
    streams = Streams()
    streams.open("main").write("s", [Signal("a", 1)])
    async with running(streams, tmp_path, wanted("main", "wall", days=7)) as recorders:
        await asyncio.sleep(0.7)
        assert not old.exists()
        told = recorders.told()
        assert told["on"] and told["bytes"] > 0 and told["oldest"] > 1_700_000_000_000 and told["problem"] is None
