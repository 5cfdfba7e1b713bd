"""Checks what comes over a road against the box's signature, and that it is no old story.

    >>> witness = Witness(box_id)  # doctest: +SKIP
    >>> witness.begin(Place("main", "wall"), direct=False)  # doctest: +SKIP
    >>> witness.sealed(said); link = witness.check(frame)  # doctest: +SKIP

Epochs are random, so which of two came later is told by what the box signs with them: its generation, and within
one generation its clock.
"""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.mesh import alive, seal
from appliance.bridge.mesh.alive import Alive
from appliance.bridge.mesh.chain import Link
from appliance.bridge.mesh.seal import Place, Seal
from appliance.bridge.signals import head
from appliance.errors import ApplianceError


class _Known(msgspec.Struct, frozen=True):
    """The latest the box is known to have signed for a view."""

    g: int
    e: str
    t: int


class Witness:
    """What a screen knows of one box, over all roads.

    Attributes:
        box_id: the box's EndpointId.
        place: the view that comes over the present road.
    """

    def __init__(self, box_id: str) -> None:
        self.box_id = box_id
        self.place: Place | None = None
        self._direct = False
        self._seal: Seal | None = None
        self._known: dict[Place, _Known] = {}

    def begin(self, place: Place, *, direct: bool) -> None:
        """A road begins to tell of a view; a `direct` one comes from the box itself, whose word on its epoch holds."""
        self.place, self._direct, self._seal = place, direct, None
        if direct:
            self._known.pop(place, None)

    def sealed(self, said: dict[str, Any]) -> None:
        """A seal came; it is for the next signal frame.

        Raises:
            ApplianceError: SIG320, it cannot be read.
        """
        self._seal = seal.read(said)

    def check(self, frame: Frame) -> Link:
        """A signal frame came: what it is, once it is known to be the box's.

        Raises:
            ApplianceError: SIG320 (not signed, or not by the box), SIG321 (of an epoch that is over), SIG303.
        """
        given, self._seal = self._seal, None
        if given is None or self.place is None:
            raise seal.forged("a frame came without the box's signature")
        seal.check(self.box_id, self.place, frame, given)
        told = head(frame.json())
        epoch, base = str(told.get("e")), told.get("b")
        self._in_order(given.g, epoch, given.t)
        diff = frame.type == FrameType.SIGNAL_DIFF
        return Link(frame, given, epoch, base if diff and isinstance(base, int) else None, told["v"])

    def alive(self, said: dict[str, Any]) -> Alive:
        """The box's word came.

        Raises:
            ApplianceError: SIG320 (not the box's, or of another view), SIG321 (of an epoch that is over).
        """
        word = alive.hear(self.box_id, said)
        if word.place != self.place:
            raise seal.forged("where the box stands was told of another view")
        self._in_order(word.g, word.e, word.t)
        return word

    def _in_order(self, g: int, e: str, t: int) -> None:
        assert self.place is not None
        known = self._known.get(self.place)
        if known is not None and (g < known.g or (g == known.g and e != known.e and t < known.t)):
            raise replayed({"epoch": e, "signed at": t, "known": known.e})
        latest = max(t, known.t) if known is not None and known.e == e else t
        self._known[self.place] = _Known(g, e, latest)


def replayed(details: Any) -> ApplianceError:
    """The error SIG321."""
    return ApplianceError(
        "SIG321",
        "A relay passes on an old state of the box as its present one, or holds a newer one back.",
        details,
        "The screen leaves that relay by itself.",
    )
