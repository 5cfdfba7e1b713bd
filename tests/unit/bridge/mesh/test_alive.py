from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.bridge.armor import as_text
from appliance.bridge.mesh import alive
from appliance.bridge.mesh.alive import Alive
from appliance.errors import ApplianceError
from tests.unit.bridge.mesh.keys import BOX, OTHER

WORD = Alive("main", "wall", 3, 1_764_000_000_000, "9f3c01aa", 41, "n1", {"ab" * 32: 1_764_600_000.5})


def test_a_word_says_what_the_box_said() -> None:
    said = alive.say(BOX, WORD).json()
    assert said["type"] == "alive"
    assert alive.hear(BOX.endpoint_id, said) == WORD


def refused(said: dict[str, Any]) -> None:
    with pytest.raises(ApplianceError, match="SIG320"):
        alive.hear(BOX.endpoint_id, said)


def test_it_cannot_be_made_younger() -> None:
    said = alive.say(BOX, WORD).json()
    refused({**said, "body": said["body"].replace("1764000000000", "1764000060000")})
    refused(alive.say(OTHER, WORD).json())


@pytest.mark.parametrize("said", [{}, {"body": "{}"}, {"body": 7, "sig": 7}, {"body": "\ud800", "sig": "AAAA"}])
def test_what_is_no_word_is_refused(said: dict[str, Any]) -> None:
    refused(said)


def test_what_the_box_signed_but_is_no_word_is_refused() -> None:
    body = b'{"stream":"main"}'
    refused({"body": body.decode(), "sig": as_text(BOX.sign("alive", body))})
    assert msgspec.json.decode(body) == {"stream": "main"}
