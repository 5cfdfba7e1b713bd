"""Moments: how people and programs name a time of a recording.

>>> moment("2026-11-28T14:05:00+01:00", 0), moment(1_700_000_000_000, 0)
(1795871100000, 1700000000000)
>>> moment("10m", 1_700_000_000_000)
1699999400000
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from appliance.errors import ApplianceError

LATEST: Final = 253_402_300_799_000
"""The end of the year 9999, milliseconds since 1970."""
_AGO: Final = re.compile(r"-?(\d{1,9})([smhd])")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def moment(said: Any, now: int, zone: tzinfo | None = None) -> int:
    """A time as milliseconds since 1970.

    Args:
        said: milliseconds since 1970 as a number or digits; ISO 8601; a time of today such as ``14:05``; ``10m``
            or ``-10m`` (s, m, h, d) before now; ``now``.
        now: the present, milliseconds since 1970.
        zone: of times that name none; the machine's when not given.

    Raises:
        ApplianceError: BRG466, it is none of these.
    """
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        raise _unreadable(said)
    try:
        at = int(said) if isinstance(said, int | float) else _read(said.strip(), now, zone)
    except (ValueError, OverflowError, OSError):
        raise _unreadable(said) from None
    if not 0 <= at <= LATEST:
        raise _unreadable(said)
    return at


def _read(text: str, now: int, zone: tzinfo | None) -> int:
    if text == "now":
        return now
    if re.fullmatch(r"\d{12,15}", text, re.ASCII):
        return int(text)
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    if clock := _CLOCK.fullmatch(text):
        today = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone)
        return _ms(today.replace(hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=0))
    told = datetime.fromisoformat(text)
    return _ms(told if told.tzinfo else told.replace(tzinfo=zone) if zone else told.astimezone())


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def iso(at: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def _unreadable(said: Any) -> ApplianceError:
    return ApplianceError(
        "BRG466",
        "This time cannot be read.",
        str(said)[:80],
        "Write it as 14:05, 10m (ago), or 2026-11-28T14:05:00+01:00.",
    )
