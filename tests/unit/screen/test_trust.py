"""Whom our programs trust behind https, and what they say when they do not."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from appliance.errors import ApplianceError
from appliance.screen.trust import DEFAULT_DOOR, as_fault, door_of_this_machine, key_of_this_machine, verified
from appliance.services.tls.authority import load_or_create
from appliance.services.tls.names import Wanted


def authorities(context: ssl.SSLContext) -> set[str]:
    """The common names of those a context trusts."""
    parts = [part for held in context.get_ca_certs() for group in held["subject"] for part in group]
    return {part[1] for part in map(tuple, parts) if part[0] == "commonName"}


def test_a_named_file_is_trusted_and_nobody_else(tmp_path: Path) -> None:
    made = load_or_create(tmp_path, "Box", Wanted(("localhost",), ()), datetime.now(UTC))
    assert authorities(verified(str(tmp_path / "ca.crt"))) == {made.name}


def test_a_box_of_this_machine_is_trusted_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    made = load_or_create(data / "keys", "Here", Wanted(("localhost",), ()), datetime.now(UTC))
    more = load_or_create(other / "keys", "There", Wanted(("localhost",), ()), datetime.now(UTC))
    monkeypatch.setenv("DREAMSTACK_DATA", str(data))
    assert made.name in authorities(verified()) and more.name not in authorities(verified())
    assert {made.name, more.name} <= authorities(verified(data=other))


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(ApplianceError) as told:
        verified(str(tmp_path / "ca.pem"))
    assert told.value.code == "SCR505" and told.value.hint


def test_the_door_is_that_of_the_box_that_runs_here(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    environ = {"DREAMSTACK_DATA": str(tmp_path)}
    file = tmp_path / "run" / "box.json"
    assert door_of_this_machine(environ) == DEFAULT_DOOR
    file.write_text(json.dumps({"pid": os.getpid(), "url": "https://127.0.0.1:8443"}))
    assert door_of_this_machine(environ) == "https://127.0.0.1:8443"
    assert door_of_this_machine(environ | {"DREAMSTACK_URL": "http://other:1"}) == "http://other:1"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    remains: tuple[object, ...] = ({"pid": ended.pid, "url": "https://gone"}, {"pid": "x"}, [], None)
    for left in remains:
        file.write_text(json.dumps(left))
        assert door_of_this_machine(environ) == DEFAULT_DOOR
    file.write_text("{")
    assert door_of_this_machine(environ) == DEFAULT_DOOR


REFUSED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {} (_ssl.c:1)"


def test_the_key_is_that_of_the_box_that_runs_here_and_given_to_nobody_else(tmp_path: Path) -> None:
    environ = {"DREAMSTACK_DATA": str(tmp_path)}
    for folder in ("run", "keys"):
        (tmp_path / folder).mkdir()
    (tmp_path / "run" / "box.json").write_text(json.dumps({"pid": os.getpid(), "url": "https://127.0.0.1:9000"}))
    assert key_of_this_machine("https://127.0.0.1:9000", environ) == ""
    (tmp_path / "keys" / "staff.key").write_text("a key\n")
    assert key_of_this_machine("https://127.0.0.1:9000", environ) == "a key"
    assert key_of_this_machine("https://elsewhere.example", environ) == ""


@pytest.mark.parametrize(
    ("said", "code", "hint"),
    [
        (REFUSED.format("self-signed certificate"), "SCR505", "http://box:8/ca.pem"),
        (REFUSED.format("Hostname mismatch, certificate is not valid for 'box'"), "SCR505", "name"),
        (REFUSED.format("certificate has expired"), "SCR505", "clock"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1)", "SCR501", "http://box:8"),
    ],
)
def test_what_went_wrong_is_told_in_a_line_with_the_fix(said: str, code: str, hint: str) -> None:
    fault = as_fault("https://box:8", httpx.ConnectError(said))
    assert fault is not None and fault.code == code
    assert hint in str(fault.hint) and "_ssl" not in fault.line()
    assert len(fault.line().splitlines()) == 2


def test_another_failure_is_not_of_trust() -> None:
    assert as_fault("https://box", httpx.ConnectError("[Errno 111] Connection refused")) is None
