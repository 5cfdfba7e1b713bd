"""Recordings: what is on disk of each stream and role, the state at a past moment, and what happened from then on.

    recordings/<stream>/<role>/<began>.seg    the frames          (appliance.bridge.segments)
                               <began>.idx    where its keyframes are; made anew when missing or wrong
                               <began>.b3     its manifest        (appliance.bridge.archive)

    >>> past = Recordings(Path("/var/lib/dreamstack/box/recordings"))  # doctest: +SKIP
    >>> past.state_at("main", "staff", 1_700_000_000_000).values  # doctest: +SKIP
    {'beds.free': 7}

Every method blocks on the disk.
"""

from __future__ import annotations

import contextlib
import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import tzinfo
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.bridge.archive import SEAL, seal
from appliance.bridge.frame import KEYFRAME, Frame, FrameType, encode
from appliance.bridge.rooms import ROOM
from appliance.bridge.segments import (
    INDEX,
    SEGMENT,
    Index,
    Record,
    apply_record,
    began,
    load_index,
    mend,
    pack,
    read_at,
    unreadable,
    walk,
)
from appliance.bridge.signals import RESERVED, Copy
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, rank

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What a stream of its own may be called; a room's has ``room/`` before that."""
APART: Final = "+"
"""Stands for the slash of a room's stream in the name of its folder."""
DAY_MS: Final = 86_400_000
HEAD_ONLY: Final = 1024


class Moment(msgspec.Struct, frozen=True):
    """A stream as a role saw it at a time.

    Attributes:
        stream, role: whose recording it is.
        t: the time asked for, milliseconds since 1970.
        at: when its latest change before that was recorded.
        known: false where nothing was recorded at `t`: the box was off, or it is not so far.
        values: the signals.
        epoch, version: of the values in the recording, which its next diffs follow on.
    """

    stream: str
    role: Role
    t: int
    at: int
    known: bool
    values: dict[str, Any]
    epoch: str | None = None
    version: int | None = None

    def copy(self) -> Copy:
        """The signals as a receiver holds them."""
        copy = Copy()
        copy.epoch, copy.version, copy.values = self.epoch, self.version, self.values
        return copy


class Recorded(msgspec.Struct, frozen=True):
    """What there is of a stream and role: from when to when (ms since 1970), segments, bytes."""

    stream: str
    role: Role
    first: int
    last: int
    segments: int
    bytes: int


class Span(msgspec.Struct, frozen=True):
    """A time that was recorded without a break, milliseconds since 1970, and how much happened in it.

    Attributes:
        marks: numbers of ten seconds since 1970, and how many changes there were in each.
    """

    first: int
    last: int
    marks: list[tuple[int, int]] = []


