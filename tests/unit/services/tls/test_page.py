"""The plain side of the door: one page and the certificate, the same answer everywhere else, and nothing to steal."""

from __future__ import annotations

import asyncio
import json
import plistlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from appliance.config import load
from appliance.services.tls.authority import Authority, load_or_create
from appliance.services.tls.page import TrustPage, device
from tests.unit.services.tls.made import DAY, WANTED

AGENTS = {
    "ios": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1",
    "android": "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36",
    "windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131",
    "mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
    "linux": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return load_or_create(tmp_path, "Ward 4", WANTED, DAY)


class Plain:
    """Asks the page, as a caller at this address does."""

    def __init__(self, page: TrustPage) -> None:
        self.page = page

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.page)
            async with httpx.AsyncClient(transport=transport, base_url="http://ward-4.local:8443") as client:
                return await client.request(method, path, **given)

        return asyncio.run(asked())

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.request("GET", path, **given)


def asking(authority: Authority, **given: Any) -> Plain:
    settings = load({"data": "/nowhere", "lan": True, "box_name": "Ward 4", "port": 8443, **given}, environ={})
    return Plain(TrustPage(settings, authority))


@pytest.fixture
def plain(authority: Authority) -> Plain:
    return asking(authority)


def test_the_page_says_what_the_box_is_and_how_to_trust_it(plain: Plain, authority: Authority) -> None:
    answer = plain.get("/")
    assert answer.status_code == 200
    assert "{{" not in answer.text and "/*{{" not in answer.text and "<!--" not in answer.text
    shown = re.findall(r"<span>([0-9A-F]{4})</span>", answer.text)
    assert " ".join(shown) == authority.fingerprint
    assert 'href="https://ward-4.local:8443/"' in answer.text
    assert "http://ward-4.local:8443/" in answer.text and "<svg" in answer.text
    assert authority.name in answer.text
    for path in set(re.findall(r'href="(/[^"]*)"', answer.text)):
        assert plain.get(path).status_code == 200, path


def test_it_loads_nothing_and_runs_nothing(plain: Plain) -> None:
    answer = plain.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy and "unsafe" not in policy
    assert (
        "<script" not in answer.text
        and " style=" not in answer.text
        and " on" not in re.sub(r">[^<]*<", "", answer.text)
    )
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers, "it would lock people out of this page"


@pytest.mark.parametrize("name", AGENTS)
def test_the_part_for_the_device_is_first_and_open(plain: Plain, name: str) -> None:
    text = plain.get("/", headers={"User-Agent": AGENTS[name]}).text
    parts = re.findall(r'<details( open)? id="(\w+)">', text)
    assert parts[0] == (" open", name)
    assert sorted(part for _, part in parts) == sorted(AGENTS)
    assert [opened for opened, _ in parts].count(" open") == 1


def test_an_unknown_browser_gets_the_page_too(plain: Plain) -> None:
    assert device("") in AGENTS
    assert plain.get("/", headers={"User-Agent": ""}).status_code == 200


def test_the_certificate_comes_in_three_forms(plain: Plain, authority: Authority) -> None:
    der, pem, profile = (plain.get(path) for path in ("/ca.crt", "/ca.pem", "/ca.mobileconfig"))
    assert der.headers["content-type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(der.content) == authority.certificate
    assert x509.load_pem_x509_certificate(pem.content) == authority.certificate
    assert profile.headers["content-type"] == "application/x-apple-aspen-config"
    told = plistlib.loads(profile.content)
    [payload] = told["PayloadContent"]
    assert told["PayloadType"] == "Configuration" and payload["PayloadType"] == "com.apple.security.root"
    assert payload["PayloadContent"] == authority.certificate.public_bytes(serialization.Encoding.DER)
    assert told["PayloadUUID"] != payload["PayloadUUID"]
    assert plain.get("/ca.mobileconfig").content == profile.content, "installing it again replaces it"
    assert all(b"PRIVATE" not in each.content for each in (der, pem, profile))


ELSEWHERE = [
    "/health",
    "/api/ask",
    "/api/catalog",
    "/rest/beds",
    "/flex/beds",
    "/metrics",
    "/admin",
    "/s/main",
    "/shape",
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [*ELSEWHERE, "/ca.pem/", "/../keys/ca.pem", "/keys/ca.pem"])
def test_every_other_address_answers_alike(plain: Plain, method: str, path: str) -> None:
    headers = {"Authorization": "Bearer key", "Cookie": "dreamstack=key"}
    answer = plain.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "BRG417")
    assert set(answer.json()) == {"code", "message", "details", "hint"}
    assert "https://ward-4.local:8443/" in answer.json()["hint"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/ca.crt"])
def test_nothing_can_be_written_to_the_page(plain: Plain, path: str) -> None:
    assert plain.request("POST", path, content=b"x").status_code == 404


def test_a_person_gets_it_as_a_page(plain: Plain) -> None:
    answer = plain.get("/admin", headers={"Accept": "text/html"})
    assert answer.status_code == 404 and "BRG417" in answer.text and 'href="/"' in answer.text
    assert "Key of this box" not in answer.text, "no key is asked for in the open"


def test_a_key_in_the_open_signs_nobody_in(plain: Plain) -> None:
    answer = plain.get("/?key=abc-secret", headers={"Accept": "text/html"})
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert "abc-secret" not in answer.text and "crossed the network in the open" in answer.text


async def test_a_socket_is_refused_alike(plain: Plain) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/ws", "scheme": "ws", "query_string": b"", "headers": [(b"host", b"box")]}
    await plain.page(scope | {"extensions": {"websocket.http.response": {}}}, receive, send)
    assert [message["type"].rpartition(".")[2] for message in sent] == ["start", "body"]
    assert sent[0]["status"] == 404 and json.loads(sent[1]["body"])["code"] == "BRG417"


@pytest.mark.parametrize("host", ["evil.example", 'a"><script>', "[", "", "[::1"])
def test_a_host_that_is_not_the_box_is_not_repeated(plain: Plain, host: str) -> None:
    text = plain.get("/", headers={"Host": host}).text
    assert "evil" not in text and "<script" not in text
    assert re.search(r'href="https://[\d.]+:8443/"', text)


def test_the_usual_ports_are_not_written(authority: Authority) -> None:
    text = asking(authority, port=443).get("/", headers={"Host": "ward-4.local"}).text
    assert 'href="https://ward-4.local/"' in text
    assert "http://ward-4.local/" in text


def test_a_box_name_is_text(tmp_path: Path) -> None:
    authority = load_or_create(tmp_path, "<b>&{{qr}}", WANTED, DAY)
    text = asking(authority, box_name="<b>&{{qr}}").get("/").text
    assert "<h1>&lt;b&gt;&amp;" in text and text.count("<svg") == 1
