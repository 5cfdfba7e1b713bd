"""A gateway without the rest of the box, for tests of the console's addresses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec
from fastapi import FastAPI

from appliance.services.admin.signed import Audited, Signed
from appliance.services.gateway import Gateway, Guard
from appliance.services.internal import install_errors
from tests.unit.services.runtimes import KEYS, runtime

WORDS = "four words that rhyme"
ADMIN = {"Authorization": f"Bearer {KEYS['admin']}"}


class Part(Protocol):
    """A module of addresses."""

    def install(self, app: FastAPI, gateway: Gateway) -> None:
        """Add them."""
        ...


async def a_gateway(data: Path, **given: Any) -> Gateway:
    """It has read what the folder holds; nothing of it runs."""

    def read() -> Gateway:
        gateway = Gateway(msgspec.structs.replace(runtime(data=data, **given), profile="embedded"))
        gateway.load()
        return gateway

    return await asyncio.to_thread(read)


def a_door(gateway: Gateway, *parts: Part, address: str = "192.0.2.7") -> httpx.AsyncClient:
    """A browser at the addresses of these modules, behind all that is around every request."""
    app = FastAPI()
    install_errors(app, "gateway", Guard(gateway))
    app.add_middleware(Audited, gateway=gateway)
    app.add_middleware(Signed, gateway=gateway)
    for part in parts:
        part.install(app, gateway)
    road = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=road, base_url="http://localhost")


def audited(gateway: Gateway) -> list[tuple[Any, ...]]:
    """Who did what, and how that was answered, as far as it waits for the audit."""
    told = (entry.entry for entry in gateway.ledger._waiting.deeds)
    return [(each["who"], each["action"], each["status"]) for each in told]
