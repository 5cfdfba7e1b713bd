"""Signals: named live values, what changed in them since a version, and how changes add up.

The laws that the tests hold (for any states a, b, c):

* ``apply(a, diff(a, b)) == b``
* ``apply(apply(a, d1), d2) == apply(a, merge(d1, d2))``

    >>> apply({"beds.free": 7}, diff({"beds.free": 7}, {"beds.free": 8, "beds.ward": "Cardiology"}))
    {'beds.free': 8, 'beds.ward': 'Cardiology'}
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError

RESERVED: Final = "$"
NAME_LIMIT: Final = 200

Values = Mapping[str, Any]


class Diff(msgspec.Struct, frozen=True):
    """What changed: new values by name, and the names that are gone."""

    values: dict[str, Any]
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.gone)


def check_name(name: str) -> None:
    """A signal's name: 1 to 200 characters and not the reserved ``$``.

    Raises:
        ApplianceError: SIG306.
    """
    if not name or name == RESERVED or len(name) > NAME_LIMIT:
        raise ApplianceError(
            "SIG306", "A signal cannot have this name.", name[:NAME_LIMIT], "Use 1 to 200 characters, not $."
        )


def diff(old: Values, new: Values) -> Diff:
    """The change that turns `old` into `new`."""
    return written(old, new, (name for name in old if name not in new))


def written(old: Values, values: Values, gone: Iterable[str] = ()) -> Diff:
    """The change that setting `values` and removing `gone` makes to `old`; what is the same already is left out."""
    news = {name: value for name, value in values.items() if name not in old or not _same(old[name], value)}
    return Diff(news, tuple(sorted(name for name in gone if name in old and name not in values)))


def apply(old: Values, change: Diff) -> dict[str, Any]:
    """`old` with the change made; `old` itself stays as it is."""
    new = dict(old)  # a copy in one go: the state may be large, the change is small
    for name in change.gone:
        new.pop(name, None)
    new.update(change.values)
    return new


def merge(first: Diff, second: Diff) -> Diff:
    """One change that does what `first` and then `second` do."""
    values = {name: value for name, value in first.values.items() if name not in second.gone} | second.values
    gone = (set(first.gone) | set(second.gone)) - set(values)
    return Diff(values, tuple(sorted(gone)))


def _same(one: Any, other: Any) -> bool:
    # JSON has one kind of true and one kind of 1; Python says they are equal.
    return type(one) is type(other) and bool(one == other)


class View:
    """What receivers of one stream and one role see: values, a version, and the latest diffs.

    Frames are encoded once per step and shared by all receivers of the view.

    Attributes:
        epoch: changes when the history is lost, that is when the view is made anew.
        version: grows by one with each diff.
        values: the signals as they are now.
    """

    def __init__(self, diffs_kept: int = 256) -> None:
        self.epoch: Final = secrets.token_hex(4)
        self.version = 0
        self.values: dict[str, Any] = {}
        self._began = time.monotonic()
        self._diffs: deque[Diff] = deque(maxlen=diffs_kept)
        self._payloads: dict[int, tuple[bytes, bool]] = {}

    def timestamp(self) -> int:
        """Milliseconds since the epoch began."""
        return int((time.monotonic() - self._began) * 1000)

    def write(self, values: Values, gone: Iterable[str] = ()) -> bool:
        """Set and remove signals; returns whether anything changed."""
        change = written(self.values, values, gone)
        if not change:
            return False
        self.values = apply(self.values, change)
        self.version += 1
        self._diffs.append(change)
        self._payloads.clear()
        return True

    def since(self, version: int) -> Diff | None:
        """All that changed after `version` as one diff, or None when that is no longer known."""
        behind = self.version - version
        if behind < 0 or behind > len(self._diffs):
            return None
        total = Diff({})
        for index in range(len(self._diffs) - behind, len(self._diffs)):
            total = merge(total, self._diffs[index])
        return total

    def payload(self, version: int | None) -> tuple[bytes, bool]:
        """What brings a receiver at `version` up to date, and whether it is a SYNC.

        A receiver at no version, at one too old, or for whom the diff would be larger than the state,
        gets the whole state. The bytes are made once for all receivers at the same version.
        """
        key = -1 if version is None else version
        if key not in self._payloads:
            self._payloads[key] = self._build(version)
        return self._payloads[key]

    def _build(self, version: int | None) -> tuple[bytes, bool]:
        change = None if version is None else self.since(version)
        if change is None:
            return self._sync(), True
        head: dict[str, Any] = {"e": self.epoch, "b": version, "v": self.version}
        if change.gone:
            head["del"] = list(change.gone)
        raw = msgspec.json.encode({**change.values, RESERVED: head})
        if self.version - (version or 0) > 1:
            sync = self._sync()
            if len(sync) < len(raw):
                return sync, True
        return raw, False

    def _sync(self) -> bytes:
        return msgspec.json.encode({**self.values, RESERVED: {"e": self.epoch, "v": self.version}})


class Copy:
    """A receiver's own copy of a view, kept up to date by SYNC and DIFF payloads.

    >>> copy = Copy()
    >>> copy.sync({"a": 1, "$": {"e": "9f3c", "v": 4}})
    >>> copy.diff({"a": 2, "$": {"e": "9f3c", "b": 4, "v": 5}})
    >>> copy.values, copy.version
    ({'a': 2}, 5)
    """

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.version: int | None = None
        self.values: dict[str, Any] = {}

    def sync(self, payload: Mapping[str, Any]) -> None:
        """Take the whole state.

        Raises:
            ApplianceError: SIG303, the reserved key is missing or wrong.
        """
        told = head(payload)
        self.epoch, self.version = told.get("e"), told.get("v")
        self.values = {name: value for name, value in payload.items() if name != RESERVED}

    def diff(self, payload: Mapping[str, Any]) -> None:
        """Take a change.

        Raises:
            ApplianceError: SIG305, it does not apply to this version: ask ``need_sync``. SIG303 as above.
        """
        told = head(payload)
        if told.get("e") != self.epoch or told.get("b") != self.version:
            raise ApplianceError(
                "SIG305", "The diff is not for this version.", {"have": [self.epoch, self.version], "diff": told}
            )
        values = {name: value for name, value in payload.items() if name != RESERVED}
        self.values = apply(self.values, Diff(values, tuple(told.get("del", ()))))
        self.version = told.get("v")


def head(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the reserved key of a SYNC or DIFF says; `v` is there and a number.

    Raises:
        ApplianceError: SIG303, it is missing or wrong.
    """
    told = payload.get(RESERVED)
    if not isinstance(told, dict) or not isinstance(told.get("v"), int) or not isinstance(told.get("del", []), list):
        raise ApplianceError("SIG303", "The signal frame does not say its version.")
    return told