class Recordings:
    """The recordings in a folder.

    Args:
        folder: see above.
        writing: tells which segments are being written just now.
        zone: of times that name none; the machine's when not given.

    Attributes:
        playing: how many screens are shown the past.
    """

    def __init__(self, folder: Path, writing: Callable[[], set[Path]] = set, zone: tzinfo | None = None) -> None:
        self.folder, self.zone = folder, zone
        self.playing = 0
        self._writing = writing
        self._indexes: dict[Path, Index] = {}
        self._reading = threading.Lock()

    def place(self, stream: str, role: Role) -> Path:
        """Where the segments of a stream and role are.

        Raises:
            ApplianceError: BRG460, a stream of this name cannot be recorded.
        """
        if not NAME.fullmatch(stream.removeprefix(ROOM)):
            raise nothing(stream, "a name has letters, digits, dots, dashes")
        return self.folder / stream.replace("/", APART) / role

    def overview(self, role: Role) -> list[Recorded]:
        """What there is that a role may see, by stream and role."""
        found = []
        for folder in sorted(self.folder.glob("*/*")):
            known = next((each for each in ROLES if each == folder.name), None)
            if known is not None and rank(known) <= rank(role) and (paths := _segments(folder)):
                found.append(self._recorded(folder.parent.name.replace(APART, "/"), known, paths))
        return found

    def _recorded(self, stream: str, role: Role, paths: list[Path]) -> Recorded:
        size = sum(_size(path) for path in paths)
        return Recorded(stream, role, began(paths[0]), self._index(paths[-1]).last, len(paths), size)

    def role_for(self, stream: str, role: Role) -> Role:
        """Whose recording a role is shown: its own, else that of the next less trusted one.

        Raises:
            ApplianceError: BRG460, nothing of the stream is recorded that it may see.
        """
        for each in reversed(ROLES[: rank(role) + 1]):
            if _segments(self.place(stream, each)):
                return each
        raise nothing(stream, f"for the role {role}")

    def state_at(self, stream: str, role: Role, t: int) -> Moment:
        """What a role saw at a time; of the recording :meth:`role_for` names.

        Raises:
            ApplianceError: BRG460, nothing was recorded yet at that time; BRG461, the disk cannot be read.
        """
        role = self.role_for(stream, role)
        copy, at, whole = self._copy_at(stream, role, t)
        known = whole and self._is_known(stream, role, t)
        return Moment(stream, role, t, at, known, copy.values, copy.epoch, copy.version)

    def not_before(self, stream: str, role: Role, t: int) -> int:
        """A time, or that of the first record where it is earlier.

        Raises:
            ApplianceError: BRG460, nothing is recorded.
        """
        paths = _segments(self.place(stream, self.role_for(stream, role)))
        return max(t, began(paths[0])) if paths else t

    def back(self, stream: str, role: Role, t: int, steps: int) -> int:
        """When the change happened that is so many before the one shown at a time; the first where there are fewer.

        Raises:
            ApplianceError: as :meth:`state_at`.
        """
        role, times = self.role_for(stream, role), list[int]()
        while len(times) <= steps and (found := self._changes_until(stream, role, t)):
            times, t = found + times, found[0] - 1
        if not times:
            raise nothing(stream, f"before {t}")
        return times[-steps - 1] if len(times) > steps else times[0]

    def _changes_until(self, stream: str, role: Role, t: int) -> list[int]:
        """When there were changes from the last keyframe not after a time until then."""
        records = takewhile(lambda record: record.at <= t, self._from_keyframe(stream, role, t))
        return [record.at for record in records if record.is_change]

    def lasts(self, stream: str, role: Role) -> int:
        """Until when it is known what a role saw; the present while it is being recorded."""
        return max((segment.last for segment in self.spans(stream, self.role_for(stream, role))), default=0)

    def spans(self, stream: str, role: Role) -> list[Span]:
        """The segments of a stream and role, by when each began."""
        writing, now, spans = self._writing(), time.time_ns() // 1_000_000, []
        for path in _segments(self.place(stream, role)):
            index = self._index(path)
            with self._reading:
                marks = list(index.marks.items())
            spans.append(Span(began(path), max(now, index.last) if path in writing else index.last, marks))
        return spans

    def frames(self, stream: str, role: Role, start: int, end: int) -> Iterator[bytes]:
        """Records as they are in a segment: a SYNC of the state at `start`, then what was recorded until `end`.

        A start before the first record is the first record.

        Raises:
            ApplianceError: as :meth:`state_at`.
        """
        role = self.role_for(stream, role)
        start = self.not_before(stream, role, start)
        copy = self._copy_at(stream, role, start)[0]
        yield pack(start, encode(sync_of(copy), deflate=True))
        for record in self.after(stream, role, start):
            if record.at > end:
                return
            yield pack(record.at, record.raw)

    def after(self, stream: str, role: Role, t: int) -> Iterator[Record]:
        """The records after a time, in order, as far as there are any now."""
        for record in self._from_keyframe(stream, role, t):
            if record.at > t and record.type in (FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF, FrameType.CONTROL):
                yield record

    def _copy_at(self, stream: str, role: Role, t: int) -> tuple[Copy, int, bool]:
        """The state at a time, when it was last changed, and whether no diff before it is missing."""
        copy, at, whole = Copy(), 0, True
        for record in self._from_keyframe(stream, role, t):
            if record.at > t:
                break
            if apply_record(copy, record):
                at, whole = record.at, whole or record.is_keyframe
            elif record.type == FrameType.SIGNAL_DIFF:
                whole = False
        if copy.version is None:
            raise nothing(stream, f"before {t}")
        return copy, at, whole

    def _from_keyframe(self, stream: str, role: Role, t: int) -> Iterator[Record]:
        """All records from the last whole keyframe not after a time on."""
        paths = _segments(self.place(stream, role))
        first, offset = self._begin(paths, t)
        for number, path in enumerate(paths[first:]):
            try:
                with path.open("rb") as file:
                    yield from walk(file, 0 if number else offset)
            except FileNotFoundError:
                continue  # its time was up
            except OSError as error:
                raise unreadable(path, error) from None

    def _begin(self, paths: list[Path], t: int) -> tuple[int, int]:
        """Which segment, and where in it, to begin reading for the state at a time."""
        for number, path in reversed(list(enumerate(paths))):
            if began(path) <= t:
                for place in self._index(path).keys_before(t):
                    if _is_whole(path, place):
                        return number, place
        return 0, 0

    def _is_known(self, stream: str, role: Role, t: int) -> bool:
        before = [path for path in _segments(self.place(stream, role)) if began(path) <= t]
        if not before:
            return False
        lasts_on = before[-1] in self._writing() and t <= time.time() * 1000
        return lasts_on or t <= self._index(before[-1]).last

    def _index(self, path: Path) -> Index:
        with self._reading:
            index = self._indexes.get(path)
            if index is None or index.covers != _size(path):
                index = self._indexes[path] = load_index(path, index)
            return index

    def tidy(self) -> None:
        """Mend and seal what a crash or a full disk left."""
        for path in self._left(self._all()):
            if not path.with_suffix(SEAL).exists():
                with contextlib.suppress(ApplianceError, OSError):
                    self._tidy(path)

    def _tidy(self, path: Path) -> None:
        index = mend(path)
        if index.keys or index.covers > HEAD_ONLY:
            seal(path)
        else:
            self._remove(path)  # it was begun and got no further

    def prune(self, now: int, days: int, limit: int) -> int:
        """Remove the oldest segments: those over so many days, then until all are at most `limit` bytes; 0 is no limit.

        Returns how many went. What is being written stays.
        """
        there = self._all()
        over = sum(_size(path) for path in there) - limit if limit else 0
        gone = 0
        for path in sorted(self._left(there), key=began):
            too_old = days and self._index(path).last < now - days * DAY_MS
            if not too_old and over <= 0:
                continue
            over -= _size(path)
            self._remove(path)
            gone += 1
        return gone

    def total(self) -> int:
        """Bytes of all segments."""
        return sum(_size(path) for path in self._all())

    def _all(self) -> list[Path]:
        return [path for folder in self.folder.glob("*/*") for path in _segments(folder)]

    def _left(self, there: list[Path]) -> list[Path]:
        """Those that nobody writes; asked after they were listed, for one may have begun meanwhile."""
        writing = self._writing()
        return [path for path in there if path not in writing]

    def _remove(self, path: Path) -> None:
        self._indexes.pop(path, None)
        for suffix in (SEAL, INDEX, SEGMENT):
            path.with_suffix(suffix).unlink(missing_ok=True)


def sync_of(copy: Copy) -> Frame:
    """A SIGNAL_SYNC of a copy as it is, which its next diffs follow on."""
    head = {"e": copy.epoch, "v": copy.version}
    return Frame(FrameType.SIGNAL_SYNC, msgspec.json.encode({**copy.values, RESERVED: head}), KEYFRAME)


def nothing(stream: str, details: str) -> ApplianceError:
    """The error BRG460."""
    return ApplianceError(
        "BRG460",
        "Nothing was recorded there.",
        f"{stream[:64]}: {details}",
        "See what is recorded: appliance replay",
    )


def _segments(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob(f"*{SEGMENT}") if began(path)), key=began)


def _is_whole(path: Path, offset: int) -> bool:
    try:
        with path.open("rb") as file:
            return read_at(file, offset, file.seek(0, io.SEEK_END)) is not None
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
