"""Alarms: the alerts that are active now, as signals ``alert.<id>`` on the screens that may see them.

The gateway hears every change; one of the collection ``alerts`` sets or removes its signal. Whenever changes may
have been missed, what is active is read anew from the data service.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx

from appliance.observation import logger
from appliance.services.clients import BridgeSource, Event
from appliance.types import Role

__all__ = ["Alarms"]

COLLECTION: Final = "alerts"
RETRY_S: Final = 0.5
_TOLD: Final = (
    "rule",
    "message",
    "state",
    "subject",
    "value",
    "threshold",
    "fired_at",
    "acknowledged_at",
)
log = logger("gateway")


class Alarms:
    """Keeps the signals of active alerts.

    Args:
        client: reaches the data service.
        url: of the data service.
        bridge: where signals go.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, bridge: BridgeSource) -> None:
        self._client, self._url, self._bridge = client, url, bridge
        self._shown: dict[str, Role] = {}
        self._heard: asyncio.Queue[Event | None] = asyncio.Queue()
        self._loaded = asyncio.Event()

    def hear(self, kind: str, data: Event) -> None:
        """Take in an event of the change feed."""
        if kind in ("ready", "gap"):
            self._heard.put_nowait(None)
        elif kind == "change" and data.get("collection") == COLLECTION:
            self._heard.put_nowait(data)

    async def run(self) -> None:
        """Show what is heard, in its order, until cancelled."""
        while True:
            change = await self._heard.get()
            if change is not None:
                self._show(change.get("row") or {"id": change.get("key")})
                continue
            if await self._load():
                self._loaded.set()
            else:
                await asyncio.sleep(RETRY_S)
                self._heard.put_nowait(None)

    async def loaded(self) -> None:
        """Return when what is active has been read once."""
        self._heard.put_nowait(None)
        await self._loaded.wait()

    async def _load(self) -> bool:
        """Read what is active and show just that; whether it could be read."""
        url = f"{self._url}/alerts/events?state=active&limit=1000"
        try:
            answer = await self._client.get(url, headers={"X-Role": "admin"})
            answer.raise_for_status()
            active: list[dict[str, Any]] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            log.warn("active alerts cannot be read yet", reason=str(error) or type(error).__name__)
            return False
        for name in self._shown.keys() - {f"alert.{row['id']}" for row in active}:
            self._remove(name)
        for row in active:
            self._show(row)
        return True

    def _show(self, row: dict[str, Any]) -> None:
        name = f"alert.{row['id']}"
        if row.get("state") != "active":
            self._remove(name)
            return
        self._shown[name] = row["audience"]
        self._bridge.set({name: {key: row.get(key) for key in _TOLD}}, row["audience"])

    def _remove(self, name: str) -> None:
        audience = self._shown.pop(name, None)
        if audience is not None:
            self._bridge.set({name: None}, audience)
