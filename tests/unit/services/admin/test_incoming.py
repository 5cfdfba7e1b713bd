"""Files that come in: nothing of them stays where they are not wanted, or were cut off."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.services import restore_wish
from appliance.services.admin import door_health, door_updates
from appliance.services.gateway import Gateway
from tests.unit.services.admin.doors import ADMIN, a_door, a_gateway

NAME = "dreamstack-nuc_9.update"


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setattr(door_updates, "check_possible", lambda name: None)
    return await a_gateway(tmp_path)


def left(gateway: Gateway) -> list[str]:
    folder = gateway.settings.data / "incoming"
    return [path.name for path in folder.rglob("*")] if folder.exists() else []


async def until_cancelled(report: Any) -> None:
    await asyncio.Event().wait()


async def test_a_bundle_that_is_not_wanted_is_not_read(gateway: Gateway) -> None:
    gateway.jobs.start("update", "maria", "Another is installed.", until_cancelled)
    async with a_door(gateway, door_updates) as door:
        answer = await door.post("/api/admin/updates", params={"name": NAME}, content=b"bundle", headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (409, "BRG488")
    assert await asyncio.to_thread(left, gateway) == []
    await gateway.jobs.stop()


async def test_a_bundle_that_comes_second_does_not_stay(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def receive(request: Any, path: Path, limit: int) -> Path:
        await asyncio.to_thread(path.parent.mkdir, parents=True)
        await asyncio.to_thread(path.write_bytes, b"bundle")
        gateway.jobs.start("update", "maria", "Another is installed.", until_cancelled)
        return path

    monkeypatch.setattr(door_updates, "receive", receive)
    async with a_door(gateway, door_updates) as door:
        answer = await door.post("/api/admin/updates", params={"name": NAME}, content=b"bundle", headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (409, "BRG488")
    assert await asyncio.to_thread(left, gateway) == []
    await gateway.jobs.stop()


async def test_what_a_killed_door_left_is_gone_at_the_next_start(gateway: Gateway) -> None:
    folder = gateway.settings.data / "incoming"

    def leave() -> None:
        folder.mkdir(exist_ok=True)
        (folder / f".{NAME}.coming").write_bytes(b"half")

    await asyncio.to_thread(leave)
    await a_gateway(gateway.settings.data)
    assert not await asyncio.to_thread(folder.exists)
    await asyncio.to_thread(leave)
    await asyncio.to_thread((gateway.settings.data / "run").mkdir)
    await asyncio.to_thread(restore_wish.leave, gateway.settings.data, restore_wish.Wish("a file"))
    await a_gateway(gateway.settings.data)
    assert await asyncio.to_thread(folder.exists), "what is there may be about to be restored"


@pytest.mark.parametrize("drills", [True, False])
def test_room_is_not_made_where_a_drill_goes_on(tmp_path: Path, drills: bool) -> None:
    (tmp_path / "drill-x").mkdir()
    assert door_health._tidy(tmp_path, drills) == (not drills)
    assert (tmp_path / "drill-x").exists() is drills
