from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge import passes
from appliance.bridge.identity import Identity, load_or_create
from appliance.errors import ApplianceError

SCREEN = "ab" * 32


@pytest.fixture
def box(tmp_path: Path) -> Identity:
    return load_or_create(tmp_path / "box.key")


def reason(text: str, box: Identity, now: float | None = None) -> Any:
    with pytest.raises(ApplianceError) as raised:
        passes.verify(text, box.endpoint_id, now)
    assert (raised.value.code, raised.value.status) == ("BRG430", 401)
    return raised.value.details


def signed(box: Identity, body: bytes, purpose: str = "pass") -> str:
    return ".".join(base64.urlsafe_b64encode(raw).decode().rstrip("=") for raw in (body, box.sign(purpose, body)))


def test_a_pass_says_what_the_box_said(box: Identity) -> None:
    text = passes.issue(box, SCREEN, role="wall", name="Lobby", room="Entrance ☼", expires=2_000.0)
    assert passes.verify(text, box.endpoint_id, now=1_999.9) == passes.Pass(
        SCREEN, "wall", 2_000.0, "Lobby", "Entrance ☼"
    )


def test_it_holds_for_a_week(box: Identity) -> None:
    found = passes.verify(passes.issue(box, SCREEN, role="staff"), box.endpoint_id)
    assert found.expires == pytest.approx(time.time() + 7 * 86_400, abs=60)


def test_it_runs_out(box: Identity) -> None:
    assert reason(passes.issue(box, SCREEN, role="wall", expires=2_000.0), box, now=2_000.0) == "it has run out"


def test_another_box_cannot_give_it(box: Identity, tmp_path: Path) -> None:
    other = load_or_create(tmp_path / "other.key")
    assert reason(passes.issue(other, SCREEN, role="admin"), box) == "this box did not sign it"
    assert reason(passes.issue(box, SCREEN, role="admin"), other) == "this box did not sign it"


def test_a_role_cannot_be_raised(box: Identity) -> None:
    body, _, signature = passes.issue(box, SCREEN, role="wall").partition(".")
    raised = base64.urlsafe_b64decode(body + "===").replace(b'"wall"', b'"admin"')
    text = base64.urlsafe_b64encode(raised).decode().rstrip("=")
    assert reason(f"{text}.{signature}", box) == "this box did not sign it"


def test_what_was_signed_for_another_end_is_no_pass(box: Identity) -> None:
    body = msgspec.json.encode(passes.Pass(SCREEN, "admin", 9e9))
    assert passes.verify(signed(box, body), box.endpoint_id).role == "admin"
    assert reason(signed(box, body, "frame"), box) == "this box did not sign it"


@pytest.mark.parametrize("body", [b"[]", b'{"screen":"x","role":"king","expires":9e9}', b"\xff", b"{}"])
def test_what_the_box_signed_but_is_no_pass(box: Identity, body: bytes) -> None:
    assert "run out" not in reason(signed(box, body), box)


def test_a_name_without_end_is_refused(box: Identity) -> None:
    with pytest.raises(ApplianceError) as raised:
        passes.issue(box, SCREEN, role="wall", name="x" * 2000)
    assert raised.value.code == "BRG410"


@given(text=st.text(max_size=300))
def test_anything_else_is_refused_and_never_a_crash(text: str) -> None:
    with pytest.raises(ApplianceError, match="BRG430"):
        passes.verify(text, SCREEN)
