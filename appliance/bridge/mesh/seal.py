"""Seals: the box's signature over a signal frame, sent in a control frame before it.

The signature is over the payload's own bytes, so nothing has to be written again to be checked. It also covers
what makes the same bytes mean something else: the stream, the role, the kind of frame, and when it was signed.

>>> message(Place("main", "wall"), 0x31, 3, 1764000000000, b"{}")[:20]
b'["main","wall",49,3,'
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from appliance.bridge import identity as keys
from appliance.bridge.armor import as_bytes, as_text
from appliance.bridge.frame import Frame, control
from appliance.bridge.identity import Identity
from appliance.errors import ApplianceError

PURPOSE: Final = "frame"


class Place(msgspec.Struct, frozen=True):
    """A view: the stream's name and the role that sees it."""

    stream: str
    role: str


class Seal(msgspec.Struct, frozen=True):
    """What the box signed a frame with.

    Attributes:
        g: the box's generation: how often its bridge has started.
        t: the box's clock when it signed, milliseconds since 1970.
        sig: the signature, base64url without padding.
    """

    g: int
    t: int
    sig: str

    def frame(self) -> Frame:
        """The seal as it travels: a CONTROL frame before the frame it is for."""
        return control("seal", g=self.g, t=self.t, sig=self.sig)


def message(place: Place, kind: int, g: int, t: int, payload: bytes) -> bytes:
    """What is signed: a JSON array on a line, then the payload as it stands, inflated."""
    return msgspec.json.encode([place.stream, place.role, int(kind), g, t]) + b"\n" + payload


def seal(box: Identity, place: Place, frame: Frame, g: int, t: int) -> Seal:
    """Sign a frame with the box's key."""
    return Seal(g, t, as_text(box.sign(PURPOSE, message(place, frame.type, g, t, frame.payload))))


def check(box_id: str, place: Place, frame: Frame, given: Seal) -> None:
    """Raise unless the box of `box_id` signed this very frame for this view.

    Raises:
        ApplianceError: SIG320.
    """
    signature = as_bytes(given.sig)
    signed = message(place, frame.type, given.g, given.t, frame.payload)
    if signature is None or not keys.verify(box_id, PURPOSE, signed, signature):
        raise forged("a frame's signature is not the box's")


def read(said: dict[str, Any]) -> Seal:
    """The seal that a control frame carries.

    Raises:
        ApplianceError: SIG320, it is none.
    """
    try:
        return msgspec.convert(said, Seal)
    except msgspec.ValidationError as error:
        raise forged(str(error)) from None


def forged(details: str) -> ApplianceError:
    """The error SIG320."""
    return ApplianceError(
        "SIG320",
        "What a relay passed on is not what the box signed.",
        details,
        "The screen leaves that relay by itself; look at the machine it runs on.",
    )
