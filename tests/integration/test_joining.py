"""Screens join a real box: by code, by ticket; are moved, refused and taken out; and rooms keep to themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import load_or_create
from appliance.bridge.invitations import peek
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import listen
from appliance.errors import ApplianceError
from appliance.screen.agent import Agent
from appliance.screen.finder import Finder
from appliance.screen.start import ScreenOptions, make_agent
from appliance.screen.ticket import parse
from tests.box import Box, appliance, running_box
from tests.receiver import Receiver, joined


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box("--join", "approve") as box:
        yield box


def admin(box: Box, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, box.url + path, json=body, headers=box.bearer("admin"), trust_env=False)
    assert answer.status_code < 300, answer.text
    return answer.json()


def browser(box: Box) -> httpx.Client:
    """A browser that can keep no key of its own: it has a cookie."""
    return httpx.Client(base_url=box.url, trust_env=False)


def let_in(box: Box, client: httpx.Client, **place: str) -> dict[str, Any]:
    told = client.post("/api/join", json={"kind": "tablet"}).json()
    screen: dict[str, Any] = admin(box, "POST", f"/api/screens/codes/{told['code']}", place)
    assert client.post("/api/join", json={}).json()["state"] == "approved"
    return screen


def cookie(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": f"dreamstack_screen={client.cookies['dreamstack_screen']}"}


@asynccontextmanager
async def agent_of(box: Box, folder: Path, credential: str = "") -> AsyncIterator[tuple[Agent, asyncio.Task[None]]]:
    identity = await asyncio.to_thread(load_or_create, folder / "iroh.key")
    finder = Finder(identity, parse(box.ticket()), faithful=True, frame_limit=DEFAULT_LIMIT)
    agent = Agent(finder, kind="wall", credential=credential)
    async with running(agent) as task:
        yield agent, task


@asynccontextmanager
async def running(agent: Agent) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(agent.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def served_by(agent: Agent) -> Callable[[Connection], Awaitable[None]]:
    """A relaying agent's door."""
    assert agent.side.relay is not None
    return agent.side.relay.serve


async def until(met: Any, timeout_s: float = 10) -> float:
    began = time.monotonic()
    while not met():
        assert time.monotonic() - began < timeout_s, "not so in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_an_agent_shows_its_code_and_nothing_else_until_it_is_let_in(box: Box, tmp_path: Path) -> None:
    async with agent_of(box, tmp_path) as (agent, _):
        await until(lambda: agent.state == "waiting")
        assert not agent.signals and agent.box_name == "DreamStack"
        listed = await asyncio.to_thread(admin, box, "GET", "/api/screens")
        waits = next(each for each in listed["waiting"] if each["code"] == agent.code)
        assert waits["kind"] == "wall" and waits["address"].startswith("127.0.0.1:")
        place = {"name": "Lobby", "room": "lobby", "role": "wall"}
        screen = await asyncio.to_thread(admin, box, "POST", f"/api/screens/codes/{agent.code}", place)
        await until(lambda: agent.state == "live")
        assert (agent.role, agent.room, agent.code) == ("wall", "lobby", "")
        assert agent.signals["box.name"] == "DreamStack"
    async with agent_of(box, tmp_path) as (agent, _):  # known by its key from now on
        await until(lambda: agent.state == "live")
        await asyncio.to_thread(admin, box, "PATCH", f"/api/screens/{screen['id']}", {"room": "er", "role": "staff"})
        await until(lambda: (agent.room, agent.role, agent.state) == ("er", "staff", "live"))
        await asyncio.to_thread(admin, box, "DELETE", f"/api/screens/{screen['id']}")
        assert await until(lambda: agent.state != "live", 1.0) <= 1.0


async def test_a_refused_agent_is_told_so(box: Box, tmp_path: Path) -> None:
    async with agent_of(box, tmp_path) as (agent, task):
        await until(lambda: agent.state == "waiting")
        await asyncio.to_thread(admin, box, "DELETE", f"/api/screens/codes/{agent.code}")
        with pytest.raises(ApplianceError, match="BRG445"):
            await asyncio.wait_for(asyncio.shield(task), 5)


async def test_a_ticket_lets_in_by_itself_as_often_as_it_says(box: Box, tmp_path: Path) -> None:
    made = await asyncio.to_thread(admin, box, "POST", "/api/tickets", {"room": "icu", "role": "wall", "uses": 1})
    first, second = tmp_path / "1", tmp_path / "2"
    assert parse(box.ticket()).addresses[0] in peek(made["ticket"]).addresses
    async with agent_of(box, first, made["ticket"]) as (agent, _):
        await until(lambda: agent.state == "live")
        assert agent.room == "icu"
    async with agent_of(box, first, made["ticket"]) as (agent, _):  # again: not counted twice
        await until(lambda: agent.state == "live")
    async with agent_of(box, second, made["ticket"]) as (_, task):
        with pytest.raises(ApplianceError, match="BRG444"):
            await asyncio.wait_for(asyncio.shield(task), 5)


