"""The supervisor's own small parts: ports, addresses and keys, before any process starts."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings, load
from appliance.errors import ApplianceError
from appliance.services.keys import role_keys
from appliance.services.supervisor import check_port, local_url
from tests.box import free_port


def settings(**given: Any) -> Settings:
    return load({"data": "/nowhere", **given}, environ={})


def test_a_trust_port_is_looked_at_where_there_is_a_trust_page() -> None:
    port = free_port()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        taken = held.getsockname()[1]
        check_port(settings(port=port, trust_port=taken))
        with pytest.raises(ApplianceError, match="BRG407") as told:
            check_port(settings(port=port, trust_port=taken, tls="on"))
        assert str(taken) in told.value.message and "--trust-port" in str(told.value.hint)


def test_one_port_is_enough_for_both() -> None:
    port = free_port()
    with pytest.raises(ApplianceError, match="BRG407") as told:
        check_port(settings(port=port, trust_port=port, tls="on"))
    assert "--trust-port" in str(told.value.hint)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"lan": True}, "https://127.0.0.1:8080"),
        ({"lan": True, "port": 443}, "https://127.0.0.1"),
        ({"lan": True, "port": 80, "tls": "off"}, "http://127.0.0.1"),
        ({"tls": "on", "port": 80}, "https://127.0.0.1:80"),
    ],
)
def test_the_address_says_how_the_door_speaks(given: dict[str, Any], url: str) -> None:
    assert local_url(settings(**given)) == url


def test_no_key_looks_like_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["-first", "-second", "wall", "staff", "-x", "admin"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: next(made))
    keys = role_keys(tmp_path)
    assert list(keys.values()) == ["wall", "staff", "admin"]
    assert role_keys(tmp_path) == keys
