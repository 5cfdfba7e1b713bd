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

from appliance.bridge.fanout import Fanout
from appliance.bridge.signals import View, check_name
from appliance.types import ROLES, Role, Signal, rank


class Stream:
    """The signals of one name, for each role.

    Args:
        name: the stream's name.
        diffs_kept: how many diffs a receiver may be behind and still be resumed with a diff.

    Attributes:
        followers: called with the signals of every write that changed anything.
    """

    def __init__(self, name: str, diffs_kept: int = 256) -> None:
        self.name = name
        self._views: dict[Role, View] = {role: View(diffs_kept) for role in ROLES}
        self._fanouts: dict[Role, Fanout] = {role: Fanout(view) for role, view in self._views.items()}
        self._written: dict[str, dict[str, Role]] = {}
        self._audiences: dict[str, Role] = {}
        self.followers: list[Callable[[list[Signal]], None]] = []
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
            ApplianceError: SIG306, a name that cannot be.
        """
        written = self._written.setdefault(source, {})
        signals = list(signals)
        for signal in signals:
            check_name(signal.name)
        for signal in signals:
            if signal.value is None:
                written.pop(signal.name, None)
            else:
                written[signal.name] = signal.audience
        self._spread(signals)

    def replace(self, source: str, audience: Role, signals: Iterable[Signal]) -> None:
        """The whole state of a source that (re)connected, for one audience.

        What the source wrote for that audience before and does not say now is removed.
        """
        signals = list(signals)
        said = {signal.name for signal in signals}
        before = self._written.get(source, {})
        gone = [Signal(name, None, audience) for name, role in before.items() if role == audience and name not in said]
        self.write(source, [*gone, *signals])

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
    """All streams of a bridge, made when first named.

    The first form of the bridge has one stream, ``main``; others are made by their sources.
    """

    def __init__(self, diffs_kept: int = 256) -> None:
        self._diffs_kept = diffs_kept
        self._streams: dict[str, Stream] = {}

    def open(self, name: str) -> Stream:
        """The stream for a source to write; made when it is not there."""
        if name not in self._streams:
            self._streams[name] = Stream(name, self._diffs_kept)
        return self._streams[name]

    def find(self, name: str) -> Stream | None:
        """The stream for a receiver to read, or None."""
        return self._streams.get(name)

    def names(self) -> list[str]:
        """The names of all streams."""
        return sorted(self._streams)
