"""Passes: what the box says of a screen it has let in, signed, so that others can read it where the box is not.

A pass names the screen, and whoever shows it must prove to be that screen: over Iroh the handshake does. So a
pass that was overheard is worth nothing.

    >>> text = issue(box, screen.endpoint_id, role="wall", name="Lobby")  # doctest: +SKIP
    >>> verify(text, box.endpoint_id).role  # doctest: +SKIP
    'wall'
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import msgspec

from appliance.bridge import identity as keys
from appliance.bridge.armor import as_bytes, as_text
from appliance.bridge.identity import Identity
from appliance.bridge.rooms import may_read_room, own_stream
from appliance.errors import ApplianceError
from appliance.types import Role

VALID_S: Final = 7 * 86_400.0
TEXT_LIMIT: Final = 2000
_PURPOSE: Final = "pass"


class Pass(msgspec.Struct, frozen=True):
    """A screen as the box knows it.

    Attributes:
        screen: its EndpointId, or another id that the box knows it by.
        role: what it acts as.
        expires: when the pass runs out, seconds since 1970.
        name: what people call it.
        room: where it is; empty where no room was given.
    """

    screen: str
    role: Role
    expires: float
    name: str = ""
    room: str = ""


def issue(
    box: Identity, screen: str, *, role: Role, name: str = "", room: str = "", expires: float | None = None
) -> str:
    """A pass as text, at most 2,000 characters of URL-safe base64 and one dot.

    Args:
        box: the key of the box.
        screen: its EndpointId, or another id that the box knows it by.
        role: what it acts as.
        name: what people call it.
        room: where it is.
        expires: seconds since 1970; seven days from now unless told otherwise.

    Raises:
        ApplianceError: BRG410, a name or room so long that nobody would read the pass.
    """
    until = time.time() + VALID_S if expires is None else expires
    body = msgspec.json.encode(Pass(screen, role, round(until, 3), name, room))
    text = f"{as_text(body)}.{as_text(box.sign(_PURPOSE, body))}"
    if len(text) > TEXT_LIMIT:
        raise ApplianceError("BRG410", "The name or the room of the screen is too long for a pass.", len(text))
    return text


def verify(text: str, box_endpoint_id: str, now: float | None = None) -> Pass:
    """The pass that a text is, once it is known to be this box's and to hold at `now` (seconds since 1970).

    Who shows it must still prove to be its `screen`: compare that with the peer of the connection.

    Raises:
        ApplianceError: BRG430, it cannot be read, is not signed by this box, or has run out.
    """
    head, _, tail = text.partition(".")
    body, signature = as_bytes(head), as_bytes(tail)
    if len(text) > TEXT_LIMIT or body is None or signature is None:
        raise refused("it cannot be read")
    if not keys.verify(box_endpoint_id, _PURPOSE, body, signature):
        raise refused("this box did not sign it")
    try:
        said = msgspec.json.decode(body, type=Pass)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refused(str(error)) from None
    if said.expires <= (time.time() if now is None else now):
        raise refused("it has run out")
    return said


def check_revoked(shown: Pass, revoked: Mapping[str, float]) -> None:
    """Raise where a pass holds no longer, though it has not run out.

    Args:
        shown: the pass.
        revoked: by screen, until when (seconds since 1970) those of its passes run out that do not hold.

    Raises:
        ApplianceError: BRG430.
    """
    if shown.expires <= revoked.get(shown.screen, 0.0):
        raise refused("the screen was revoked, or is known as another by now")


def may_read(shown: Pass, stream: str) -> bool:
    """Whether a pass is for a stream: rooms are read by who is in them, and by the admin."""
    return may_read_room(stream, own_stream(shown.room), shown.role)


def refused(reason: str) -> ApplianceError:
    """The error BRG430."""
    return ApplianceError(
        "BRG430", "The pass of this screen is no good.", reason, "Connect to the box: it gives out a new one."
    )
