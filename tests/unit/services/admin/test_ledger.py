"""What was done on its way into the audit, while the data service is away for long."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from appliance.services.admin import ledger
from appliance.services.admin.ledger import Deed, LedgerWriter


def deed(number: int) -> Deed:
    return Deed(who="maria", role="admin", address="192.0.2.7", action=f"deed {number}", what="")


async def test_nobody_pushes_out_what_they_did_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LIMIT", 3)
    monkeypatch.setattr(ledger, "RETRY_S", 0.02)
    written: list[dict[str, Any]] = []
    away = True

    def data_service(request: httpx.Request) -> httpx.Response:
        if away:
            return httpx.Response(503)
        written.extend(each["entry"] for each in msgspec.json.decode(request.content))
        return httpx.Response(200, json={"number": len(written), "hash": "h"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(data_service)) as client:
        writer = LedgerWriter(client, "http://data", tmp_path / "ledger.json", lambda: 90)
        task = asyncio.create_task(writer.run())
        for number in range(10):
            writer.did(deed(number))
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        away = False
        await writer.settled()
        writer.did(deed(10))
        await writer.settled()
        task.cancel()
    told = [each["action"] for each in written]
    assert told == ["deed 0", "deed 1", "deed 2", "lost", "deed 10"]
    assert written[3]["what"] == "7 entries were lost while the data service was away"


async def test_what_was_lost_is_known_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LIMIT", 1)
    file = tmp_path / "ledger.json"
    async with httpx.AsyncClient() as client:
        writer = LedgerWriter(client, "http://data", file, lambda: 90)
        writer.did(deed(0))
        writer.did(deed(1))
        await writer.keep()
        again = LedgerWriter(client, "http://data", file, lambda: 90)
        await asyncio.to_thread(again.load)
    assert again._waiting.lost == 1
