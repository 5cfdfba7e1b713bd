"""Tickets for new screens: signed by the box, good for a while, not to be changed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.invitations import Invitation, is_invitation, peek, read, write
from appliance.errors import ApplianceError


@pytest.fixture
def box(tmp_path: Path) -> Identity:
    return load_or_create(tmp_path / "box.key")


def ticket(box: Identity) -> Invitation:
    return Invitation("t1", box.endpoint_id, ("192.0.2.7:4711",), "icu", "wall", 2000.0, 4)


def test_a_ticket_says_what_was_written(box: Identity) -> None:
    text = write(ticket(box), box)
    assert is_invitation(text) and peek(text) == read(f" {text}\n", box.endpoint_id, 1999.0) == ticket(box)


def test_a_ticket_runs_out(box: Identity) -> None:
    with pytest.raises(ApplianceError, match="BRG444"):
        read(write(ticket(box), box), box.endpoint_id, 2000.0)


def test_a_ticket_that_was_changed_or_is_another_boxs_is_no_good(box: Identity, tmp_path: Path) -> None:
    other = load_or_create(tmp_path / "other.key")
    better = msgspec.structs.replace(ticket(box), role="admin")
    body = write(better, other).partition(".")[0]
    forged = body + "." + write(ticket(box), box).partition(".")[2]
    for text in (forged, write(better, other), "dreamstack-", "dreamstack-a.b", "dreamstack-\xff.\xff", ""):
        with pytest.raises(ApplianceError, match="BRG444"):
            read(text, box.endpoint_id, 0.0)
