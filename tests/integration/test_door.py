"""The public door of a real box: who may come in, what is refused and how that is told."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import re
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from httpx_sse import aconnect_sse
from websockets.asyncio.client import connect

from appliance.bridge import Decoder, FrameType
from appliance.errors import HTTP_STATUS
from tests.box import Box, running_box
from tests.receiver import joined, socket_url

SHAPE = {"code", "message", "details", "hint"}


@pytest.fixture
async def door(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=box.url, timeout=15, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def lan() -> Iterator[Box]:
    """A box that listens on every address and is not announced, as behind a reverse proxy that has its own TLS."""
    with running_box("--lan", "--no-mdns", "--tls", "off") as box:
        yield box


@pytest.fixture
async def street(lan: Box) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=lan.url, timeout=15, trust_env=False) as client:
        yield client


def told(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error of an answer, checked for the one shape."""
    shape: dict[str, Any] = answer.json()
    assert (answer.status_code, shape.get("code")) == (status, code), answer.text
    assert set(shape) == SHAPE
    assert shape["message"].endswith(".")
    return shape


# Host and Origin ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.7", "[", ""])
async def test_other_host_is_refused(door: httpx.AsyncClient, host: str) -> None:
    for path in ("/", "/health", "/api/catalog", "/metrics", "/rest/beds"):
        assert told(await door.get(path, headers={"Host": host}), 403, "BRG403")["hint"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_own_names_are_served(box: Box, door: httpx.AsyncClient, host: str) -> None:
    answer = await door.get("/health", headers={"Host": f"{host}:{box.port}"})
    assert answer.status_code == 200


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_page_from_elsewhere_is_refused(door: httpx.AsyncClient, headers: dict[str, str]) -> None:
    told(await door.post("/api/ask", headers=headers, json={"question": "How many beds are free?"}), 403, "BRG403")
    told(await door.get("/rest/beds", headers=headers), 403, "BRG403")
    told(await door.post("/flex/beds", headers=headers, json={"bed": "x"}), 403, "BRG403")


async def test_own_page_is_served(box: Box, door: httpx.AsyncClient) -> None:
    headers = {"Origin": box.url, "Sec-Fetch-Site": "same-origin"}
    assert (await door.get("/api/catalog", headers=headers)).status_code == 200
    assert (await door.get("/", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200, (
        "a link to the box is fine"
    )


async def refused_socket(url: str, port: int | None = None, **headers: str) -> int:
    """The status a WebSocket is refused with; `port` of this machine is asked whatever host the address names."""
    place: dict[str, Any] = {"host": "127.0.0.1", "port": port} if port else {}
    try:
        async with connect(url, additional_headers=headers, proxy=None, **place):
            return 101
    except websockets.InvalidStatus as error:
        return error.response.status_code


async def test_socket_checks_the_same(box: Box) -> None:
    url = socket_url(box.url)
    assert await refused_socket(url, Origin="https://evil.example") == 403
    assert await refused_socket(url, Origin="null") == 403
    assert await refused_socket(f"ws://evil.example:{box.port}/ws", box.port) == 403
    assert await refused_socket(socket_url(box.url, "admin")) == 403
    assert await refused_socket(socket_url(box.url, "boss")) == 403
    assert await refused_socket(url, Authorization="Bearer wrong") == 403
    async with joined(box.url, Origin=box.url) as screen:
        assert screen.hello["role"] == "staff"


# Credentials ----------------------------------------------------------------------------------------------


async def test_without_lan_whoever_is_here_is_staff(door: httpx.AsyncClient) -> None:
    names = [item["name"] for item in (await door.get("/api/catalog")).json()["collections"]]
    assert "patients" in names
    told(await door.get("/api/catalog", params={"role": "admin"}), 403, "BRG402")
    told(await door.get("/api/catalog", params={"role": "boss"}), 422, "BRG410")
    told(await door.get("/rest/beds", headers={"X-Role": "admin"}), 403, "BRG402")
    told(await door.get("/changes", params={"role": "admin"}), 403, "BRG402")
    told(await door.post("/api/ask", json={"question": "How many beds?", "role": "admin"}), 403, "BRG402")
    told(await door.post("/flex/beds", json={}, headers={"X-Role": "admin"}), 403, "BRG402")


async def test_wrong_credential_is_refused_even_here(door: httpx.AsyncClient) -> None:
    told(await door.get("/api/catalog", headers={"Authorization": "Bearer wrong"}), 401, "BRG401")
    told(await door.get("/api/catalog", headers={"Cookie": "dreamstack=wrong"}), 401, "BRG401")
    told(await door.get("/api/catalog", headers={b"Authorization": "Bearer ü".encode()}), 401, "BRG401")


async def test_key_gives_its_role(box: Box, door: httpx.AsyncClient) -> None:
    admin, wall = box.bearer("admin"), box.bearer("wall")
    assert (await door.get("/api/catalog", params={"role": "admin"}, headers=admin)).status_code == 200
    told(await door.get("/api/catalog", params={"role": "staff"}, headers=wall), 403, "BRG402")
    assert (await door.get("/rest/patients", headers=wall)).status_code in (401, 403)
    async with joined(box.url, Authorization=wall["Authorization"]) as screen:
        assert screen.hello["role"] == "wall"


async def test_lan_serves_nothing_without_a_credential(lan: Box, street: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/s/main",
        "/api/catalog",
        "/api/openapi.json",
        "/metrics",
        "/rest/beds",
        "/changes",
        "/nope",
    ):
        refused = await street.get(path)
        assert told(refused, 401, "BRG401")["hint"]
        assert refused.headers["www-authenticate"] == "Bearer"
    told(await street.post("/api/ask", json={"question": "How many beds are free?"}), 401, "BRG401")
    told(await street.post("/flex/beds", json={"bed": "x"}), 401, "BRG401")
    told(await street.get("/", params={"key": "wrong"}), 401, "BRG401")
    assert await refused_socket(socket_url(lan.url)) == 403


async def test_lan_lets_a_key_in_as_bearer_and_as_cookie(lan: Box, street: httpx.AsyncClient) -> None:
    asked = await street.post("/api/ask", json={"question": "How many beds are free?"}, headers=lan.bearer("staff"))
    assert asked.json()["status"] == "answered"
    entered = await street.get("/", params={"key": lan.key("wall")})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and re.search("SameSite=(lax|strict)", cookie)
    assert (await street.get("/")).status_code == 200, "the cookie is kept"
    told(await street.get("/api/catalog", params={"role": "staff"}), 403, "BRG402")
    async with joined(lan.url, Cookie=f"dreamstack={lan.key('wall')}") as screen:
        assert screen.hello["role"] == "wall"


async def test_lan_answers_to_addresses_and_its_names_only(lan: Box, street: httpx.AsyncClient) -> None:
    key = lan.bearer("staff")
    for host in ("192.0.2.7:80", "dreamstack.local", "[2001:db8::1]"):
        assert (await street.get("/api/catalog", headers=key | {"Host": host})).status_code == 200
    told(await street.get("/api/catalog", headers=key | {"Host": "evil.example"}), 403, "BRG403")


async def test_lan_health_tells_without_a_key(street: httpx.AsyncClient) -> None:
    assert (await street.get("/health")).json()["status"] == "ok"


# Errors ---------------------------------------------------------------------------------------------------


WRONG = [
    ("GET", "/nope", None, 404, "BRG404"),
    ("GET", "/api/nope", None, 404, "BRG404"),
    ("GET", "/api/admin/audit", None, 401, "BRG401"),
    ("GET", "/shape", None, 400, "PGF120"),
    ("GET", "/shape?table=nope", None, 404, "PGF104"),
    ("DELETE", "/v1/shape?table=beds", None, 405, "BRG405"),
    ("GET", "/s/nope", None, 404, "BRG408"),
    ("GET", "/%00%ff", None, 404, "BRG404"),
    ("PUT", "/api/ask", None, 405, "BRG405"),
    ("OPTIONS", "/api/ask", None, 405, "BRG405"),
    ("GET", "/flex/beds", None, 405, "BRG405"),
    ("POST", "/api/ask", b'{"question":', 422, "BRG410"),
    ("POST", "/api/ask", b'{"question": 5}', 422, "BRG410"),
    ("POST", "/api/ask", b"[]", 422, "BRG410"),
    ("POST", "/api/ask", b"\xff\xfe", 422, "BRG410"),
    ("POST", "/api/ask", b"{}", 422, "BRG410"),
    ("GET", "/changes?collection=a%20b", None, 422, "BRG410"),
    ("POST", "/flex/beds", b"{bad", 400, "PGF103"),
    ("POST", "/flex/a%20b", b"{}", 400, "PGF105"),
    ("PATCH", "/flex/beds/99999999", b'{"status": "free"}', 404, "PGF113"),
    ("PATCH", "/flex/beds/x", b"{}", 422, "BRG410"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG, ids=lambda value: str(value)[:24])
async def test_every_error_has_the_one_shape(
    door: httpx.AsyncClient, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    assert HTTP_STATUS[code] == status
    headers = {"Content-Type": "application/json"} if body is not None else {}
    told(await door.request(method, path, content=body, headers=headers), status, code)


async def test_databases_own_errors_have_it_too(door: httpx.AsyncClient) -> None:
    for path in ("/rest/nope", "/rest/beds?nope=eq.1", "/rest/beds?select=pg_sleep(9)", "/rest/rpc/pg_sleep"):
        answer = await door.get(path)
        assert 400 <= answer.status_code < 500
        assert set(answer.json()) == SHAPE
    assert set((await door.post("/rest/beds", content=b"{bad")).json()) == SHAPE


async def test_body_over_the_limit_is_refused(door: httpx.AsyncClient) -> None:
    body = b'[{"bed": "' + b"x" * 4_300_000 + b'"}]'
    for path in ("/rest/beds", "/flex/beds"):
        told(await door.post(path, content=body, headers={"Content-Type": "application/json"}), 413, "PGF109")


async def test_person_who_opens_a_wrong_address_gets_a_page(box: Box, door: httpx.AsyncClient, lan: Box) -> None:
    person = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
    answer = await door.get("/nope", headers=person)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "BRG404" in answer.text
    refused = await door.get(lan.url + "/", headers=person)
    assert refused.status_code == 200 and "Saying hello" in refused.text, "the page shows a code by which to get in"
    assert "I have a key" in refused.text
    refused = await door.get(lan.url + "/metrics", headers=person)
    assert refused.status_code == 401
    assert "BRG401" in refused.text and "key" in refused.text, "the page says how to get in"
    console = await door.get(lan.url + "/admin/screens", headers=person)
    assert console.status_code == 200, "the console's page is open; what it shows is asked for with a session"
    evil = await door.get("/<script>alert(1)</script>", headers=person)
    assert "<script>" not in evil.text


# What is served -------------------------------------------------------------------------------------------


async def test_page_is_small_and_alone(door: httpx.AsyncClient) -> None:
    plain = await door.get("/", headers={"Accept-Encoding": "identity"})
    assert len(plain.content) <= 44 * 1024
    async with door.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert len(raw) <= 16 * 1024
    assert gzip.decompress(raw) == plain.content
    policy = plain.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert plain.headers["x-content-type-options"] == "nosniff"
    same = await door.get("/", headers={"If-None-Match": plain.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert (await door.get("/s/main")).content == plain.content


async def test_page_names_no_other_place(door: httpx.AsyncClient) -> None:
    page = (await door.get("/")).text
    assert re.findall(r"https?://[^\s\"'`]+", page) == []
    for linked in re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="([^"]+)"', page):
        answer = await door.get(linked)
        assert answer.status_code == 200, linked
        assert answer.headers["content-type"].startswith("image/")


PARTS = ["database", "data service", "REST", "model", "bridge", "recording", "disk", "voice"]


async def test_health_names_every_part(door: httpx.AsyncClient) -> None:
    health = (await door.get("/health")).json()
    assert health["status"] == "ok"
    states = {check["name"]: check["state"] for check in health["checks"]}
    assert states == dict.fromkeys(PARTS, "ok")
    assert all(check["sentence"].endswith(".") for check in health["checks"])


async def test_metrics_are_what_prometheus_reads(door: httpx.AsyncClient) -> None:
    await door.post("/api/ask", json={"question": "How many beds are free?"})
    answer = await door.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    numbers = dict(re.findall(r"^([a-z_]+(?:{[^}]*})?) ([\d.e+]+)$", answer.text, re.MULTILINE))
    assert float(numbers['dreamstack_questions_total{status="answered"}']) >= 1
    assert numbers['dreamstack_part_up{part="database"}'] == "1.0"


async def test_openapi_describes_what_is_served(door: httpx.AsyncClient) -> None:
    described = (await door.get("/api/openapi.json")).json()
    assert {"/api/ask", "/api/catalog", "/health"} <= set(described["paths"])
    assert described["components"]["schemas"]["AskBody"]["required"] == ["question"]


async def test_changes_are_told_as_they_happen(door: httpx.AsyncClient) -> None:
    async with aconnect_sse(door, "GET", "/changes?collection=beds", timeout=10) as feed:
        assert feed.response.status_code == 200
        events = feed.aiter_sse()
        first = await anext(events)
        assert first.event == "ready"
        row = (await door.get("/rest/beds?status=eq.occupied&limit=1")).json()[0]
        try:
            assert (await door.patch(f"/rest/beds?id=eq.{row['id']}", json={"status": "cleaning"})).status_code == 204
            async with asyncio.timeout(5):
                event = await anext(event async for event in events if event.event == "change")
        finally:
            await door.patch(f"/rest/beds?id=eq.{row['id']}", json={"status": row["status"]})
    change = json.loads(event.data)
    assert (change["collection"], change["op"], change["key"]) == ("beds", "update", row["id"])
    assert change["row"]["status"] == "cleaning"
    assert change["changed"] == ["status"]


# Frames ---------------------------------------------------------------------------------------------------


def head(kind: int, flags: int = 0, length: int = 0) -> bytes:
    return struct.pack("<BBHIHHI", kind, flags, 0, 0, 0, 0, length)


MALFORMED: dict[str, tuple[bytes | str, str]] = {
    "unknown flag": (head(0xF0, 0x80), "SIG301"),
    "over-long payload": (head(0x40, 1, 2**31), "SIG302"),
    "no JSON": (head(0x40, 1, 4) + b"{bad", "SIG303"),
    "a list": (head(0xF0, 0, 2) + b"[]", "SIG303"),
    "deep JSON": (head(0x40, 1, 200_000) + b"[" * 200_000, "SIG303"),
    "bad deflate": (head(0x40, 5, 4) + b"\xff\xff\xff\xff", "SIG304"),
    "unknown control": (head(0xF0, 0, 14) + b'{"type":"nope"', "SIG303"),
    "unknown control kind": (head(0xF0, 0, 15) + b'{"type":"nope"}', "SIG307"),
    "unknown input": (head(0x40, 1, 15) + b'{"type":"nope"}', "SIG307"),
    "a text message": ("hello", "SIG300"),
}


@pytest.mark.parametrize(("sent", "code"), MALFORMED.values(), ids=list(MALFORMED))
async def test_malformed_frame_ends_its_own_connection_only(box: Box, sent: bytes | str, code: str) -> None:
    async with joined(box.url) as other:
        error, closed = await answer_to(box, sent)
        assert error["type"] == "error"
        assert set(error) >= SHAPE
        assert error["code"] == code
        assert closed
        question = "How many beds are free in cardiology?"
        await other.ask(question)
        assert (await other.answer_to(question))["status"] == "answered", "the others are served"


async def answer_to(box: Box, sent: bytes | str) -> tuple[dict[str, Any], bool]:
    """The CONTROL error that `sent` gets, and whether the connection is then closed."""
    error: dict[str, Any] = {}
    decoder = Decoder()
    async with connect(socket_url(box.url), compression=None, proxy=None) as socket:
        await socket.send(sent)
        try:
            async with asyncio.timeout(10):
                async for message in socket:
                    assert isinstance(message, bytes)
                    for frame in decoder.feed(message):
                        if frame.type == FrameType.CONTROL and frame.json()["type"] == "error":
                            error = frame.json()
        except websockets.ConnectionClosed:
            pass
        return error, socket.close_code is not None


async def test_frame_of_a_later_version_is_skipped(box: Box) -> None:
    async with connect(socket_url(box.url), compression=None, proxy=None) as socket:
        await socket.send(head(0x77, 0, 3) + b"new" + head(0xF0, 0, 21) + b'{"type":"ping","t":7}')
        decoder, said = Decoder(), []
        async with asyncio.timeout(5):
            while {"type": "pong", "t": 7} not in said:
                message = await socket.recv()
                assert isinstance(message, bytes)
                said += [frame.json() for frame in decoder.feed(message)]


async def test_stream_that_is_not_there_is_told(box: Box) -> None:
    payload = b'{"type":"subscribe","stream":"nope"}'
    async with connect(socket_url(box.url), compression=None, proxy=None) as socket:
        await socket.send(head(0xF0, 0, len(payload)) + payload)
        decoder, codes = Decoder(), []
        async with asyncio.timeout(5):
            while "BRG408" not in codes:
                message = await socket.recv()
                assert isinstance(message, bytes)
                codes += [frame.json().get("code") for frame in decoder.feed(message)]


# Paths that lead back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/flex/../tokens"),
        ("GET", "/flex/../ledger/audit"),
        ("POST", "/flex/%2e%2e/end"),
        ("GET", "/rest/../ready"),
        ("POST", "/api/alerts/../../tokens"),
    ],
)
def test_no_path_reaches_what_stands_behind_the_door(lan: Box, method: str, path: str) -> None:
    """As `curl --path-as-is` writes it, with the key of a wall."""
    address = urlsplit(lan.url)
    road = http.client.HTTPConnection(address.hostname or "", address.port, timeout=15)
    try:
        road.putrequest(method, path, skip_accept_encoding=True)
        road.putheader("Authorization", f"Bearer {lan.key('wall')}")
        road.putheader("Content-Type", "application/json")
        road.putheader("Content-Length", "31")
        road.endheaders(b'{"role":"admin","ttl_s": 86400}')
        answer = road.getresponse()
        assert answer.status in (404, 405), answer.read()
    finally:
        road.close()
