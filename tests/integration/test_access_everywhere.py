"""One role, one answer at every door: rows, documents, feed, shapes, catalog, questions and tokens of a real box."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import httpx
import jwt
import pytest
import websockets
from httpx_sse import aconnect_sse

from tests.box import Box, running_box
from tests.receiver import joined, socket_url

SOON_S = 10.0


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A box with guests: walls see initials, a nurse the initials of one ward, staff the names."""
    with running_box() as box, httpx.Client(base_url=box.url, headers=box.bearer("admin"), timeout=20) as admin:
        guests = [
            {"Full Name": "Maria Schmidt", "Wing": "North"},
            {"Full Name": "Jon Doe", "Wing": "South"},
            {"Full Name": "Ada Byron", "Wing": "North"},
        ]
        steps: list[tuple[str, str, Any]] = [
            ("POST", "/flex/guests", guests),
            ("POST", "/flex/safes", {"Code": "1234"}),
            ("PUT", "/api/roles/nurse", {"label": "Nurse", "level": "staff"}),
            (
                "PUT",
                "/api/roles/nurse/collections/guests",
                {"where": [{"field": "Wing", "op": "eq", "value": "North"}]},
            ),
            ("PUT", "/api/roles/nurse/collections/guests/fields/Full%20Name", {"mask": "initials"}),
            ("PUT", "/api/roles/nurse/collections/safes", {"access": "none"}),
            ("PUT", "/api/roles/wall/collections/guests/fields/Full%20Name", {"mask": "initials"}),
            ("PUT", "/api/collections/guests", {"audience": "wall", "fields": ["Wing"]}),
        ]
        for method, path, body in steps:
            answer = admin.request(method, path, json=body)
            assert answer.is_success, answer.text
        until = time.monotonic() + SOON_S
        while "guests" not in admin.get("/api/catalog?role=wall").text:  # the catalog is read anew beside the writes
            assert time.monotonic() < until, "walls never heard of the collection they may see"
            time.sleep(0.05)
        yield box


