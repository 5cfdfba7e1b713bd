"""A copy that never goes back: a screen that changes roads keeps showing the newest it had.

A relay hands a newcomer its keyframe, which may be older than what the screen shows, and the diffs after it. They
are followed beside the copy until they have reached it.

>>> copy = SteadyCopy()
>>> copy.sync({"a": 3, "$": {"e": "9f3c", "v": 3}})
>>> copy.sync({"a": 1, "$": {"e": "9f3c", "v": 1}}); copy.values, copy.is_behind
({'a': 3}, True)
>>> copy.diff({"a": 4, "$": {"e": "9f3c", "b": 1, "v": 4}}); copy.values, copy.is_behind
({'a': 4}, False)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.bridge.signals import Copy, head


class SteadyCopy(Copy):
    """A :class:`~appliance.bridge.signals.Copy` whose version never falls within an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self._beside: Copy | None = None

    @property
    def is_behind(self) -> bool:
        """Whether what comes over the road has not reached what is shown yet."""
        return self._beside is not None

    def sync(self, payload: Mapping[str, Any]) -> None:
        """As :meth:`Copy.sync`; an older state of the same epoch is followed beside."""
        if self._is_past(head(payload)):
            self._beside = Copy()
            self._beside.sync(payload)
            return
        self._beside = None
        super().sync(payload)

    def diff(self, payload: Mapping[str, Any]) -> None:
        """As :meth:`Copy.diff`; what is known already changes nothing."""
        if self._beside is None:
            super().diff(payload)
            return
        self._beside.diff(payload)
        if self.version is not None and self._beside.version is not None and self._beside.version >= self.version:
            self.values, self.version = self._beside.values, self._beside.version
            self._beside = None

    def start_over(self) -> None:
        """A new road begins: what was followed beside is left."""
        self._beside = None

    def _is_past(self, told: Mapping[str, Any]) -> bool:
        return told.get("e") == self.epoch and self.version is not None and told["v"] < self.version
