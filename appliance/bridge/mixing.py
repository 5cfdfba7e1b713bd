"""Mixing: a stream that is composed of others, by a declaration.

    >>> streams = Streams()
    >>> streams.open("main").write("s", [Signal("beds.free", 7), Signal("staff.note", "x", "staff")])
    >>> mixer = Mixer(streams)
    >>> mixer.declare(Mix("icu", (Part("main", signals=("beds.*",), rename={"beds.": "icu.beds."}),)))
    >>> streams.find("icu").view("wall").values
    {'icu.beds.free': 7}

A mixed signal never reaches a role that its origin keeps it from; a part may keep it from more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from appliance.bridge.signals import check_name
from appliance.bridge.stream import Stream, Streams
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, Signal, rank

NAME_LIMIT: Final = 80
PARTS_LIMIT: Final = 32


class Part(msgspec.Struct, frozen=True):
    """What a stream takes from another one.

    Attributes:
        stream: the other one's name.
        signals: the names it takes; ``*`` stands for any letters.
        without: names that it does not take, of those.
        rename: beginnings of names, and what stands in their place here; the longest one that fits holds.
        audience: the least trusted role that sees them here, if it may see them there.
    """

    stream: str
    signals: tuple[str, ...] = ("*",)
    without: tuple[str, ...] = ()
    rename: dict[str, str] = {}
    audience: Role = "wall"

    def takes(self, name: str) -> bool:
        """Whether a signal of this name is taken."""
        return any(fnmatchcase(name, each) for each in self.signals) and not any(
            fnmatchcase(name, each) for each in self.without
        )

    def here(self, signal: Signal) -> Signal:
        """The signal as it is called, and kept, here."""
        fits = [old for old in self.rename if signal.name.startswith(old)]
        old = max(fits, key=len, default="")
        name = self.rename[old] + signal.name[len(old) :] if fits else signal.name
        return Signal(name, signal.value, max(self.audience, signal.audience, key=rank))


class Mix(msgspec.Struct, frozen=True):
    """A composed stream: its name, its parts, and the least trusted role that may read it at all."""

    name: str
    parts: tuple[Part, ...]
    audience: Role = "wall"


class Mixer:
    """Keeps composed streams in step with what they are made of.

    Args:
        streams: where they come from and go to.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._mixes: dict[str, Mix] = {}
        self._undo: dict[str, list[Callable[[], None]]] = {}

    def declared(self) -> list[Mix]:
        """The declarations, by name."""
        return [self._mixes[name] for name in sorted(self._mixes)]

    def find(self, name: str) -> Mix | None:
        """The declaration of a stream, or None."""
        return self._mixes.get(name)

    def declare(self, mix: Mix) -> None:
        """Compose a stream, or compose it anew.

        Raises:
            ApplianceError: BRG446, it is not declared in a way that can be kept; nothing was changed.
        """
        self._check(mix)
        self.remove(mix.name)
        self._mixes[mix.name] = mix
        target = self._streams.open(mix.name)
        self._undo[mix.name] = [self._follow(target, number, part) for number, part in enumerate(mix.parts)]

    def remove(self, name: str) -> None:
        """Take a declaration away, and with it all that came by it."""
        self._mixes.pop(name, None)
        for undo in self._undo.pop(name, []):
            undo()

    def _follow(self, target: Stream, number: int, part: Part) -> Callable[[], None]:
        origin, writer = self._streams.open(part.stream), f"mix:{number}"

        def take(signals: Iterable[Signal]) -> None:
            taken = [part.here(signal) for signal in signals if part.takes(signal.name)]
            fits = [signal for signal in taken if _has_name(signal)]
            if fits:
                with suppress(ApplianceError):  # no room here: the origin goes on all the same
                    target.write(writer, fits)

        used = ExitStack()  # neither of the two is collected while it is declared
        used.enter_context(origin.usage.reading())
        used.enter_context(target.usage.writing())

        def undo() -> None:
            used.close()
            origin.followers.remove(take)
            for role in ROLES:
                target.replace(writer, role, [])

        origin.followers.append(take)
        take(origin.signals())
        return undo

    def _check(self, mix: Mix) -> None:
        if not mix.name or len(mix.name) > NAME_LIMIT or not mix.name.isprintable() or mix.name == "main":
            raise _unfit("A stream cannot have this name.", mix.name[:NAME_LIMIT])
        if not mix.parts or len(mix.parts) > PARTS_LIMIT:
            raise _unfit(f"A stream is composed of 1 to {PARTS_LIMIT} parts.", len(mix.parts))
        for part in mix.parts:
            if part.stream == mix.name or mix.name in self._reached(part.stream):
                raise _unfit("A stream cannot be composed of itself.", [mix.name, part.stream])

    def _reached(self, name: str) -> set[str]:
        """The streams that a stream is made of, all the way down."""
        found: set[str] = set()
        ahead = [name]
        while ahead:
            mix = self._mixes.get(ahead.pop())
            new = {part.stream for part in mix.parts} - found if mix else set()
            found |= new
            ahead += new
        return found


def _has_name(signal: Signal) -> bool:
    try:
        check_name(signal.name)
    except ApplianceError:
        return False  # a renaming made it too long: it is left out, the others are not
    return True


def _unfit(sentence: str, details: object) -> ApplianceError:
    return ApplianceError("BRG446", sentence, details, "See docs/how-to/rooms-and-screens.md for a declaration.")
