"""The guard of the public door: Host, Origin and where a credential is read from."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from appliance.config import Settings, load
from appliance.errors import ApplianceError
from appliance.services.door import UNKNOWN, check_meant, credential, names

HERE = load({"data": "/nowhere", "box_name": "Lobby Box"}, environ={})
LAN = load({"data": "/nowhere", "box_name": "Lobby Box", "lan": True}, environ={})


def connection(path: str = "/api/ask", **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "path": path, "headers": raw, "query_string": b"", "scheme": "http"}
    return HTTPConnection(scope | {"server": ("127.0.0.1", 8080)})


def refused(settings: Settings, asked: HTTPConnection) -> bool:
    try:
        check_meant(asked, settings)
    except ApplianceError as error:
        assert error.code == "BRG403"
        assert error.hint
        return True
    return False


@pytest.mark.parametrize("settings", [HERE, LAN])
@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LocalHost"])
def test_this_machine_may_be_named(host: str, settings: Settings) -> None:
    assert not refused(settings, connection(host=host))


OTHERS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "127.0.0.1@evil.example",
    "",
    "[",
    "a b",
    "::1::",
]


@pytest.mark.parametrize("settings", [HERE, LAN])
@pytest.mark.parametrize("host", OTHERS)
def test_another_host_is_refused(host: str, settings: Settings) -> None:
    assert refused(settings, connection(host=host))


def test_a_request_without_a_host_is_refused() -> None:
    assert refused(HERE, connection())


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "192.0.2.7:8080", "[2001:db8::1]:8080", "lobby-box.local", "dreamstack.local"]
)
def test_the_network_names_a_lan_box_only(host: str) -> None:
    assert refused(HERE, connection(host=host))
    assert not refused(LAN, connection(host=host))


def test_names_are_the_machines_and_the_boxs() -> None:
    own = socket.gethostname().casefold()
    assert names(LAN) == {own, f"{own}.local", "lobby-box.local", "dreamstack.local"}


@pytest.mark.parametrize("origin", ["http://localhost:8080", "https://localhost:8080", "http://LOCALHOST:8080"])
def test_the_boxs_own_page_may_ask(origin: str) -> None:
    assert not refused(HERE, connection(host="localhost:8080", origin=origin))


FOREIGN = [
    "http://evil.example",
    "null",
    "",
    "http://localhost",
    "http://localhost:8081",
    "http://127.0.0.1:8080",
    "localhost:8080",
    "http://[",
    "http://[::1",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_another_page_may_not_ask(origin: str) -> None:
    assert refused(HERE, connection(host="localhost:8080", origin=origin))


def test_where_a_browser_says_it_comes_from_counts() -> None:
    for site in ("cross-site", "same-site"):
        assert refused(HERE, connection(host="localhost", sec_fetch_site=site))
        assert not refused(HERE, connection("/", host="localhost", sec_fetch_site=site)), "a link to the page is fine"
    for site in ("same-origin", "none"):
        assert not refused(HERE, connection(host="localhost", sec_fetch_site=site))


def test_a_long_host_is_told_shortened() -> None:
    with pytest.raises(ApplianceError) as caught:
        check_meant(connection(host="x" * 5000), HERE)
    assert len(str(caught.value.details)) < 150


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ""),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"authorization": "Basic abc"}, ""),
        ({"authorization": "Bearer"}, ""),
        ({"cookie": "a=1; dreamstack=abc"}, "abc"),
        ({"authorization": "Bearer abc", "cookie": "dreamstack=other"}, "abc"),
        ({"authorization": "Basic x", "cookie": "dreamstack=abc"}, "abc"),
        ({"authorization": "Bearer ses-abc"}, UNKNOWN),
        ({"cookie": "dreamstack=ses-abc"}, UNKNOWN),
        ({"cookie": "dreamstack_screen=ses-abc"}, UNKNOWN),
    ],
)
def test_the_credential_is_a_bearer_or_a_cookie(headers: dict[str, str], expected: str) -> None:
    assert credential(connection(**headers)) == expected


@pytest.mark.parametrize(
    ("scheme", "origin", "stopped"),
    [
        ("http", "http://192.0.2.7:8080", False),
        ("http", "https://192.0.2.7:8080", False),  # a reverse proxy has the TLS
        ("https", "https://192.0.2.7:8080", False),
        ("https", "HTTPS://192.0.2.7:8080", False),
        ("wss", "https://192.0.2.7:8080", False),
        ("https", "http://192.0.2.7:8080", True),  # anybody on the network can have made that page
        ("wss", "http://192.0.2.7:8080", True),
        ("wss", "null", True),
    ],
)
def test_under_tls_a_page_that_came_in_the_open_is_from_elsewhere(scheme: str, origin: str, stopped: bool) -> None:
    asked = connection(host="192.0.2.7:8080", origin=origin)
    asked.scope["scheme"] = scheme
    assert refused(LAN, asked) is stopped
