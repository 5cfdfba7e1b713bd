"""All checks together: a fixed order, side by side, each a sentence and a fix where there is one."""

import asyncio
import time
from typing import Any

from appliance.checks import run_checks
from tests.unit.checks.probe import SaidProbe

ORDER = ["database", "data service", "REST", "model", "bridge", "recording", "disk", "voice"]


async def test_order_is_fixed_and_all_is_well() -> None:
    found = await run_checks(SaidProbe())
    assert [finding.name for finding in found] == ORDER
    assert {finding.state for finding in found[:5]} == {"ok"}


async def test_every_finding_is_a_sentence_with_a_fix() -> None:
    found = await run_checks(SaidProbe(pgflex=None, postgrest=None, llm=None, bridge=None))
    assert [finding.state for finding in found[:6]] == ["warn", "down", "down", "down", "down", "warn"]
    for finding in found[:6]:
        assert finding.sentence.endswith(".")
        assert finding.fix
        assert "\n" not in finding.sentence + finding.fix


async def test_checks_do_not_wait_for_each_other() -> None:
    class Slow(SaidProbe):
        async def health(self, part: str) -> dict[str, Any] | None:
            await asyncio.sleep(0.2)
            return await super().health(part)

    began = time.monotonic()
    found = await run_checks(Slow())
    assert time.monotonic() - began < 0.6
    assert all(finding.took_ms >= 150 for finding in found[:5])
