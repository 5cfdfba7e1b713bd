"""Screens as a source: INPUT ``set`` writes signals into the stream that the screen is subscribed to.

    set {"values": {"set.staff.lamp": 0.7}, "base": {"set.staff.lamp": 41}, "e": "9f3c01aa"}

A screen writes ``set.<its role>.…``, which all screens of its role share, and ``screen.<its id>.…``, which only it
writes. So it cannot touch what the box says, and who sees the names is who sees the values: its own role and those
above. Where several write one name, :mod:`~appliance.bridge.registers` decides. What a screen set is held in memory,
for a while after it left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from appliance.bridge.limits import weight
from appliance.bridge.members import Member
from appliance.bridge.registers import Write, merge
from appliance.bridge.signals import check_name
from appliance.bridge.stream import Stream
from appliance.errors import ApplianceError
from appliance.types import Signal

NAME: Final = "screens"
REMOVED_S: Final = 60.0
"""How long it is remembered that a name was removed, so that a write that was under way does not bring it back."""


class SetLimits(msgspec.Struct, frozen=True):
    """How much screens may set.

    Attributes:
        signals: names that one screen wrote last.
        bytes: of these, names and values as JSON.
        all_signals, all_bytes: of all screens together in one stream, so that the box keeps room for its own.
        kept_s: how long what a screen set is kept after it was last there.
    """

    signals: int = 64
    bytes: int = 65_536
    all_signals: int = 5_000
    all_bytes: int = 1_000_000
    kept_s: float = 3600.0


class Register(msgspec.Struct):
    """What stands for one name: the write, for how long, and the bytes it takes."""

    write: Write
    at: float
    size: int


class Held:
    """The registers of one stream, with what they come to: for each source, and for all (``None``)."""

    def __init__(self) -> None:
        self.registers: dict[str, Register] = {}
        self._counts: dict[str | None, list[int]] = {}

    def put(self, name: str, register: Register | None) -> None:
        """Set a register, or drop it."""
        before = self.registers.pop(name, None)
        if before is not None:
            self._count(before, -1)
        if register is not None:
            self.registers[name] = register
            self._count(register, 1)

    def total(self, source: str | None) -> tuple[int, int]:
        """How many registers, and how many bytes."""
        count, size = self._counts.get(source, (0, 0))
        return count, size

    def _count(self, register: Register, sign: int) -> None:
        for key in (register.write.source, None):
            count, size = self.total(key)
            if count + sign:
                self._counts[key] = [count + sign, size + sign * register.size]
            else:
                del self._counts[key]


class Screens:
    """What screens have set, in all streams.

    Args:
        limits: how much they may.
        clock: seconds, for tests.
    """

    def __init__(self, limits: SetLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._streams: WeakKeyDictionary[Stream, Held] = WeakKeyDictionary()
        self._latest: dict[str, int] = {}
        self._seen: dict[str, float] = {}

    def set(self, member: Member, stream: Stream, said: dict[str, Any], seen: int | None = None) -> list[str]:
        """Take a ``set`` of a screen: all of it or, where it is refused, nothing.

        Args:
            member: the screen.
            stream: what it is subscribed to.
            said: the input.
            seen: the version it was last sent, which its writes are based on where they do not say.

        Returns:
            The names for which another write stands, sorted.

        Raises:
            ApplianceError: SIG310, it cannot be read; SIG306, a name that this screen may not set; SIG309, it is over
                a limit.
        """
        now = self._seen[member.screen] = self._clock()
        writes = self._read(member, stream, said, seen)
        held = self._streams.setdefault(stream, Held())
        before = {name: held.registers.get(name) for name in writes}
        stand = merge({name: each.write for name, each in before.items() if each is not None}, writes)
        won = {name: _register(name, each, now) for name, each in writes.items() if stand[name].key() == each.key()}
        _put(held, won)
        try:
            self._check_room(member, held)
        except ApplianceError:
            _put(held, {name: before[name] for name in won})
            raise
        self._write(member, stream, won)
        return sorted(writes.keys() - won.keys())

    def collect(self, present: Collection[str]) -> None:
        """Forget what screens set that are away too long, and that names were removed."""
        now = self._clock()
        self._seen.update(dict.fromkeys(present, now))
        gone = {screen for screen, at in self._seen.items() if now - at >= self._limits.kept_s}
        for stream, held in list(self._streams.items()):
            self._collect(stream, held, gone, now)
        for screen in gone:
            del self._seen[screen]
            self._latest.pop(screen, None)

    def _collect(self, stream: Stream, held: Held, gone: Collection[str], now: float) -> None:
        registers = held.registers.items()
        left = [name for name, each in registers if each.write.source in gone]
        removed = [name for name, each in registers if each.write.value is None and now - each.at >= REMOVED_S]
        _put(held, dict.fromkeys([*left, *removed]))
        stream.write(NAME, [Signal(name, None) for name in left])

    def _write(self, member: Member, stream: Stream, won: dict[str, Register]) -> None:
        try:
            stream.write(NAME, [Signal(name, each.write.value, member.role) for name, each in won.items()])
        except ApplianceError:  # the stream itself is full: what it does not show is not held either
            _put(self._streams[stream], dict.fromkeys(won))
            stream.write(NAME, [Signal(name, None) for name in won])
            raise

    def _read(self, member: Member, stream: Stream, said: dict[str, Any], seen: int | None) -> dict[str, Write]:
        values, base, epoch = said.get("values"), said.get("base", {}), said.get("e")
        if not isinstance(values, dict) or not values or not isinstance(base, dict):
            raise _unreadable("It takes values by name, and in base the versions they are based on.")
        if len(values) > self._limits.signals:
            raise _too_much(len(values), self._limits.signals, None, self._limits.bytes)
        view = stream.view(member.role)
        n = self._count(member.screen, said.get("n"))
        writes = {}
        for name, value in values.items():
            _check_own(member, name)
            version = base.get(name, view.version if seen is None else seen)
            if type(version) is not int or version < 0:
                raise _unreadable("A version in base is not a whole number.", name)
            if epoch not in (None, view.epoch):
                version = 0  # based on a history that is lost: it stands only where nobody has written since
            elif version > view.version:
                raise _unreadable("A version in base has not been yet.", {"name": name, "now": view.version})
            writes[name] = Write(version, member.screen, n, value)
        return writes

    def _count(self, screen: str, said: Any) -> int:
        """The number of a screen's write: as it says, else one more than its last."""
        if said is not None and (type(said) is not int or said < 0):
            raise _unreadable("The number n is not a whole number.")
        latest = self._latest.get(screen, 0)
        n = latest + 1 if said is None else said
        self._latest[screen] = max(n, latest)
        return n

    def _check_room(self, member: Member, held: Held) -> None:
        limits = self._limits
        own, everybody = (limits.signals, limits.bytes), (limits.all_signals, limits.all_bytes)
        for source, (most, room) in ((member.screen, own), (None, everybody)):
            count, size = held.total(source)
            if count > most or size > room:
                raise _too_much(count, most, size, room)


def _put(held: Held, registers: Mapping[str, Register | None]) -> None:
    for name, register in registers.items():
        held.put(name, register)


def _register(name: str, write: Write, now: float) -> Register:
    return Register(write, now, weight(Signal(name, write.value)) or len(name))


def _too_much(count: int, most: int, size: int | None, room: int) -> ApplianceError:
    return ApplianceError(
        "SIG309",
        "This screen, or all of them together, may not set so much.",
        {"signals": count, "signals_limit": most, "bytes": size, "bytes_limit": room},
        "Remove some with the value null, or raise set_signals_limit or set_bytes_limit.",
    )


def _check_own(member: Member, name: str) -> None:
    check_name(name)
    shared, own = f"set.{member.role}.", f"screen.{member.screen}."
    if name.startswith(shared) and name != shared:
        return
    if name.startswith(own) and name != own and "." not in member.screen:
        return
    raise ApplianceError("SIG306", "A screen cannot set a signal of this name.", name[:200], f"Use {shared}… or {own}…")


def _unreadable(message: str, details: Any = None) -> ApplianceError:
    return ApplianceError("SIG310", "The set cannot be read. " + message, details)
