"""The bridge's addresses of recordings: each role gets its own, and errors come before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from appliance.bridge.registry import Caller
from appliance.bridge.segments import apply_record, unpack
from appliance.bridge.signals import Copy
from appliance.services import bridge
from tests.unit.bridge.past import T0, at_count, counted
from tests.unit.services.runtimes import runtime


@asynccontextmanager
async def asking(folder: Path, role: str | None = "staff") -> AsyncIterator[httpx.AsyncClient]:
    await asyncio.to_thread(counted, folder / "recordings" / "main" / "staff", 50)
    told = await asyncio.to_thread(runtime, data=str(folder))
    app = bridge.make(told)
    headers = {"Authorization": f"Bearer {told.token}"} | ({"X-Role": role} if role else {})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge", headers=headers) as client:
        yield client


async def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_what_there_is(tmp_path: Path) -> None:
    async with asking(tmp_path) as client:
        told = (await client.get("/recordings")).json()
        [one] = told["recordings"]
        assert (one["stream"], one["role"], one["from"], one["segments"]) == (
            "main",
            "staff",
            "2023-11-14T22:13:20.000+00:00",
            1,
        )
        assert told["forks"] == []
        [archive] = (await client.get("/archives")).json()["archives"]
        assert len(archive["hash"]) == 64
    async with asking(tmp_path, "wall") as client:
        assert (await client.get("/recordings")).json()["recordings"] == []
        assert (await client.get("/archives")).json()["archives"] == []


async def test_a_moment(tmp_path: Path) -> None:
    async with asking(tmp_path) as client:
        told = (await client.get("/recordings/main/at", params={"t": T0 + 1_234})).json()
        assert told["signals"] == at_count(12)
        assert (told["known"], told["role"], told["at"]) == (True, "staff", "2023-11-14T22:13:21.200+00:00")
        assert (await client.get("/recordings/main/at")).json()["signals"] == at_count(49)
        assert await code(await client.get("/recordings/main/at", params={"t": "noon"})) == (400, "BRG466")
        assert await code(await client.get("/recordings/main/at", params={"t": 10**12})) == (404, "BRG460")
        assert await code(await client.get("/recordings/..%2F..%2Fkeys/at")) == (404, "BRG460")
        assert await code(await client.get("/recordings/room%2F..%2F..%2Fkeys/at")) == (404, "BRG460")
        assert await code(await client.get("/recordings/%2e%2e/at")) in ((404, "BRG404"), (404, "BRG460"))
    for role, wanted in (("wall", (404, "BRG460")), ("nobody", (422, "BRG410")), (None, (422, "BRG410"))):
        async with asking(tmp_path, role) as client:
            assert await code(await client.get("/recordings/main/at", params={"t": T0})) == wanted


async def test_what_followed(tmp_path: Path) -> None:
    async with asking(tmp_path) as client:
        asked = {"from": T0 + 1_000, "to": T0 + 3_050}
        answer = await client.get("/recordings/main/frames", params=asked)
        copy = Copy()
        records = list(unpack([answer.content]))
        assert [apply_record(copy, record) for record in records] == [True] * 21
        assert copy.values == at_count(30)
        early = await client.get("/recordings/main/frames", params={"from": 10**12, "to": T0 + 50})
        assert [record.at for record in unpack([early.content])] == [T0], "before the beginning is the beginning"
        for wrong, wanted in (
            ({"from": "x"}, (400, "BRG466")),
            ({"from": T0 + 9, "to": T0}, (400, "BRG466")),
        ):
            assert await code(await client.get("/recordings/main/frames", params=wrong)) == wanted


async def test_a_fork_and_its_end(tmp_path: Path) -> None:
    async with asking(tmp_path) as client:
        body: dict[str, Any] = {"t": T0 + 2_000, "name": "what-if"}
        answer = await client.post("/recordings/main/fork", json=body)
        assert answer.status_code == 201
        assert answer.json() == {**body, "stream": "main", "role": "staff", "signals": 8}
        assert "what-if" in (await client.get("/health")).json()["streams"]
        assert await code(await client.post("/recordings/main/fork", json=body)) == (409, "BRG462")
        assert await code(await client.post("/recordings/main/fork", json=body | {"t": 1})) == (404, "BRG460")
        assert await code(await client.post("/recordings/main/fork", json=body | {"name": ""})) == (422, "BRG410")
        assert [fork["name"] for fork in (await client.get("/recordings")).json()["forks"]] == ["what-if"]
        assert (await client.delete("/recordings/forks/what-if")).status_code == 200
        assert await code(await client.delete("/recordings/forks/what-if")) == (404, "BRG408")
        assert await code(await client.delete("/recordings/forks/main")) == (404, "BRG408")
        assert (await client.get("/health")).json()["recording"]["on"] is True


async def test_a_days_bar(tmp_path: Path) -> None:
    async with asking(tmp_path) as client:
        told = (await client.get("/recordings/main/timeline", params={"parts": 6})).json()
        assert (told["day"], told["days"], told["role"]) == (told["days"][-1], [told["day"]], "staff")
        assert (told["first"], told["last"]) == (T0 + 5_000 - 60_000, T0 + 5_000), "at least a minute"
        assert told["spans"] == [[T0, T0 + 5_000]]
        assert (len(told["parts"]), sum(told["parts"])) == (6, 49)
        assert isinstance(told["offset"], int)
        assert await code(await client.get("/recordings/main/timeline", params={"day": "1999-01-01"})) == (
            404,
            "BRG460",
        )
        assert await code(await client.get("/recordings/other/timeline")) == (404, "BRG460")


async def test_a_rooms_past_is_for_who_is_in_it_and_the_admin(tmp_path: Path) -> None:
    await asyncio.to_thread(counted, tmp_path / "recordings" / "room+icu" / "staff", 20, stream="room/icu")
    told = await asyncio.to_thread(runtime, data=str(tmp_path))
    app = bridge.make(told)
    joining = app.state.joining
    await joining.load()
    inside = joining.registry.admit(Caller("iroh:" + "a" * 64, "tablet", ""), "In", "icu", "staff", "")
    headers = {"Authorization": f"Bearer {told.token}"}
    paths = ("room%2Ficu/at", "room%2Ficu/timeline", "room%2Ficu/frames?from=1000000000000")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://bridge", headers=headers
    ) as client:
        for who, streams, archives in (
            ({"X-Role": "staff"}, [], 0),
            ({"X-Role": "staff", "X-Screen": inside.id}, ["room/icu"], 1),
            ({"X-Role": "admin"}, ["room/icu"], 1),
        ):
            there = (await client.get("/recordings", headers=who)).json()["recordings"]
            assert [each["stream"] for each in there] == streams
            assert len((await client.get("/archives", headers=who)).json()["archives"]) == archives
            for path in paths:
                assert (await client.get(f"/recordings/{path}", headers=who)).is_success == bool(streams), path
        own = await client.get("/recordings/main/at", headers={"X-Role": "staff", "X-Screen": inside.id})
        assert (own.json()["stream"], own.json()["signals"]) == ("room/icu", at_count(19))