@pytest.fixture
async def admin(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    async with as_bearer(box, box.key("admin")) as client:
        yield client


@pytest.fixture
async def nurse(box: Box, admin: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    async with as_bearer(box, (await issued(admin, "nurse"))["token"]) as client:
        yield client


def as_bearer(box: Box, credential: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {credential}"}
    return httpx.AsyncClient(base_url=box.url, headers=headers, timeout=15, trust_env=False)


async def issued(client: httpx.AsyncClient, role: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/tokens", json={"role": role, "ttl_s": 120, **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def settled(ask: Callable[[], Any], wanted: Callable[[httpx.Response], bool]) -> httpx.Response:
    """The answer once PostgREST and the catalog know what is new."""
    until = time.monotonic() + SOON_S
    while True:
        answer: httpx.Response = await ask()
        if wanted(answer) or time.monotonic() > until:
            return answer
        await asyncio.sleep(0.05)


async def answer_of(client: httpx.AsyncClient, question: str, role: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = (await client.post("/api/ask", json={"question": question, "role": role})).json()
    return told


# A wall sees initials, a tablet the name ------------------------------------------------------------------


async def test_a_wall_sees_initials_and_staff_the_name(box: Box, admin: httpx.AsyncClient) -> None:
    wall = {"X-Role": "wall"}
    rows = await settled(lambda: admin.get("/rest/guests?order=id", headers=wall), lambda a: a.status_code == 200)
    assert rows.json()[0] == {"id": 1, "wing": "North", "full_name__initials": "M.S."}
    assert (await admin.get("/rest/guests?id=eq.1", headers={"X-Role": "staff"})).json()[0][
        "full_name"
    ] == "Maria Schmidt"
    catalog = (await admin.get("/api/catalog?role=wall")).json()
    [guests] = [item for item in catalog["collections"] if item["name"] == "guests"]
    shown = {field["label"]: (field["name"], tuple(field["values"])) for field in guests["fields"]}
    assert shown["Full Name"] == ("full_name__initials", ("A.B.", "J.D.", "M.S."))
    shape = (await admin.get("/shape?table=guests&offset=-1", headers=wall)).text
    assert "M.S." in shape
    assert "Maria" not in shape + json.dumps(catalog)


async def test_a_question_of_a_wall_is_answered_with_initials(admin: httpx.AsyncClient) -> None:
    question = "List the full name of guests in wing North"
    told = await answer_of(admin, question, "wall")
    assert told["status"] == "answered", told
    assert sorted(row["full_name__initials"] for row in told["rows"]) == ["A.B.", "M.S."]
    assert "Maria" not in json.dumps(told)
    told = await answer_of(admin, question, "staff")
    assert "Maria Schmidt" in json.dumps(told["rows"])


async def test_the_feed_tells_a_wall_initials_and_a_nurse_her_wing(
    box: Box, admin: httpx.AsyncClient, nurse: httpx.AsyncClient
) -> None:
    async def next_change(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
        async with aconnect_sse(client, "GET", f"/changes?collection=guests{query}") as feed:
            async for event in feed.aiter_sse():
                if event.event == "ready":
                    ready.release()
                elif event.event == "change":
                    told: dict[str, Any] = json.loads(event.data)
                    return told
        raise AssertionError("the feed ended")

    ready = asyncio.Semaphore(0)
    readers = [asyncio.create_task(next_change(*each)) for each in ((admin, "&role=wall"), (nurse, ""))]
    async with asyncio.timeout(SOON_S):
        for _ in readers:
            await ready.acquire()
        await admin.post("/flex/guests", json=[{"Full Name": "Bo Li", "Wing": "South"}])
        await admin.post("/flex/guests", json=[{"Full Name": "Cy Young", "Wing": "North"}])
        wall, own = [(await reader)["row"] for reader in readers]
    assert (wall["full_name__initials"], wall["wing"]) == ("B.L.", "South")
    assert (own["full_name__initials"], own["wing"]) == ("C.Y.", "North")
    assert "full_name" not in wall | own


# Everything I may see -------------------------------------------------------------------------------------


async def test_everything_means_what_the_role_may_read(nurse: httpx.AsyncClient) -> None:
    answer = await settled(lambda: nurse.get("/rest/guests"), lambda a: a.status_code == 200)
    assert {tuple(row) for row in answer.json()} == {("id", "full_name__initials", "wing")}
    assert {row["wing"] for row in answer.json()} == {"North"}
    head = await nurse.head("/rest/guests", headers={"Prefer": "count=exact"})
    assert head.headers["content-range"].endswith(f"/{len(answer.json())}")
    written = await nurse.post("/rest/guests", json={"wing": "North"}, headers={"Prefer": "return=representation"})
    assert (written.status_code, set(written.json()[0])) == (201, {"id", "full_name__initials", "wing"})
    changed = await nurse.patch(
        f"/rest/guests?id=eq.{written.json()[0]['id']}",
        json={"wing": "North"},
        headers={"Prefer": "return=representation"},
    )
    assert changed.json()[0]["wing"] == "North"


@pytest.mark.parametrize(
    "query", ["?select=full_name", "?full_name=like.M*", "?order=full_name", "?select=id&full_name=eq.x", "?select=*"]
)
async def test_a_masked_value_cannot_be_guessed_at(nurse: httpx.AsyncClient, query: str) -> None:
    answer = await nurse.get(f"/rest/guests{query}")
    assert (answer.status_code, answer.json()["code"]) == (403, "42501")
    assert "Maria" not in answer.text


# Not allowed and no rows ----------------------------------------------------------------------------------


async def test_not_allowed_is_another_answer_than_no_rows(box: Box, nurse: httpx.AsyncClient) -> None:
    south = await nurse.get("/rest/guests?wing=eq.South")
    assert (south.status_code, south.json()) == (200, [])
    refused = {
        "rows": await settled(lambda: nurse.get("/rest/safes"), lambda a: a.status_code == 403),
        "feed": await nurse.get("/changes?collection=safes"),
        "shape": await nurse.get("/shape?table=safes&offset=-1"),
        "document": await nurse.post("/flex/safes", json={"Code": "1"}),
    }
    assert {door: (a.status_code, a.json()["code"]) for door, a in refused.items()} == {
        "rows": (403, "42501"),
        "feed": (403, "PGF106"),
        "shape": (403, "PGF106"),
        "document": (403, "PGF106"),
    }
    hidden = await nurse.patch("/flex/guests/2", json={"Wing": "North"})
    assert (hidden.status_code, hidden.json()["code"]) == (404, "PGF113")


async def test_a_question_about_what_is_not_for_one_says_so(admin: httpx.AsyncClient, nurse: httpx.AsyncClient) -> None:
    refused = await answer_of(nurse, "How many safes are there?")
    assert (refused["status"], refused["error"]["code"]) == ("refused", "LLM212")
    assert refused["sentence"] == "This screen may not see safes."
    assert "1234" not in json.dumps(refused) and "ode" not in json.dumps(refused["error"]["details"])
    assert (await answer_of(admin, "How many safes are there?"))["rows"] == [{"count": 1}]
    nothing = await answer_of(nurse, "How many zeppelins are there?")
    assert nothing["error"]["code"] == "LLM204"


# Roles ----------------------------------------------------------------------------------------------------


async def test_only_the_admin_declares_and_acts_as_others(box: Box, admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/rest/guests?select=wing", headers={"X-Role": "nurse"})).status_code == 200
    async with as_bearer(box, box.key("staff")) as staff:
        for answer, code in (
            (await staff.put("/api/roles/mine", json={"level": "admin"}), "PGF106"),
            (await staff.delete("/api/roles/nurse"), "PGF106"),
            (await staff.put("/api/collections/safes", json={"audience": "wall"}), "PGF106"),
            (await staff.get("/api/roles/nurse"), "PGF106"),
            (await staff.get("/rest/guests", headers={"X-Role": "nurse"}), "BRG402"),
            (await staff.post("/api/tokens", json={"role": "admin"}), "BRG402"),
            (await staff.post("/api/tokens", json={"role": "nurse"}), "BRG402"),
            (await staff.get("/rest/guests", headers={"X-Role": "nobody"}), "BRG410"),
        ):
            assert (answer.status_code in (403, 422), answer.json()["code"]) == (True, code)
        assert [role["name"] for role in (await staff.get("/api/roles")).json()] == ["staff"]
    names = [role["name"] for role in (await admin.get("/api/roles")).json()]
    assert names == ["wall", "staff", "nurse", "admin"]


async def test_a_role_comes_and_goes_while_the_box_runs(box: Box, admin: httpx.AsyncClient) -> None:
    assert (await admin.put("/api/roles/porter", json={"level": "staff"})).status_code == 200
    given = await issued(admin, "porter")
    async with as_bearer(box, given["token"]) as porter:
        answer = await settled(lambda: porter.get("/rest/guests?id=eq.1"), lambda a: a.status_code == 200)
        assert answer.json()[0]["full_name"] == "Maria Schmidt"
        assert (await porter.get("/api/catalog")).status_code == 200
        assert (await admin.delete("/api/roles/porter")).status_code == 204
        assert (await porter.get("/rest/guests")).json()["code"] == "BRG401"
    assert (await admin.get("/api/roles/porter")).status_code == 404


async def test_what_a_nurse_asks_is_on_no_other_screen(box: Box, nurse: httpx.AsyncClient) -> None:
    question = "How many guests are in wing North?"
    staff = {"Authorization": f"Bearer {box.key('staff')}"}
    async with joined(box.url, **staff) as screen, joined(box.url, **box.bearer("admin")) as desk:
        assert (await answer_of(nurse, question))["status"] == "answered"
        await desk.answer_to(question)
        assert not [name for name, value in screen.signals.items() if value == question]


async def test_a_live_answer_loses_what_its_role_may_not_see_any_more(box: Box, admin: httpx.AsyncClient) -> None:
    question = "List the visitor name of visitors"
    await admin.post("/flex/visitors", json=[{"Visitor Name": "Olga Petrova"}])
    await admin.put("/api/collections/visitors", json={"audience": "wall", "fields": ["Visitor Name"]})

    def shown(signals: Mapping[str, Any]) -> str:
        return json.dumps([value for name, value in signals.items() if name.startswith("answer.")])

    async with joined(box.url, **box.bearer("wall")) as wall:
        asked = await settled(
            lambda: admin.post("/api/ask", json={"question": question, "role": "wall"}),
            lambda answer: answer.json()["status"] == "answered",
        )
        place = f"answer.{asked.json()['id']}"
        await wall.until(lambda signals: "Olga Petrova" in shown(signals))
        await admin.put("/api/roles/wall/collections/visitors/fields/Visitor%20Name", json={"mask": "initials"})
        await wall.until(lambda signals: "O.P." in shown(signals) and "Olga" not in shown(signals))
        await admin.put("/api/collections/visitors", json={"audience": "staff"})
        await wall.until(lambda signals: signals.get(f"{place}.status") == "refused")
        assert "O.P." not in shown(wall.signals)


# Tokens ---------------------------------------------------------------------------------------------------


async def test_a_revoked_token_is_refused_at_every_door_and_its_streams_end(box: Box, admin: httpx.AsyncClient) -> None:
    given = await issued(admin, "nurse", label="tablet 3")
    async with as_bearer(box, given["token"]) as nurse:
        begun = asyncio.Semaphore(0)

        async def follow(path: str) -> float:
            async with nurse.stream("GET", path, timeout=60) as stream:
                assert stream.status_code == 200
                async for _ in stream.aiter_bytes():
                    begun.release()
            return time.monotonic()

        shape = await nurse.get("/shape?table=guests&offset=-1")
        place = f"offset={shape.headers['electric-offset']}&handle={shape.headers['electric-handle']}"
        live = f"/shape?table=guests&{place}&live=true"
        streams = [asyncio.create_task(follow(path)) for path in ("/changes", f"{live}&live_sse=true")]
        waiting = asyncio.create_task(nurse.get(live, timeout=60))
        async with asyncio.timeout(SOON_S):
            for _ in streams:
                await begun.acquire()
        revoked_at = time.monotonic()
        assert (await admin.delete(f"/api/tokens/{given['jti']}")).status_code == 204
        for path in (
            "/rest/guests",
            "/flex/guests/fields",
            "/changes",
            "/shape?table=guests",
            "/api/catalog",
            "/metrics",
        ):
            answer = await nurse.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "BRG401"), path
        assert (await nurse.post("/api/ask", json={"question": "How many guests?"})).status_code == 401
        async with asyncio.timeout(SOON_S):
            assert max(await asyncio.gather(*streams)) - revoked_at < 1
            assert (await waiting).status_code == 401
    [told] = [each for each in (await admin.get("/api/tokens")).json() if each["jti"] == given["jti"]]
    assert (told["label"], told["live"], told["issued_by"]) == ("tablet 3", False, "admin")


async def test_a_token_that_runs_out_ends_its_stream(box: Box, admin: httpx.AsyncClient) -> None:
    given = await issued(admin, "nurse", ttl_s=2)
    began = time.monotonic()
    async with as_bearer(box, given["token"]) as nurse, nurse.stream("GET", "/changes") as stream:
        async for _ in stream.aiter_bytes():
            pass
        assert time.monotonic() - began < 4
    async with as_bearer(box, given["token"]) as nurse:
        assert (await nurse.get("/api/catalog")).json()["message"] == "The token has run out."


async def test_all_tokens_of_a_role_end_at_once(box: Box, admin: httpx.AsyncClient) -> None:
    given = [(await issued(admin, "nurse"))["token"] for _ in range(2)]
    assert (await admin.delete("/api/roles/nurse/tokens")).json()["revoked"] >= 2
    for token in given:
        async with as_bearer(box, token) as nurse:
            assert (await nurse.get("/rest/guests")).status_code == 401
    async with as_bearer(box, (await issued(admin, "nurse"))["token"]) as nurse:
        assert (await nurse.get("/rest/guests")).status_code == 200


async def test_a_token_asks_for_no_more_than_it_is(box: Box, nurse: httpx.AsyncClient) -> None:
    for role in ("staff", "admin"):
        assert (await nurse.post("/api/tokens", json={"role": role})).json()["code"] == "BRG402"
    given = await issued(nurse, "nurse", ttl_s=3600)
    assert given["ttl_s"] <= 120
    assert (await nurse.get("/rest/guests?select=wing", headers={"X-Role": "staff"})).json()["code"] == "BRG402"
    assert (await nurse.get("/rest/guests", headers={"X-Role": "wall"})).status_code == 200
    assert (await nurse.put("/api/roles/nurse", json={"level": "admin"})).json()["code"] == "PGF106"


async def test_forged_tokens_are_refused(box: Box) -> None:
    claims = {"role": "admin", "aud": "dreamstack", "exp": int(time.time()) + 60, "jti": "x"}
    for token in (jwt.encode(claims, "t" * 48, "HS256"), jwt.encode(claims, "", algorithm="none"), "a.b.c"):
        async with as_bearer(box, token) as client:
            for path in ("/rest/guests", "/changes", "/shape?table=guests", "/api/catalog", "/api/roles"):
                answer = await client.get(path)
                assert (answer.status_code, answer.json()["code"]) == (401, "BRG401")


async def test_screens_come_in_with_keys(box: Box, admin: httpx.AsyncClient) -> None:
    token = (await issued(admin, "staff"))["token"]
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with joined(box.url, Authorization=f"Bearer {token}"):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"{}")["message"].startswith("Screens come in with a key")
    assert socket_url(box.url).endswith("/ws")
