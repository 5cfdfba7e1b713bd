"""The box's part in the mesh: gives passes, signs frames and words, opens letters.

>>> mesh = Mesh(identity, next_generation(keys / "generation"))  # doctest: +SKIP
>>> mesh.seal("main", "wall", view, 40, frame)  # doctest: +SKIP
Frame(type=240, payload=b'{"type":"seal","g":3,"t":1764000000000,"sig":"..."}')
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance.bridge import passes
from appliance.bridge.frame import Frame
from appliance.bridge.identity import Identity
from appliance.bridge.mesh import alive
from appliance.bridge.mesh.alive import Alive
from appliance.bridge.mesh.letters import Letters
from appliance.bridge.mesh.seal import Place, seal
from appliance.bridge.passes import Pass
from appliance.bridge.signals import View
from appliance.types import Role

SEALS_KEPT: Final = 512


class Mesh:
    """What a box adds to its sessions so that screens may pass on what they get.

    Args:
        identity: the box's key.
        generation: a number that grows with every start (:func:`next_generation`): it orders epochs.
        clock: seconds since 1970.
        allow: what a screen is now that asks for a new pass and shows an old one, or None: it gets none.
    """

    def __init__(
        self,
        identity: Identity,
        generation: int = 0,
        clock: Callable[[], float] = time.time,
        allow: Callable[[Pass], Pass | None] = lambda shown: shown,
    ) -> None:
        self.generation = generation
        self.changed = asyncio.Event()
        self._identity = identity
        self._letters = Letters(identity.endpoint_id)
        self._clock = clock
        self._allow = allow
        self._latest = 0
        self._seals: OrderedDict[tuple[str, Role, str, tuple[int | None, int]], Frame] = OrderedDict()
        self._revoked: dict[str, float] = {}

    def now(self) -> int:
        """The box's clock in milliseconds, held from going back while the box runs."""
        self._latest = max(self._latest, int(self._clock() * 1000))
        return self._latest

    def greeting(self, screen: str, name: str, role: Role, room: str = "") -> dict[str, Any]:
        """What the hello to an admitted screen says besides: its pass, and the box's clock."""
        given = passes.issue(self._identity, screen, role=role, name=name[:200], room=room[:200])
        return {"pass": given, "g": self.generation, "t": self.now()}

    def seal(self, stream: str, role: Role, epoch: str, step: tuple[int | None, int], frame: Frame) -> Frame:
        """The seal to send before a frame; signed once, however many receivers get it.

        Args:
            stream: the stream's name.
            role: whose view of it.
            epoch: the view's.
            step: the version that the frame begins at (None: it is a SYNC), and the one it leads to.
            frame: the frame.
        """
        key = (stream, role, epoch, step)
        found = self._seals.get(key)
        if found is None:
            signed = seal(self._identity, Place(stream, role), frame, self.generation, self.now())
            found = self._seals[key] = signed.frame()
            if len(self._seals) > SEALS_KEPT:
                self._seals.popitem(last=False)
        return found

    def word(self, stream: str, role: Role, view: View, nonce: str = "") -> Frame:
        """Where a view stands now, signed."""
        no, nonce = tuple(self._revocations()), nonce[: alive.NONCE_LIMIT]
        said = Alive(stream, role, self.generation, self.now(), view.epoch, view.version, nonce, no)
        return alive.say(self._identity, said)

    async def pause(self) -> None:
        """Wait until the next word is due: two seconds, or a screen was revoked."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), alive.EVERY_S)

    def revoke(self, screen: str, until: float | None = None) -> None:
        """Have every relay send this screen away, though its pass says otherwise, until that pass has run out."""
        self._revoked[screen] = self._clock() + passes.VALID_S if until is None else until
        self._tell()

    def restore(self, screen: str) -> None:
        """Let a screen in again that was revoked."""
        if self._revoked.pop(screen, None) is not None:
            self._tell()

    def open(self, letter: dict[str, Any], epoch: str) -> tuple[Pass, dict[str, Any]]:
        """As :meth:`Letters.open`; a revoked screen's letters are refused."""
        writer, said = self._letters.open(letter, epoch)
        if writer.screen in self._revocations():
            raise passes.refused("the screen was revoked")
        return writer, said

    def renew(self, shown: Pass) -> str:
        """A new pass for a screen behind a relay whose letter said ``renew``.

        Raises:
            ApplianceError: BRG430, it may not have one.
        """
        now = self._allow(shown)
        if now is None or now.screen != shown.screen:
            raise passes.refused("the box does not let this screen in any more")
        return passes.issue(self._identity, now.screen, role=now.role, name=now.name, room=now.room)

    def _revocations(self) -> list[str]:
        now = self._clock()
        self._revoked = {screen: until for screen, until in self._revoked.items() if until > now}
        return sorted(self._revoked)

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


def next_generation(path: Path) -> int:
    """The clock in seconds, but always more than at the last start, which is kept in `path`; blocks on the disk.

    So it grows where the clock has gone back, and where an old copy of the data folder was put back.
    """
    last = 0
    with contextlib.suppress(OSError, ValueError):
        last = int(path.read_text())
    number = max(last + 1, int(time.time()))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(str(number))
    draft.replace(path)
    return number
