"""Kept: what is made of a catalog once and used until it changes.

>>> labels = Kept(lambda catalog: [each.label for each in catalog.collections])
>>> labels.of(Catalog("1", ())) is labels.of(Catalog("1", ()))
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from appliance.types import Catalog

CATALOGS_KEPT: Final = 8
"""Roles see different catalogs, and a lookup makes one of its own; the oldest goes first."""
T = TypeVar("T")


class Kept(Generic[T]):
    """Something of each of the last catalogs, by their version."""

    def __init__(self, make: Callable[[Catalog], T]) -> None:
        self._make = make
        self._held: dict[str, T] = {}

    def of(self, catalog: Catalog) -> T:
        """What was made of a catalog, made now if it is new."""
        if catalog.version not in self._held:
            if len(self._held) >= CATALOGS_KEPT:
                self._held.pop(next(iter(self._held)))
            self._held[catalog.version] = self._make(catalog)
        return self._held[catalog.version]