async def test_who_was_taken_out_does_not_come_back_with_its_ticket(box: Box, tmp_path: Path) -> None:
    made = await asyncio.to_thread(admin, box, "POST", "/api/tickets", {"uses": 5})
    async with agent_of(box, tmp_path, made["ticket"]) as (agent, task):
        await until(lambda: agent.state == "live")
        listed = await asyncio.to_thread(admin, box, "GET", "/api/screens")
        mine = next(each for each in listed["screens"] if each["by"] == made["id"])
        assert mine["live"]
        await asyncio.to_thread(admin, box, "DELETE", f"/api/screens/{mine['id']}")
        with pytest.raises(ApplianceError, match=r"BRG401|BRG444"):
            await asyncio.wait_for(asyncio.shield(task), 5)


def test_an_unknown_browser_gets_the_page_that_shows_a_code_and_nothing_else(box: Box) -> None:
    with browser(box) as client:
        page = client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 200 and "Saying hello" in page.text
        assert client.get("/").status_code == 401, "a program gets no page"
        for path in ("/api/catalog", "/rest/beds", "/changes", "/api/screens", "/api/admin/audit"):
            assert client.get(path).status_code == 401
        told = client.post("/api/join", json={"kind": "wall"}).json()
        assert set(told) == {"box", "state", "code", "expires_s", "qr"} and told["state"] == "waiting"
        assert client.get("/api/catalog").status_code == 401  # the cookie alone is worth nothing yet


async def test_a_browser_that_is_taken_out_is_gone_within_a_second(box: Box) -> None:
    client = await asyncio.to_thread(browser, box)
    with client:
        screen = await asyncio.to_thread(let_in, box, client, room="", role="staff")
        assert (await asyncio.to_thread(client.get, "/api/catalog")).status_code == 200
        async with joined(box.url, **cookie(client)) as seen:
            await seen.until(lambda signals: signals.get("box.name"))
            assert seen.hello["screen"] == screen["id"]
            began = time.monotonic()
            await asyncio.to_thread(admin, box, "DELETE", f"/api/screens/{screen['id']}")
            await until(lambda: seen.errors, 1.0)
            assert time.monotonic() - began < 1.0 and seen.errors[0]["code"] == "BRG401"
        assert (await asyncio.to_thread(client.get, "/api/catalog")).status_code == 401


QUESTION = "Which patients are in intensive care?"


@asynccontextmanager
async def room_of(box: Box) -> AsyncIterator[tuple[Receiver, Receiver, Receiver, str]]:
    """A staff tablet and a wall in the same room, a wall in another, and what the tablet is called."""
    clients = [browser(box) for _ in range(3)]
    places = [("icu", "staff"), ("icu", "wall"), ("er", "wall")]
    screens = [
        await asyncio.to_thread(let_in, box, client, room=room, role=role)
        for client, (room, role) in zip(clients, places, strict=True)
    ]
    try:
        async with (
            joined(box.url, **cookie(clients[0])) as tablet,
            joined(box.url, **cookie(clients[1])) as wall,
            joined(box.url, **cookie(clients[2])) as other,
        ):
            for each in (tablet, wall, other):
                await each.until(lambda signals: signals.get("answers.pinned"))
            yield tablet, wall, other, screens[0]["name"]
    finally:
        for client in clients:
            client.close()


def shared(seen: Receiver) -> list[dict[str, Any]]:
    return [value for name, value in seen.signals.items() if name.endswith(".shared")]


async def test_no_byte_of_a_private_answer_reaches_the_rooms_wall(box: Box) -> None:
    async with room_of(box) as (tablet, wall, other, name):
        await tablet.ask(QUESTION, ref="private-1")
        found = await tablet.answer_to(QUESTION)
        names = [row["patient"] for row in found["rows"]]
        assert len(names) > 10
        await wall.until(lambda _: shared(wall))
        assert shared(wall)[0]["status"] == "private" and name in shared(wall)[0]["sentence"]
        await asyncio.sleep(0.5)
        for screen in (wall, other):
            assert screen.signals["box.name"] and not [each for each in names if each.encode() in screen.raw]
            assert b"intensive care?" not in screen.raw, "nor what was asked"
        assert not shared(other), "another room knows nothing of it"


