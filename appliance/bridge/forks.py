"""Forks: a new live stream that begins with the state another one had at a past moment.

From then on it is a stream like any other: receivers subscribe to it by name, and it is written by whoever writes to it
by that name. It is not fed by the stream it came from. One signal more, ``fork.of``, says what it is a copy of.
"""

from __future__ import annotations

from typing import Final

import msgspec

from appliance.bridge.recordings import NAME, Moment, Recordings
from appliance.bridge.stream import Streams
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, Signal, rank

FORKS_LIMIT: Final = 32
SOURCE: Final = "fork"


class Fork(msgspec.Struct, frozen=True):
    """What a fork begins with: its name, where it comes from, and its signals, each with its audience."""

    name: str
    moment: Moment
    signals: tuple[Signal, ...]


class Forks:
    """The forks of a bridge; they last as long as it runs."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._made: dict[str, Fork] = {}

    def begin(self, fork: Fork) -> None:
        """Open the new stream.

        Raises:
            ApplianceError: BRG410 (the name cannot be), BRG462 (a stream has it), BRG465 (too many forks).
        """
        if not NAME.fullmatch(fork.name):
            raise ApplianceError(
                "BRG410",
                "A stream cannot have this name.",
                fork.name[:80],
                "Use at most 64 letters, digits, dots, dashes.",
            )
        if self._streams.find(fork.name) is not None:
            raise ApplianceError("BRG462", "A stream has this name already.", fork.name, "Choose another name.")
        if len(self._made) >= FORKS_LIMIT:
            raise ApplianceError("BRG465", "There are as many forks as may be.", FORKS_LIMIT, "End one.")
        came = Signal("fork.of", {"stream": fork.moment.stream, "t": fork.moment.t}, fork.moment.role)
        self._streams.open(fork.name).write(SOURCE, [*fork.signals, came])
        self._made[fork.name] = fork

    def end(self, name: str, role: Role) -> None:
        """Close a fork: its signals leave the screens, and nobody can subscribe to it any more.

        Raises:
            ApplianceError: BRG408, there is no such fork that the role may see.
        """
        fork = self._made.get(name)
        if fork is None or rank(fork.moment.role) > rank(role):
            raise ApplianceError("BRG408", "There is no such fork.", name[:80])
        del self._made[name]
        self._streams.close(name)

    def told(self, role: Role) -> list[dict[str, object]]:
        """The forks that a role may see."""
        made = [fork for fork in self._made.values() if rank(fork.moment.role) <= rank(role)]
        return [{"name": f.name, "stream": f.moment.stream, "t": f.moment.t, "role": f.moment.role} for f in made]


def past_of(past: Recordings, name: str, stream: str, role: Role, t: int) -> Fork:
    """A fork of a stream as a role saw it at a time. Blocks on the disk.

    A signal is for the least trusted role whose own recording shows it with this value, else for the recorded role:
    nobody sees more than they saw then.

    Raises:
        ApplianceError: as :meth:`~appliance.bridge.recordings.Recordings.state_at`.
    """
    found = past.state_at(stream, role, t)
    audiences: dict[str, Role] = dict.fromkeys(found.values, found.role)
    for lower in reversed(ROLES[: rank(found.role)]):
        for signal, value in _own(past, stream, lower, t).items():
            if signal in found.values and found.values[signal] == value:
                audiences[signal] = lower
    signals = tuple(Signal(signal, value, audiences[signal]) for signal, value in found.values.items())
    return Fork(name, found, signals)


def _own(past: Recordings, stream: str, role: Role, t: int) -> dict[str, object]:
    """What a role's own recording shows; nothing where it has none."""
    try:
        found = past.state_at(stream, role, t)
    except ApplianceError:
        return {}
    return found.values if found.role == role else {}
