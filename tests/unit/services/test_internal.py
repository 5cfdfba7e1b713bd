"""What the loopback services share: the bearer, the one error shape, and faults nobody foresaw."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from appliance.config import Runtime, load
from appliance.errors import ApplianceError
from appliance.services.internal import Json, config_of, install_errors, make_app, role_of, serve

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a token of the box"


def runtime() -> Runtime:
    nowhere = "http://127.0.0.1:9"
    return Runtime(
        settings=load({"data": "/nowhere"}, environ={}),
        postgres_dsn="",
        postgrest_url=nowhere,
        pgflex_url=nowhere,
        llm_url=nowhere,
        bridge_url=nowhere,
        gateway_url=nowhere,
        token=TOKEN,
        secret="",
        keys={},
    )


def app(part: str = "pgflex") -> FastAPI:
    app = make_app(part, runtime())

    @app.get("/price")
    async def price() -> Response:
        return Json({"price": Decimal("1.10")})

    @app.get("/role")
    async def role(request: Request) -> Response:
        return Json({"role": role_of(request)})

    @app.get("/number/{number}")
    async def number(number: int) -> Response:
        return Json(number)

    @app.post("/said")
    async def said(body: dict[str, str]) -> Response:
        return Json(body)

    @app.get("/known")
    async def known() -> Response:
        raise ApplianceError("PGF113", "There is no such row.", {"id": 1}, "Look again.")

    @app.get("/unknown")
    async def unknown() -> Response:
        raise ValueError("the password is hunter2")

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app())
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://box", headers=headers) as client:
        yield client


def shape(answer: httpx.Response) -> tuple[int, str]:
    told: dict[str, Any] = answer.json()
    assert set(told) == {"code", "message", "details", "hint"}
    return answer.status_code, told["code"]


async def test_decimals_leave_as_numbers(client: httpx.AsyncClient) -> None:
    assert (await client.get("/price")).text == '{"price":1.10}'


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", f"bearer  {TOKEN}", f"Bearer {TOKEN} "]
)
async def test_only_the_bearer_opens(client: httpx.AsyncClient, given: str | None) -> None:
    del client.headers["Authorization"]
    headers = [(b"authorization", given.encode())] if given is not None else []
    for path in ("/price", "/nothing"):
        assert shape(await client.get(path, headers=headers)) == (401, "BRG401")


async def test_what_is_asked_in_somebodys_name_ends_no_process(client: httpx.AsyncClient) -> None:
    for path in ("/end", "/end/x", "/%65nd"):
        assert shape(await client.post(path, headers={"X-Role": "admin"})) == (404, "BRG404")


async def test_errors_have_the_one_shape(client: httpx.AsyncClient) -> None:
    assert shape(await client.get("/nothing")) == (404, "BRG404")
    assert shape(await client.post("/price")) == (405, "BRG405")
    assert shape(await client.get("/number/x")) == (422, "BRG410")
    assert shape(await client.get("/known")) == (404, "PGF113")


@pytest.mark.parametrize(("part", "code"), [("pgflex", "PGF100"), ("llm", "LLM200"), ("bridge", "BRG400")])
async def test_unforeseen_faults_keep_their_internals(part: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(part)), base_url="http://box") as client:
        answer = await client.get("/unknown", headers=headers)
    assert shape(answer) == (500, code)
    assert "hunter2" not in answer.text
    logged = capsys.readouterr().err
    assert "hunter2" in logged and "test_internal.py" in logged and "Traceback" not in logged


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\ud83d"}',
        b'{"\\udc00": "a"}',
        b'{"a": "\xff\xfe"}',
        '{"a": "b"}'.encode("utf-16"),
        b'{"a": NaN}',
        b"{",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["half a pair", "half a pair as a key", "no UTF-8", "UTF-16", "NaN", "cut off", "deep"],
)
async def test_a_body_is_read_strictly(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    well = await client.post("/said", content='{"a": "\\ud83d\\ude00 \u4eba"}', headers=headers)
    assert (well.status_code, well.json()) == (200, {"a": "\U0001f600 \u4eba"})
    answer = await client.post("/said", content=body, headers=headers)
    assert answer.status_code == 422
    assert (answer.json()["code"], set(answer.json())) == ("BRG410", {"code", "message", "details", "hint"})


def limited(guard: Any = lambda request: None) -> httpx.AsyncClient:
    app = FastAPI()
    install_errors(app, "gateway", guard, limit=lambda path: None if path == "/file" else 1000)

    @app.post("/said")
    async def said(body: dict[str, str]) -> Response:
        return Json(body)

    @app.post("/{path}")
    async def other(request: Request) -> Response:
        return Json(len(await request.body()))

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://box")


async def pieces(taken: list[int], count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        taken.append(number)
        yield b" " * 500


@pytest.mark.parametrize("path", ["/said", "/other"])
async def test_a_body_is_not_read_on_once_it_is_over_the_limit(path: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with limited() as client:
        assert (await client.post("/said", json={"a": "b" * 900})).status_code == 200
        assert (await client.post("/file", content=pieces([], 100))).json() == 50_000
        taken: list[int] = []
        assert shape(await client.post(path, content=pieces(taken, 100), headers=headers)) == (413, "PGF109")
    assert len(taken) <= 4


async def test_a_guard_that_fails_is_told_in_the_one_shape(capsys: pytest.CaptureFixture[str]) -> None:
    def guard(request: Request) -> None:
        raise TypeError("a bug")

    async with limited(guard) as client:
        assert shape(await client.post("/said", json={})) == (500, "BRG400")
    assert "a bug" in capsys.readouterr().err


def test_nobody_on_this_machine_says_where_a_request_comes_from() -> None:
    assert config_of(app()).proxy_headers is False


async def test_role_has_to_be_one(client: httpx.AsyncClient) -> None:
    assert (await client.get("/role", headers={"X-Role": "wall"})).json() == {"role": "wall"}
    assert shape(await client.get("/role", headers={"X-Role": "king"})) == (422, "BRG410")
    assert shape(await client.get("/role")) == (422, "BRG410")


def test_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ApplianceError, match="BRG407"):
            serve(app(), f"http://127.0.0.1:{taken.getsockname()[1]}")


SERVICE = """
import asyncio, sys
from contextlib import asynccontextmanager
from appliance.services.internal import essential, make_app, serve
from tests.unit.services.runtimes import runtime

async def work():
    await asyncio.sleep(0.2)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fail())

async def fail():
    raise RuntimeError("a bug")

@asynccontextmanager
async def lifespan(app):
    task = essential("gateway", work())
    yield
    task.cancel()

serve(make_app("gateway", runtime(), lifespan), "http://127.0.0.1:0")
"""


def test_service_whose_work_fails_ends_so_that_it_is_started_anew() -> None:
    done = subprocess.run([sys.executable, "-c", SERVICE], cwd=ROOT, capture_output=True, text=True, timeout=20)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert "RuntimeError('a bug')" in lines[0]
    assert "gateway" in lines[0]
