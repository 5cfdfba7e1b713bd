"""Letters: what a screen behind a relay sends up, signed with the screen's own key so that the box knows whose it is.

A letter holds one input frame's JSON. It names the epoch it was written in and a number that only grows, so that a
relay can neither send it twice nor keep it for later; the relay can lose it, as any network can.

    >>> letter = write(screen, pass_text, "9f3c01aa", {"type": "ask", "question": "Free beds?"})  # doctest: +SKIP
    >>> Letters(box_id).open(letter, "9f3c01aa")  # doctest: +SKIP
    (Pass(screen='ab12...', role='staff', ...), {'type': 'ask', 'question': 'Free beds?'})
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any, Final

import msgspec

from appliance.bridge import identity as keys
from appliance.bridge import passes
from appliance.bridge.armor import as_bytes, as_text
from appliance.bridge.identity import Identity
from appliance.bridge.passes import Pass
from appliance.errors import ApplianceError

PURPOSE: Final = "letter"
SCREENS_KEPT: Final = 10_000


class _Body(msgspec.Struct, frozen=True):
    """What the screen signed: the epoch `e` it has, its number `n`, and the `input`."""

    e: str | None
    n: int
    input: dict[str, Any]


def write(screen: Identity, pass_text: str, epoch: str | None, said: dict[str, Any]) -> dict[str, Any]:
    """A letter as the keys of an INPUT frame of the type ``letter``."""
    number = time.time_ns() // 1000
    body = msgspec.json.encode(_Body(epoch, number, said))
    signature = as_text(screen.sign(PURPOSE, body))
    return {"pass": pass_text, "n": number, "body": body.decode(), "sig": signature}


class Letters:
    """Opens letters: the box's side. Remembers the last number of each of the 10,000 latest screens."""

    def __init__(self, box_id: str) -> None:
        self._box_id = box_id
        self._last: OrderedDict[str, int] = OrderedDict()

    def open(self, letter: dict[str, Any], epoch: str) -> tuple[Pass, dict[str, Any]]:
        """Whose letter it is, and the input in it.

        Args:
            letter: the INPUT frame's JSON.
            epoch: the one that the relay's view has now.

        Raises:
            ApplianceError: BRG430 (no pass, or not this screen's signature), BRG434 (it came before, or was written
                in another epoch).
        """
        writer = passes.verify(str(letter.get("pass", "")), self._box_id)
        raw, signature = str(letter.get("body", "")).encode(errors="replace"), as_bytes(str(letter.get("sig", "")))
        if signature is None or not keys.verify(writer.screen, PURPOSE, raw, signature):
            raise passes.refused("the screen of the pass did not sign this")
        try:
            body = msgspec.json.decode(raw, type=_Body)
        except msgspec.DecodeError as error:
            raise passes.refused(str(error)) from None
        if body.e != epoch or body.n <= self._last.get(writer.screen, 0):
            raise _stale({"epoch": body.e, "number": body.n})
        self._remember(writer.screen, body.n)
        return writer, body.input

    def _remember(self, screen: str, number: int) -> None:
        self._last[screen] = number
        self._last.move_to_end(screen)
        if len(self._last) > SCREENS_KEPT:
            self._last.popitem(last=False)


def _stale(details: dict[str, Any]) -> ApplianceError:
    return ApplianceError(
        "BRG434", "What the screen sent came too late, or twice.", details, "Send it again from the screen."
    )
