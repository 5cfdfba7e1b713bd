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
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.bridge import passes
from appliance.bridge.frame import Frame
from appliance.bridge.identity import Identity
from appliance.bridge.members import Member
from appliance.bridge.mesh import alive
from appliance.bridge.mesh.alive import Alive
from appliance.bridge.mesh.letters import Letters
from appliance.bridge.mesh.seal import Place, seal
from appliance.bridge.passes import Pass
from appliance.bridge.rooms import own_stream
from appliance.bridge.signals import View
from appliance.types import Role

SEALS_KEPT: Final = 512
AWAITED: Final = 1000

Tell = Callable[[str], Awaitable[None]]
"""Tells a screen behind a relay that the input of this `ref` is done."""


class Opened(msgspec.Struct, frozen=True):
    """A letter, opened: whose pass it showed, who that is to the box now, and the input."""

    writer: Pass
    member: Member
    said: dict[str, Any]


def as_shown(shown: Pass) -> Member:
    """The member that a pass speaks of."""
    return Member(shown.screen[:16], shown.role, shown.room, shown.name, own_stream(shown.room))


class Mesh:
    """What a box adds to its sessions so that screens may pass on what they get.

    Args:
        identity: the box's key.
        generation: a number that grows with every start (:func:`next_generation`): it orders epochs.
        clock: seconds since 1970.
        allow: who the screen is now that a pass speaks of, or None: it is heard no more and gets no new one.
    """

    def __init__(
        self,
        identity: Identity,
        generation: int = 0,
        clock: Callable[[], float] = time.time,
        allow: Callable[[Pass], Member | None] = as_shown,
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
        self._awaiting: OrderedDict[tuple[str, str], Tell] = OrderedDict()

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
        now, nonce = self.now(), nonce[: alive.NONCE_LIMIT]
        said = Alive(stream, role, self.generation, now, view.epoch, view.version, nonce, self.revocations())
        return alive.say(self._identity, said)

    async def pause(self) -> None:
        """Wait until the next word is due: two seconds, or a screen was revoked."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), alive.EVERY_S)

    def revoke(self, *screens: str) -> None:
        """Have the passes that these screens were given until now hold no longer, with the box and with every relay."""
        until = round(self._clock() + passes.VALID_S, 3)
        self._revoked.update(dict.fromkeys(screens, until))
        self._tell()

    def revocations(self) -> dict[str, float]:
        """By screen, how late the passes run out that do not hold; as long as there may be such."""
        now = self._clock()
        self._revoked = {screen: until for screen, until in self._revoked.items() if until > now}
        return self._revoked

    def take_up(self, revoked: Mapping[str, float]) -> None:
        """Go on with the revocations of before a restart."""
        self._revoked.update(revoked)

    def open(self, letter: dict[str, Any], epoch: str) -> Opened:
        """As :meth:`Letters.open`; of a screen that the box does not let in any more it is refused.

        Raises:
            ApplianceError: BRG430, BRG434.
        """
        writer, said = self._letters.open(letter, epoch)
        passes.check_revoked(writer, self.revocations())
        return Opened(writer, self._now(writer), said)

    def renew(self, shown: Pass) -> str:
        """A new pass for a screen behind a relay whose letter said ``renew``: as the box knows it now.

        Raises:
            ApplianceError: BRG430, it may not have one.
        """
        now = self._now(shown)
        called = now.name or shown.name or now.screen
        return passes.issue(self._identity, shown.screen, role=now.role, name=called[:200], room=now.room[:200])

    def awaits(self, screen: str, ref: str, tell: Tell) -> None:
        """A screen behind a relay waits to hear that its input of this `ref` is done."""
        self._awaiting[(screen, ref)] = tell
        self._awaiting.move_to_end((screen, ref))
        if len(self._awaiting) > AWAITED:
            self._awaiting.popitem(last=False)

    def done(self, screen: str, ref: str) -> Awaitable[None] | None:
        """What tells that screen that its input is done; None where none behind a relay waits for it."""
        tell = self._awaiting.pop((screen, ref), None)
        return tell(ref) if tell else None

    def _now(self, shown: Pass) -> Member:
        now = self._allow(shown)
        if now is None:
            raise passes.refused("the box does not let this screen in any more")
        return now

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
    draft.touch(mode=0o600)
    draft.write_text(str(number))
    draft.replace(path)
    return number
