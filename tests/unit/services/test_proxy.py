"""Requests that are passed on: what goes along, what does not, what comes back, and when nobody is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from appliance.errors import ApplianceError
from appliance.services.internal import install_errors
from appliance.services.proxy import forward, raw_path

LIMIT = 1000
ABSENT = ApplianceError("PGF102", "Rows cannot be read or written just now.", None, "Try again.")


def service() -> FastAPI:
    """What stands behind the door: it tells what it was asked."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def echo(request: Request, path: str) -> Response:
        if path == "stream":
            return StreamingResponse(pieces(), 206, {"Content-Range": "0-1/7", "Server": "secret/1.0"})
        raw = request.scope["raw_path"].decode()
        told = {
            "method": request.method,
            "path": raw,
            "query": request.url.query,
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }
        return httpx_json(told)

    return app


async def pieces() -> AsyncIterator[bytes]:
    yield b"one "
    yield b"two"


def httpx_json(value: Any) -> Response:
    from appliance.services.internal import Json

    return Json(value, 201)


def door(behind: httpx.AsyncClient, url: str = "http://behind") -> httpx.AsyncClient:
    app = FastAPI()
    install_errors(app, "gateway", lambda request: None)

    @app.api_route("/rest/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def rest(request: Request, path: str) -> Response:
        target = url + request.scope["raw_path"].decode().removeprefix("/rest")
        return await forward(
            request, behind, target, {"Authorization": "Bearer ours", "X-Role": "wall"}, limit=LIMIT, absent=ABSENT
        )

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door")


@pytest.fixture
async def asked() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service())) as behind, door(behind) as client:
        yield client


async def test_method_path_query_and_body_go_along(asked: httpx.AsyncClient) -> None:
    answer = await asked.patch("/rest/a%20b/c%2Fd?x=eq.1&y=a%26b&select=*", content=b'{"n": 1}')
    told = answer.json()
    assert (told["method"], told["path"]) == ("PATCH", "/a%20b/c%2Fd")
    assert told["query"] == "x=eq.1&y=a%26b&select=*"
    assert told["body"] == '{"n": 1}'
    assert answer.status_code == 201


async def test_headers_that_ask_for_something_go_along(asked: httpx.AsyncClient) -> None:
    wanted = {
        "Prefer": "return=representation",
        "Range": "0-9",
        "Accept": "text/csv",
        "Content-Type": "application/json",
    }
    told = (await asked.post("/rest/beds", headers=wanted, content=b"{}")).json()["headers"]
    assert {name: told[name.lower()] for name in wanted} == wanted


async def test_who_asks_is_said_by_the_door_alone(asked: httpx.AsyncClient) -> None:
    claims = {
        "Authorization": "Bearer forged",
        "Cookie": "dreamstack=key",
        "X-Role": "admin",
        "X-Screen": "forged",
        "Origin": "http://evil.example",
        "Proxy-Authorization": "x",
    }
    told = (await asked.get("/rest/beds", headers=claims)).json()["headers"]
    assert told["authorization"] == "Bearer ours"
    assert told["x-role"] == "wall"
    assert not {"cookie", "x-screen", "origin", "proxy-authorization"} & set(told)
    assert told["host"] == "behind"


async def test_answer_comes_back_as_it_is(asked: httpx.AsyncClient) -> None:
    answer = await asked.get("/rest/stream")
    assert (answer.status_code, answer.content) == (206, b"one two")
    assert answer.headers["content-range"] == "0-1/7"
    assert "server" not in answer.headers


async def test_body_over_the_limit_is_not_passed_on(asked: httpx.AsyncClient) -> None:
    assert (await asked.post("/rest/beds", content=b"x" * LIMIT)).status_code == 201
    refused = await asked.post("/rest/beds", content=b"x" * (LIMIT + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "PGF109")


async def test_body_that_comes_in_pieces_is_counted(asked: httpx.AsyncClient) -> None:
    async def many() -> AsyncIterator[bytes]:
        for _ in range(LIMIT):
            yield b"xx"

    assert (await asked.post("/rest/beds", content=many())).status_code == 413


async def test_service_that_is_away_is_told_as_such() -> None:
    async with httpx.AsyncClient(trust_env=False) as behind, door(behind, "http://127.0.0.1:9") as client:
        answer = await client.get("/rest/beds")
    assert answer.status_code == 503
    told = answer.json()
    assert (told["code"], told["message"], told["hint"]) == ("PGF102", ABSENT.message, "Try again.")
    assert told["details"]


@pytest.mark.parametrize("path", ["/../tokens", "/a/../../end", "/./x", "/%2e%2e/tokens", "/a/%2E%2e", "/.%2e/x"])
async def test_no_path_leads_out_of_where_it_was_sent(path: str) -> None:
    """A client would resolve the dots itself; so the request comes as its bytes. Nothing behind may hear of it."""
    heard = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope["raw_path"])

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(behind)) as client:
        app = FastAPI()
        install_errors(app, "gateway", lambda request: None)

        @app.api_route("/flex/{path:path}", methods=["GET"])
        async def flex(request: Request, path: str) -> Response:
            url = f"http://behind/flex/{raw_path(request, '/flex/')}"
            return await forward(request, client, url, {}, limit=LIMIT, absent=ABSENT)

        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": f"/flex{unquote(path)}",
            "headers": [],
        }
        scope |= {"raw_path": f"/flex{path}".encode(), "query_string": b"", "scheme": "http", "server": ("door", 80)}
        await app(scope | {"asgi": {"version": "3.0"}, "client": ("1", 1), "root_path": ""}, receive, send)
    assert (sent[0]["status"], heard) == (404, [])
