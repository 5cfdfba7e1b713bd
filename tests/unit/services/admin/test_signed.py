"""Around every request: a session needs the page's own proof to change something, and ends what it began."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from appliance.services.admin.sessions import COOKIE, Sessions, csrf_of
from appliance.services.admin.signed import Signed
from appliance.services.door import SESSION, UNKNOWN, credential


def client(sessions: Sessions, token: str) -> httpx.AsyncClient:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def echo(request: Request) -> Response:
        return JSONResponse({"session": request.scope.get(SESSION, ""), "credential": credential(request)})

    app.add_middleware(Signed, gateway=SimpleNamespace(sessions=sessions))  # type: ignore[arg-type]
    road = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=road, base_url="http://box", cookies={COOKIE: token})


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(None, lambda: 900.0)


@pytest.fixture
def token(sessions: Sessions) -> str:
    return sessions.begin("maria", "admin", "192.0.2.7")


async def said(answer: httpx.Response) -> Any:
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_changes_something_needs_the_proof(sessions: Sessions, token: str, method: str) -> None:
    async with client(sessions, token) as door:
        assert await said(await door.request(method, "/api/screens/x")) == (403, "BRG482")
        wrong = {"X-CSRF-Token": csrf_of(token)[:-1] + "_"}
        assert await said(await door.request(method, "/api/screens/x", headers=wrong)) == (403, "BRG482")
        right = await door.request(method, "/api/screens/x", headers={"X-CSRF-Token": csrf_of(token)})
        assert right.json() == {"session": token, "credential": token}


async def test_reading_needs_none(sessions: Sessions, token: str) -> None:
    async with client(sessions, token) as door:
        assert (await door.get("/api/screens")).json()["session"] == token


async def test_a_bearer_stands_for_itself(sessions: Sessions, token: str) -> None:
    async with client(sessions, token) as door:
        told = (await door.post("/api/screens/x", headers={"Authorization": "Bearer key"})).json()
        assert told == {"session": "", "credential": "key"}


async def test_a_session_counts_in_its_own_cookie_alone(sessions: Sessions, token: str) -> None:
    async with client(sessions, "") as door:
        for carried in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"dreamstack={token}"}):
            told = (await door.post("/api/screens/x", headers=carried)).json()
            assert told == {"session": "", "credential": UNKNOWN}


async def test_an_ended_session_is_none(sessions: Sessions, token: str) -> None:
    sessions.end(token)
    async with client(sessions, token) as door:
        assert (await door.post("/api/screens/x")).json() == {"session": "", "credential": ""}


@pytest.mark.parametrize(
    ("path", "headers", "counts"),
    [
        ("/api/screens", {}, True),
        ("/api/screens", {"X-Background": "1"}, False),
        ("/api/screens/x/picture.png", {}, False),
        ("/api/admin/jobs/events", {}, False),
    ],
)
async def test_a_page_that_looks_by_itself_keeps_nobody_signed_in(
    path: str, headers: dict[str, str], counts: bool
) -> None:
    now = 1000.0
    sessions = Sessions(None, lambda: 900.0, lambda: now)
    token = sessions.begin("maria", "admin", "")
    now += 800
    async with client(sessions, token) as door:
        await door.get(path, headers=headers)
    now += 200
    assert (sessions.find(token) is not None) is counts
