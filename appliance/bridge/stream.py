"""A stream: a named set of signals that sources write and receivers read.

Every signal has an audience, the least trusted role that may see it. A stream keeps one
:class:`~appliance.bridge.signals.View` per role, so what a role may not see is never in its view, its
versions or its frames. A receiver holds no queue: it knows its version and, whenever it is free to send,
takes all that happened since as one payload. So a slow receiver costs no memory.

    >>> stream = Stream("main")
    >>> stream.write("assistant", [Signal("answer.a1.sentence", "7 beds are free.", "staff")])
    >>> stream.view("staff").values
    {'answer.a1.sentence': '7 beds are free.'}
    >>> stream.view("wall").values
    {}
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from appliance.bridge.fanout import Fanout
from appliance.bridge.limits import Limits, Meter, over_limit
from appliance.bridge.signals import View, check_name
from appliance.bridge.usage import Usage
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, Signal, rank

if TYPE_CHECKING:
    from appliance.bridge.recordings import Recordings

NO_MORE_THAN: Final = Limits()


class Stream:
    """The signals of one name, for each role.

    Args:
        name: the stream's name.
        diffs_kept: how many diffs a receiver may be behind and still be resumed with a diff.
        limits: how much it may hold.

    Attributes:
        usage: who reads it and who writes it.
        viewer: the page that shows the stream, where one of its sources brought it; see :mod:`~.viewer`.
        followers: called with the signals of every write that changed anything.
        clock: of a stream that shows the past, the moment it shows, milliseconds since 1970; else None.
    """

    def __init__(self, name: str, diffs_kept: int = 256, limits: Limits = NO_MORE_THAN) -> None:
        self.name = name
        self.viewer: bytes | None = None
        self.usage = Usage()
        self._meter = Meter(limits)
        self._views: dict[Role, View] = {role: View(diffs_kept) for role in ROLES}
        self._fanouts: dict[Role, Fanout] = {role: Fanout(view) for role, view in self._views.items()}
        self._written: dict[str, dict[str, Role]] = {}
        self._audiences: dict[str, Role] = {}
        self.followers: list[Callable[[list[Signal]], None]] = []
        self.clock: Callable[[], int] | None = None
        self._changed = asyncio.Event()

    def view(self, role: Role) -> View:
        """What this role sees."""
        return self._views[role]

    def fanout(self, role: Role) -> Fanout:
        """Hands the steps of this role's view to those who read it."""
        return self._fanouts[role]

    def write(self, source: str, signals: Iterable[Signal]) -> None:
        """Set signals (a value of None removes one) on behalf of a source.

        Raises:
            ApplianceError: SIG306, a name that cannot be: nothing was written. SIG309, there is no room for some
                signals: these are removed, the others were written.
        """
        written = self._written.setdefault(source, {})
        signals = list(signals)
        for signal in signals:
            check_name(signal.name)
        signals, refused = self._meter.sift(signals)
        for signal in signals:
            if signal.value is None:
                written.pop(signal.name, None)
            else:
                written[signal.name] = signal.audience
        self._spread(signals)
        if refused:
            raise over_limit(self.name, refused)

    def replace(self, source: str, audience: Role, signals: Iterable[Signal]) -> None:
        """The whole state of a source that (re)connected, for one audience.

        What the source wrote for that audience before and does not say now is removed.
        """
        signals = list(signals)
        said = {signal.name for signal in signals}
        before = self._written.get(source, {})
        gone = [Signal(name, None, audience) for name, role in before.items() if role == audience and name not in said]
        self.write(source, [*gone, *signals])

    def empty(self) -> None:
        """Remove every signal of every source."""
        for source, written in list(self._written.items()):
            self.write(source, [Signal(name, None, role) for name, role in written.items()])

    def signals(self) -> list[Signal]:
        """All signals as they are now, with their audiences."""
        return [Signal(name, value, self._audiences[name]) for name, value in self._views["admin"].values.items()]

    def _spread(self, signals: list[Signal]) -> None:
        for signal in signals:
            if signal.value is None:
                self._audiences.pop(signal.name, None)
            else:
                self._audiences[signal.name] = signal.audience
        changed = False
        for role, view in self._views.items():
            seen = {s.name: s.value for s in signals if s.value is not None and rank(s.audience) <= rank(role)}
            # A signal whose audience rose must leave the views it may no longer be in.
            gone = [s.name for s in signals if s.value is None or rank(s.audience) > rank(role)]
            if view.write(seen, gone):
                self._fanouts[role].changed()
                changed = True
        if changed:
            self._changed.set()
            self._changed = asyncio.Event()
            for follower in self.followers:
                follower(signals)

    async def wait(self, role: Role, version: int | None) -> None:
        """Return when the view of `role` is past `version`."""
        while self.view(role).version == version:
            await self._changed.wait()


class Streams:
    """All streams of a bridge, made when first named and collected when nobody uses them.

    Args:
        diffs_kept: see :class:`Stream`.
        limits: how much each may hold.
        most: how many there may be.

    Attributes:
        past: what was recorded of them, where anything is.
    """

    def __init__(self, diffs_kept: int = 256, limits: Limits = NO_MORE_THAN, most: int = 1000) -> None:
        self._diffs_kept = diffs_kept
        self._limits = limits
        self._most = most
        self._streams: dict[str, Stream] = {}
        self._kept: set[str] = set()
        self.past: Recordings | None = None

    def open(self, name: str) -> Stream:
        """The stream for a source to write; made when it is not there.

        Raises:
            ApplianceError: SIG306, a name that cannot be; SIG309, there are as many as may be.
        """
        if name not in self._streams:
            check_name(name)
            if len(self._streams) >= self._most:
                told = {"limit": self._most}
                raise ApplianceError(
                    "SIG309", "There are as many streams as there may be.", told, "Raise streams_limit."
                )
            self._streams[name] = Stream(name, self._diffs_kept, self._limits)
        return self._streams[name]

    def keep(self, name: str) -> Stream:
        """The stream of this name, made when it is not there and never collected."""
        self._kept.add(name)
        return self.open(name)

    def find(self, name: str) -> Stream | None:
        """The stream for a receiver to read, or None."""
        return self._streams.get(name)

    def close(self, name: str) -> None:
        """Forget a stream; what it holds leaves those who still read it."""
        stream = self._streams.pop(name, None)
        if stream is not None:
            stream.empty()

    def names(self) -> list[str]:
        """The names of all streams."""
        return sorted(self._streams)

    def collect(self, idle_s: float) -> list[str]:
        """Forget the streams that nobody has read or written for so long; their names, sorted."""
        unused = {name: each.usage.idle_s() for name, each in self._streams.items() if name not in self._kept}
        gone = sorted(name for name, idle in unused.items() if idle is not None and idle >= idle_s)
        for name in gone:
            del self._streams[name]
        return gone
