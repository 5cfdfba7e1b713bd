"""The box's word where it stands: signed, every two seconds, so that a relay cannot pass off an old state as new.

A screen that hears of a version it was not given knows that frames are held back. One that hears nothing any more
knows how old its picture is. To learn how the box's clock stands beside its own, it sends a number of its own
choice and gets it back in such a word.

>>> Alive("main", "wall", 3, 1764000000000, "9f3c01aa", 41).v
41
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from appliance.bridge import identity as keys
from appliance.bridge.armor import as_bytes, as_text
from appliance.bridge.frame import Frame, control
from appliance.bridge.identity import Identity
from appliance.bridge.mesh.seal import Place, forged

PURPOSE: Final = "alive"
EVERY_S: Final = 2.0
NONCE_LIMIT: Final = 40


class Alive(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a view stands.

    Attributes:
        stream, role: the view.
        g, t: as of :class:`~appliance.bridge.mesh.seal.Seal`.
        e, v: epoch and version.
        n: the number a screen sent to have this said; else empty.
        no: by screen, until when (seconds since 1970) the passes run out that hold no longer.
    """

    stream: str
    role: str
    g: int
    t: int
    e: str
    v: int
    n: str = ""
    no: dict[str, float] = {}

    @property
    def place(self) -> Place:
        """The view."""
        return Place(self.stream, self.role)


def say(box: Identity, word: Alive) -> Frame:
    """The word, signed, as a CONTROL frame."""
    body = msgspec.json.encode(word)
    return control("alive", body=body.decode(), sig=as_text(box.sign(PURPOSE, body)))


def hear(box_id: str, said: dict[str, Any]) -> Alive:
    """The word that a control frame carries, once it is known to be the box's.

    Raises:
        ApplianceError: SIG320, it is not.
    """
    body, signature = str(said.get("body", "")).encode(errors="replace"), as_bytes(str(said.get("sig", "")))
    if signature is None or not keys.verify(box_id, PURPOSE, body, signature):
        raise forged("where the box stands was not signed by it")
    try:
        return msgspec.json.decode(body, type=Alive)
    except msgspec.DecodeError as error:
        raise forged(str(error)) from None
