"""Starting parts of the box anew: each is told to end, and who started it starts it again.

The supervisor of ``appliance up`` does so at once, with the settings as they are then; systemd and container engines
do, too, with the settings of the box's last start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from appliance.errors import ApplianceError

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["PARTS", "restart_parts"]

PARTS: Final = ("pgflex", "llm", "bridge", "postgrest")
WAIT_S: Final = 60.0
STEP_S: Final = 0.2
SETTLE_S: Final = 1.0


async def restart_parts(gateway: Gateway, parts: tuple[str, ...]) -> None:
    """End these parts and wait until the box is well again.

    Raises:
        ApplianceError: BRG489, the parts are not the gateway's to end; BRG406, the box did not become well.
    """
    if gateway.runtime.profile == "embedded":
        running = await asyncio.to_thread(_processes, gateway)
        for part in parts:
            with contextlib.suppress(ProcessLookupError, KeyError):
                os.kill(running[part], signal.SIGTERM)
    else:
        await asyncio.gather(*(_ask_to_end(gateway, part) for part in parts))
    await asyncio.sleep(SETTLE_S)
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        await gateway.health.look()
        if gateway.health.well and gateway.bridge.connected:
            return
        await asyncio.sleep(STEP_S)
    raise ApplianceError("BRG406", "The box did not become well again.", ", ".join(parts), "See the logs.")


async def _ask_to_end(gateway: Gateway, part: str) -> None:
    """Tell a part over its own door to end; PostgREST has none."""
    urls = {"pgflex": gateway.runtime.pgflex_url, "llm": gateway.runtime.llm_url, "bridge": gateway.runtime.bridge_url}
    if part not in urls:
        raise ApplianceError("BRG489", f"The box cannot start {part} anew here.", None, "Restart its unit.")
    with contextlib.suppress(httpx.HTTPError):
        await gateway.client.post(f"{urls[part]}/end", timeout=5)


def _processes(gateway: Gateway) -> dict[str, int]:
    """The process of each part, as the supervisor tells. Blocks on the disk."""
    try:
        told = msgspec.json.decode((gateway.settings.data / "run" / "box.json").read_bytes())
        return {name: int(pid) for name, pid in told["processes"].items() if pid}
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return {}
