"""Checks: one fault, one file. What the health page, the screens' banner and ``appliance doctor`` show.

A check looks at one thing and tells a :class:`Finding`: a sentence, and the one-line fix where it is not well.

    >>> [finding.state for finding in await run_checks(probe)]  # doctest: +SKIP
    ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok']
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

__all__ = ["Finding", "Probe", "run_checks"]

State = Literal["ok", "warn", "down"]


class Finding(msgspec.Struct, frozen=True):
    """What a check found. `fix` is one line, empty when all is well."""

    name: str
    state: State
    sentence: str
    fix: str = ""
    took_ms: float = 0.0


class Probe(Protocol):
    """How checks look at the box."""

    @property
    def data(self) -> Path:
        """The data folder."""
        ...

    async def health(self, part: str) -> dict[str, Any] | None:
        """What a part (pgflex, llm, bridge, postgrest) says of itself, or None when it does not answer."""
        ...

    def certificate(self) -> dict[str, Any] | None:
        """How the door's certificate stands, or None where the door is plain and has none."""
        ...


Check = Callable[[Probe], Awaitable[Finding]]


async def run_checks(probe: Probe) -> list[Finding]:
    """All checks, side by side, in a fixed order; that of the certificate where there is one."""
    from appliance.checks import bridge, certificate, data_service, database, disk, model, recording, rest, voice

    checks: tuple[Check, ...]
    checks = (database.check, data_service.check, rest.check, model.check, bridge.check, recording.check, disk.check)
    checks += (voice.check,)
    checks += (certificate.check,) if probe.certificate() is not None else ()
    return list(await asyncio.gather(*(_timed(check, probe) for check in checks)))


async def _timed(check: Check, probe: Probe) -> Finding:
    began = time.perf_counter()
    found = await check(probe)
    return msgspec.structs.replace(found, took_ms=round((time.perf_counter() - began) * 1000, 1))
