"""Demo data: synthetic, seeded, believable facilities whose rows keep changing a little.

A demo is plain values. The data service writes its documents through the same store as anybody's, so the
demo's fields are discovered like any others.

    >>> from appliance.pgflex.demo import load_demo
    >>> demo = load_demo("hospital", today=date(2026, 11, 23))
    >>> demo.collections[0].rows[0]  # doctest: +SKIP
    {'bed': 'C-01', 'ward': 'Cardiology', 'status': 'free', ...}
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

__all__ = ["Demo", "DemoCollection", "Write", "load_demo"]


class DemoCollection(msgspec.Struct, frozen=True):
    """The documents of one collection.

    Attributes:
        name: the collection's name, lower-case plural, as in ``staff_shifts``.
        rows: documents in order; row i gets id i+1. Keys are snake_case labels. Dates are ``YYYY-MM-DD``,
            times ISO 8601 with offset, money numbers have two decimals.
        wall: the fields a wall may read; empty means a wall may not read the collection at all.
    """

    name: str
    rows: tuple[dict[str, Any], ...]
    wall: tuple[str, ...] = ()


class Write(msgspec.Struct, frozen=True):
    """A small change: update the row `key` with `document`, or insert `document` when `key` is None."""

    collection: str
    document: dict[str, Any]
    key: int | None = None


class Demo(msgspec.Struct, frozen=True):
    """A facility.

    Attributes:
        facility: its name, marked as a demo.
        collections: six to eight.
        questions: questions a person there asks; all can be answered from the data.
        pinned: three questions that are live on every screen from the start.
        tick: ``tick(rng, now, rows)`` gives the next small change; `rows` maps a collection's name to its
            current rows (dicts with ``id``).
    """

    name: str
    facility: str
    collections: tuple[DemoCollection, ...]
    questions: tuple[str, ...]
    pinned: tuple[str, ...]
    tick: Callable[[random.Random, datetime, dict[str, list[dict[str, Any]]]], list[Write]]


def load_demo(name: str, today: date, seed: int = 1) -> Demo:
    """The demo of this name, with dates relative to `today`; the same seed gives the same rows.

    Raises:
        KeyError: no such demo.
    """
    from appliance.pgflex.demo.hospital import build as hospital
    from appliance.pgflex.demo.lawfirm import build as lawfirm

    return {"hospital": hospital, "lawfirm": lawfirm}[name](today, random.Random(seed))
