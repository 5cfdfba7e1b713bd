"""Keeps the door's certificate good while the door is open: a new one is taken up by the next connection.

    keeper = Keeper(settings)
    await asyncio.to_thread(keeper.renew)      # makes what is missing; raises where that cannot be
    keeper.context                             # for the next connection; those that are open keep theirs
    await keeper.run()                         # until cancelled

A new context takes the old one's place as a whole: a connection never meets a certificate with another's key.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.services.tls import names
from appliance.services.tls.authority import RELEASED, Authority, load_or_create
from appliance.services.tls.files import PRIVATE, alone, read_private, write
from appliance.services.tls.leaf import Leaf, issue, parse
from appliance.services.tls.names import Wanted

EVERY_S: Final = 5.0
"""An address the box is given is in its certificate this soon."""
log = logger("gateway")


class Keeper:
    """The certificate of one box.

    Args:
        settings: whose data folder and names.
        wanted: what it is to be good for, asked each time; the box's names and addresses.
        now: the clock.

    Attributes:
        authority: the box's own.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        wanted: Callable[[], Wanted] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._wanted = wanted or partial(names.wanted, settings)
        self._now = now or partial(datetime.now, UTC)
        self._folder = settings.data / "keys"
        self._last = self._wanted()
        ever = self._last if wanted else names.wanted(msgspec.structs.replace(settings, lan=True))
        self.authority: Authority = load_or_create(self._folder, settings.box_name, ever, self._now())
        self._leaf: Leaf | None = None
        self._context: ssl.SSLContext | None = None

    @property
    def file(self) -> Path:
        """Where the door's key and certificate are."""
        return self._folder / "door.pem"

    @property
    def context(self) -> ssl.SSLContext:
        """What the next connection is met with; :meth:`renew` comes first."""
        assert self._context is not None, "renew() comes first"
        return self._context

    def renew(self) -> bool:
        """Issue a certificate if it is time, and take up the one on the disk if it is another; whether it did either.

        Blocks on the disk.

        Raises:
            ApplianceError: BRG416, a file cannot be used.
        """
        now, self._last = self._now(), self._wanted()
        with alone(self._folder):
            held = read_private(self.file)
            leaf = parse(held) if held else None
            if leaf is None or leaf.due(self.authority, self._last, now):
                leaf = issue(self.authority, self._last, now)
                write(self.file, leaf.pem, PRIVATE)
            if self._leaf is not None and leaf.pem == self._leaf.pem:
                return False
            self._context, self._leaf = _context(self.file), leaf
        return True

    def told(self) -> dict[str, Any]:
        """How it stands, for the check: days left, what it lacks, and whether the clock can be believed."""
        assert self._leaf is not None, "renew() comes first"
        now = self._now()
        return {
            "days": (self._leaf.certificate.not_valid_after_utc - now).days,
            "ca_days": (self.authority.certificate.not_valid_after_utc - now).days,
            "names": [str(each) for each in (*self._leaf.good_for.names, *self._leaf.good_for.addresses)],
            "fingerprint": self.authority.fingerprint,
            "lacks": sorted(self._leaf.lacks(self._last)),
            "clock": now.isoformat(timespec="minutes") if now < RELEASED else "",
        }

    async def run(self) -> None:
        """Look every few seconds, until cancelled. A disk that fails leaves the door as it is."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                if await asyncio.to_thread(self.renew):
                    log.info("the door has a new certificate", days=self.told()["days"])
            except ApplianceError as error:
                log.warn("the door's certificate could not be looked after", reason=error.line())


def _context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(file)
    return context