async def test_a_wall_gets_the_masked_form_where_it_may_have_that(box: Box) -> None:
    admin(box, "PUT", "/api/collections/patients", {"audience": "wall", "fields": ["ward"]})
    for field, mask in (("patient", "initials"), ("mrn", "last4"), ("birth_date", "year")):
        admin(box, "PUT", f"/api/roles/wall/collections/patients/fields/{field}", {"mask": mask})
    try:
        async with room_of(box) as (tablet, wall, _, _):
            await tablet.ask(QUESTION, ref="masked-1")
            found = await tablet.answer_to(QUESTION)
            await wall.until(lambda _: [each for each in shared(wall) if each.get("status") == "answered"])
            seen = next(each for each in shared(wall) if each["status"] == "answered")
            assert seen["row_count"] == found["row_count"] > 10
            shown = {str(value) for row in seen["rows"] for value in row.values()}
            assert any(value.count(".") == 2 for value in shown), shown
            assert not [row["patient"] for row in found["rows"] if row["patient"].encode() in wall.raw]
    finally:
        admin(box, "PUT", "/api/collections/patients", {"audience": "staff", "fields": []})


def test_a_composed_stream_is_kept_and_guarded(box: Box) -> None:
    mix = {"parts": [{"stream": "main", "signals": ["box.*"], "rename": {"box.": "house."}}], "audience": "staff"}
    admin(box, "PUT", "/api/streams/lobby", mix)
    assert [each["name"] for each in admin(box, "GET", "/api/streams")["declared"]].count("lobby") == 1
    refused = httpx.get(f"{box.url}/api/streams", headers=box.bearer("staff"), trust_env=False)
    assert refused.status_code == 403 and refused.json()["code"] == "BRG402"
    bad = httpx.put(
        f"{box.url}/api/streams/lobby",
        json={"parts": [{"stream": "lobby"}]},
        headers=box.bearer("admin"),
        trust_env=False,
    )
    assert bad.json()["code"] == "BRG446"


def test_the_shell_does_the_same(box: Box) -> None:
    with browser(box) as client:
        code = client.post("/api/join", json={"kind": "wall"}).json()["code"]
        words = ("admin", "--url", box.url, "--data", str(box.data))
        assert code in appliance(*words, "screens").stdout
        done = appliance(*words, "approve", code.lower(), "--room", "icu", "--name", "By the door")
        assert "By the door" in done.stdout and "icu" in done.stdout
        assert "dreamstack-" in appliance(*words, "ticket", "--room", "icu").stdout
        assert "BRG440" in appliance(*words, "refuse", "AAAAAA").stderr
        assert "By the door" in appliance(*words, "screens").stdout


async def test_screens_and_rooms_outlive_the_bridge(box: Box) -> None:
    client = await asyncio.to_thread(browser, box)
    with client:
        screen = await asyncio.to_thread(let_in, box, client, room="icu", role="wall")
        await asyncio.to_thread(box.kill, "bridge")
        await asyncio.to_thread(box.wait_well, 20)
        async with joined(box.url, **cookie(client)) as seen:
            await seen.until(lambda signals: signals.get("answers.pinned"))
            assert seen.hello["screen"] == screen["id"] and seen.hello["room"] == "icu"
        declared = (await asyncio.to_thread(admin, box, "GET", "/api/streams"))["declared"]
        assert "lobby" in [each["name"] for each in declared]


async def test_a_screen_of_a_room_behind_another_asks_is_answered_and_is_sent_away_when_it_is_taken_out(
    box: Box, tmp_path: Path
) -> None:
    made = await asyncio.to_thread(admin, box, "POST", "/api/tickets", {"room": "attic", "role": "staff", "uses": 2})

    def agent(name: str, **more: Any) -> Agent:
        folder, ticket = tmp_path / name, made["ticket"]
        return make_agent(ScreenOptions(data=folder, box=box.ticket(), credential=ticket, **more))

    near, before = await asyncio.to_thread(agent, "near", relay=True), await asyncio.to_thread(agent, "far")
    listener = await listen(near.side.identity, "127.0.0.1:0", served_by(near), DEFAULT_LIMIT)
    async with running(before):
        await until(lambda: before.state == "live" and before.side.pass_text)
    via = f"{listener.endpoint_id}@{listener.addresses()[0]}"
    far = await asyncio.to_thread(agent, "far", via=(via,))
    done: asyncio.Queue[str] = asyncio.Queue()
    far.done.append(done.put_nowait)
    async with running(near):
        await until(lambda: near.state == "live")
        async with running(far):
            await until(lambda: far.state == "live" and far.side.via == listener.endpoint_id)
            assert (far.room, far.role) == ("attic", "staff")
            await until(lambda: far.signals == near.signals)
            ref = "from behind"
            await far.tell({"type": "ask", "ref": ref, "question": "How many beds are there?", "ack": True})
            assert await asyncio.wait_for(done.get(), 60) == ref
            listed = await asyncio.to_thread(admin, box, "GET", "/api/screens")
            key = f"iroh:{far.side.identity.endpoint_id}"[:21]
            mine = next(each for each in listed["screens"] if each["key"] == key)
            await asyncio.to_thread(admin, box, "DELETE", f"/api/screens/{mine['id']}")
            await until(lambda: near.side.relay is not None and not near.side.relay.peers, 3)
            await until(lambda: far.state != "live", 1)
    await listener.close()
