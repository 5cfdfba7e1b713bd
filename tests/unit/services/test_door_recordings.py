"""The door's addresses of recordings: who may see which past, with a real bridge behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn

from appliance.services import bridge, gateway
from tests.unit.bridge.past import T0, at_count, counted
from tests.unit.services.runtimes import KEYS, runtime

MAIN = "/api/recordings/main"


@pytest.fixture
def bridge_url(tmp_path: Path) -> Iterator[str]:
    """A bridge that serves its addresses and does nothing else."""
    for role, count in (("wall", 30), ("staff", 50)):
        counted(tmp_path / "recordings" / "main" / role, count, role=role)
    app = bridge.make(runtime(data=str(tmp_path)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def door(tmp_path: Path, bridge_url: str) -> httpx.AsyncClient:
    """The gateway's door, open to the network."""
    told = msgspec.structs.replace(runtime(data=str(tmp_path), lan=True), bridge_url=bridge_url)
    return httpx.AsyncClient(transport=httpx.ASGITransport(gateway.make(told)), base_url="http://127.0.0.1")


def key(role: str, acting: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[role]}"} | ({"X-Role": acting} if acting else {})


async def test_each_role_sees_its_own_past(door: httpx.AsyncClient) -> None:
    for headers, role, last in ((key("wall"), "wall", 29), (key("staff"), "staff", 49), (key("admin"), "staff", 49)):
        told = (await door.get(f"{MAIN}/at", headers=headers)).json()
        assert (told["role"], told["signals"]) == (role, at_count(last))
    lower = (await door.get(f"{MAIN}/at", headers=key("admin", "wall"))).json()
    assert lower["role"] == "wall"
    assert [r["role"] for r in (await door.get("/api/recordings", headers=key("wall"))).json()["recordings"]] == [
        "wall"
    ]
    assert len((await door.get("/api/archives", headers=key("staff"))).json()["archives"]) == 2
    frames = await door.get(f"{MAIN}/frames", params={"from": T0, "to": T0 + 500}, headers=key("staff"))
    assert frames.status_code == 200 and frames.content.startswith(b"\xd5DS\x01")


async def test_who_may_not(door: httpx.AsyncClient) -> None:
    assert (await door.get("/api/recordings")).json()["code"] == "BRG401"
    assert (await door.get("/api/recordings", headers=key("wall", "staff"))).json()["code"] == "BRG402"
    body = {"t": T0 + 1_000, "name": "what-if"}
    assert (await door.post(f"{MAIN}/fork", json=body, headers=key("wall"))).json()["code"] == "BRG402"
    assert (await door.delete("/api/recordings/forks/what-if", headers=key("wall"))).json()["code"] == "BRG402"
    for wrong in ({"name": "x"}, {"t": T0}, {"t": None, "name": "x"}, {"t": T0, "name": 7}):
        assert (await door.post(f"{MAIN}/fork", json=wrong, headers=key("staff"))).json()["code"] == "BRG410"


async def test_a_fork_is_made_once_and_ended(door: httpx.AsyncClient) -> None:
    body = {"t": T0 + 1_000, "name": "what-if"}
    made = await door.post(f"{MAIN}/fork", json=body, headers=key("staff"))
    assert (made.status_code, made.json()["signals"]) == (201, 8)
    assert (await door.post(f"{MAIN}/fork", json=body, headers=key("staff"))).json()["code"] == "BRG462"
    assert (await door.delete("/api/recordings/forks/what-if", headers=key("staff"))).status_code == 200


@pytest.fixture
def alone(tmp_path: Path) -> httpx.AsyncClient:
    """A door behind which no bridge answers."""
    app = gateway.make(runtime(data=str(tmp_path)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def test_a_bridge_that_is_away_is_told(alone: httpx.AsyncClient) -> None:
    assert (await alone.get(f"{MAIN}/at")).json()["code"] == "BRG406"
