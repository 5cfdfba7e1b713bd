"""What the tests of this folder share: a day, names, and a keeper of a box that is not started."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.config import load
from appliance.services.tls import Keeper
from appliance.services.tls.names import Wanted

DAY = datetime(2027, 3, 4, 5, 6, tzinfo=UTC)
WANTED = Wanted(("localhost", "ward-4", "ward-4.local"), (ipaddress.ip_address("127.0.0.1"),))


class Surroundings:
    """The clock, and what the box is called and reached by; a test changes them."""

    def __init__(self, now: datetime = DAY, wanted: Wanted = WANTED) -> None:
        self.now, self.wanted = now, wanted
        self.ahead = timedelta()

    def move(self, at: int) -> None:
        """Give the box another address, so that its certificate has to be another."""
        self.wanted = Wanted(WANTED.names, addresses("127.0.0.1", f"10.0.0.{at + 1}"))

    def keeper(self, data: Path) -> Keeper:
        """A keeper that looks at them."""
        settings = load({"data": str(data), "lan": True, "box_name": "Ward 4"}, environ={})
        return Keeper(settings, wanted=lambda: self.wanted, now=lambda: self.now)


def addresses(*written: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    return tuple(map(ipaddress.ip_address, written))
