"""The box's health: how checks look at its parts, and the signal ``box.parts`` for the screens' banner.

The checks run twice a second. So that a part that dies is told at once, an idle connection to each part is kept
open: the kernel closes it the moment the part is gone. A part that was down is told to the screens as down for
two seconds at least, long enough to be read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from appliance.checks import Finding, run_checks
from appliance.config import Runtime

EVERY_S: Final = 0.5
SHORTEST_S: Final = 0.2
PROBE_S: Final = 1.5
SHOWN_S: Final = 2.0
RECENT_S: Final = 2.0
PARTS: Final = ("pgflex", "postgrest", "llm", "bridge")


class BoxProbe:
    """Looks at the parts of a running box over loopback."""

    def __init__(
        self, runtime: Runtime, client: httpx.AsyncClient, certificate: Callable[[], dict[str, Any]] | None = None
    ) -> None:
        self._runtime, self._client, self._certificate = runtime, client, certificate

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._runtime.settings.data

    async def health(self, part: str) -> dict[str, Any] | None:
        """What a part says of itself; PostgREST says nothing, so that any answer but 5xx will do."""
        try:
            if part == "postgrest":
                answer = await self._client.head(self._runtime.postgrest_url + "/", timeout=PROBE_S)
                return {} if answer.status_code < 500 else None
            url = getattr(self._runtime, f"{part}_url")
            answer = await self._client.get(f"{url}/health", timeout=PROBE_S)
            return dict(answer.json()) if answer.status_code < 500 else None
        except (httpx.HTTPError, ValueError):
            return None

    def certificate(self) -> dict[str, Any] | None:
        """How the door's certificate stands; None where the door has none."""
        return self._certificate() if self._certificate else None

    async def lost(self, part: str) -> None:
        """Return when a part closes a connection on which nothing is said, or takes none."""
        address = urlsplit(getattr(self._runtime, f"{part}_url"))
        try:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError:
            return
        try:
            await reader.read(1)
        except OSError:
            return
        finally:
            writer.close()


class Health:
    """The latest findings."""

    def __init__(self, probe: BoxProbe) -> None:
        self._probe = probe
        self._down: dict[str, tuple[float, str]] = {}
        self._begun = False
        self._looked = -RECENT_S
        self._looking = asyncio.Lock()
        self.findings: list[Finding] = []

    @property
    def well(self) -> bool:
        """Whether no part is down."""
        return bool(self.findings) and all(finding.state != "down" for finding in self.findings)

    async def look(self) -> list[Finding]:
        """Run the checks now."""
        self.findings = await run_checks(self._probe)
        self._looked = time.monotonic()
        self._begun |= self.well
        if not self._begun:  # the box is starting: nothing has been lost yet that has to be read
            return self.findings
        now = time.monotonic()
        self._down |= {finding.name: (now, finding.sentence) for finding in self.findings if finding.state == "down"}
        return self.findings

    async def recent(self) -> list[Finding]:
        """What was found in the last two seconds: many who ask together have the checks run once."""
        async with self._looking:
            if time.monotonic() - self._looked >= RECENT_S:
                await self.look()
        return self.findings

    async def run(self, tell: Callable[[], None]) -> None:
        """Run the checks twice a second and whenever a part is lost, call `tell` after each; until cancelled."""
        waits: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                await self.look()
                tell()
                await asyncio.sleep(SHORTEST_S)
                for part in PARTS:
                    if part not in waits or waits[part].done():
                        waits[part] = asyncio.create_task(self._probe.lost(part))
                await asyncio.wait(waits.values(), timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits.values():
                wait.cancel()
            await asyncio.gather(*waits.values(), return_exceptions=True)

    async def wait_well(self, besides: str = "") -> None:
        """Return when no part is down, whatever the one named `besides` is."""
        while not self.findings or any(f.state == "down" and f.name != besides for f in self.findings):
            await asyncio.sleep(0.1)
            await self.look()

    def parts(self) -> list[dict[str, str]]:
        """For the screens: name, state, sentence. What was down less than two seconds ago still is."""
        return [self._part(finding, time.monotonic()) for finding in self.findings]

    def _part(self, finding: Finding, now: float) -> dict[str, str]:
        seen, sentence = self._down.get(finding.name, (-SHOWN_S, ""))
        if finding.state == "down":
            return {"name": finding.name, "state": "down", "sentence": finding.sentence}
        if now - seen < SHOWN_S:
            return {"name": finding.name, "state": "down", "sentence": sentence}
        return {"name": finding.name, "state": "ok", "sentence": ""}
