"""How the box looks at its parts, and what it tells the screens of them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from appliance.checks import Finding
from appliance.services.health import RECENT_S, SHOWN_S, BoxProbe, Health
from tests.unit.services.runtimes import NOWHERE, runtime

WELL: dict[str, Any] = {
    "database": "ok",
    "sources": ["assistant"],
    "screens": 2,
    "state": "ready",
    "name": "m",
    "feed": {"live": True},
}


class Parts(BoxProbe):
    """A box whose parts are what a test says they are; only the looking is real."""

    def __init__(self) -> None:
        super().__init__(runtime(), httpx.AsyncClient(transport=httpx.ASGITransport(self._app()), base_url=NOWHERE))
        self.status = 200
        self.told: Any = dict(WELL)

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "HEAD"])
        async def anything(path: str) -> JSONResponse:
            return JSONResponse(self.told, self.status)

        return app

    @property
    def data(self) -> Path:
        return Path("/")


@pytest.mark.parametrize("part", ["pgflex", "llm", "bridge"])
async def test_a_part_says_how_it_is(part: str) -> None:
    assert await Parts().health(part) == WELL


@pytest.mark.parametrize(("status", "expected"), [(200, {}), (401, {}), (404, {}), (500, None), (503, None)])
async def test_any_answer_of_postgrest_but_a_failure_will_do(status: int, expected: dict[str, Any] | None) -> None:
    parts = Parts()
    parts.status = status
    assert await parts.health("postgrest") == expected


async def test_a_part_that_fails_or_talks_nonsense_is_away() -> None:
    parts = Parts()
    parts.status = 503
    assert await parts.health("llm") is None
    parts.status, parts.told = 200, "nonsense"
    assert await parts.health("llm") is None


async def test_a_part_that_is_not_there_is_away() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        probe = BoxProbe(runtime(), client)
        for part in ("pgflex", "llm", "bridge", "postgrest"):
            assert await probe.health(part) is None


async def test_health_is_well_when_no_part_is_down() -> None:
    parts = Parts()
    health = Health(parts)
    unseen = health.well
    await health.look()
    seen = health.well
    assert (unseen, seen) == (False, True)
    parts.told = WELL | {"sources": []}
    await health.look()
    assert health.well is False
    assert {part["name"]: part["state"] for part in health.parts()}["bridge"] == "down"


async def test_many_who_ask_together_have_the_checks_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    health, looks = Health(Parts()), [0]
    look = health.look

    async def counted() -> list[Finding]:
        looks[0] += 1
        return await look()

    monkeypatch.setattr(health, "look", counted)
    assert len({id(found) for found in await asyncio.gather(*(health.recent() for _ in range(20)))}) == 1
    await health.recent()
    assert looks == [1]
    health._looked -= RECENT_S
    await health.recent()
    assert looks == [2]


async def test_what_was_down_is_shown_long_enough_to_be_read() -> None:
    parts = Parts()
    health = Health(parts)
    await health.look()
    parts.told = WELL | {"state": "loading"}
    await health.look()
    parts.told = dict(WELL)
    await health.look()
    assert health.well, "health itself tells what is"
    shown = {part["name"]: part for part in health.parts()}["model"]
    assert (shown["state"], shown["sentence"]) == ("down", "The model is being loaded.")
    await asyncio.sleep(SHOWN_S)
    await health.look()
    assert {part["state"] for part in health.parts()} == {"ok"}


async def test_a_part_that_was_not_up_yet_is_not_shown_as_lost() -> None:
    parts = Parts()
    health = Health(parts)
    parts.told = WELL | {"state": "loading"}
    await health.look()
    assert "down" in {part["state"] for part in health.parts()}, "what is down now is told"
    parts.told = dict(WELL)
    await health.look()
    assert {part["state"] for part in health.parts()} == {"ok"}


async def test_one_part_need_not_be_waited_for() -> None:
    parts = Parts()
    parts.told = WELL | {"sources": []}
    health = Health(parts)
    await asyncio.wait_for(health.wait_well(besides="bridge"), 2)
    assert not health.well


async def test_waiting_ends_when_all_is_well() -> None:
    parts = Parts()
    parts.status = 503
    health = Health(parts)
    waiting = asyncio.create_task(health.wait_well())
    await asyncio.sleep(0.3)
    assert not waiting.done()
    parts.status = 200
    await asyncio.wait_for(waiting, 2)
    assert health.well


async def test_a_part_that_dies_is_noticed_at_once() -> None:
    held: list[asyncio.StreamWriter] = []

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(trust_env=False) as client:
        probe = BoxProbe(runtime(url=f"http://127.0.0.1:{port}"), client)
        waiting = asyncio.create_task(probe.lost("llm"))
        await asyncio.sleep(0.2)
        assert not waiting.done(), "a part that lives holds the line"
        began = time.monotonic()
        held[0].transport.abort()
        await asyncio.wait_for(waiting, 2)
        assert time.monotonic() - began < 0.5
        server.close()
        await server.wait_closed()
        await asyncio.wait_for(probe.lost("llm"), 2)


async def test_looking_goes_on_and_can_be_stopped() -> None:
    parts = Parts()
    health = Health(parts)
    looks: list[bool] = []
    running = asyncio.create_task(health.run(lambda: looks.append(health.well)))
    await asyncio.sleep(0.7)
    parts.status = 503
    await asyncio.sleep(0.7)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert looks[0] is True
    assert looks[-1] is False
    assert len(asyncio.all_tasks()) == 1, "nothing is left waiting"
