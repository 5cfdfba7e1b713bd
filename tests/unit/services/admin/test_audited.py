"""What is in the audit: who changes the box or takes its data along, with a session or with a key."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response

from appliance.services import door_model
from appliance.services.admin import door_backups
from appliance.services.gateway import Gateway
from appliance.types import Answer
from tests.unit.services.admin.doors import ADMIN, a_door, a_gateway, audited


@pytest.fixture
async def gateway(tmp_path: Path) -> Gateway:
    return await a_gateway(tmp_path)


class Rows:
    """The addresses of rows, without rows."""

    def install(self, app: FastAPI, gateway: Gateway) -> None:
        @app.api_route("/flex/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
        async def rows(request: Request, path: str) -> Response:
            return Response(status_code=204)


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("PUT", "/flex/beds/fields/Free", True),
        ("DELETE", "/flex/beds/fields/a/b", True),
        ("DELETE", "/flex/beds/relations/ward", True),
        ("POST", "/flex/beds/import", True),
        ("GET", "/flex/beds/fields", False),
        ("POST", "/flex/beds", False),
        ("DELETE", "/flex/beds/7", False),
    ],
)
async def test_what_changes_a_collection_is_told_of_a_key_too(
    gateway: Gateway, method: str, path: str, told: bool
) -> None:
    async with a_door(gateway, Rows()) as door:
        await door.request(method, path, headers=ADMIN)
    assert audited(gateway) == ([("admin key", f"{method} /flex/{{path}}", 204)] if told else [])


async def test_who_takes_a_backup_along_is_told(gateway: Gateway) -> None:
    folder = gateway.settings.data / "backups"
    folder.mkdir()
    (folder / "box.backup").write_bytes(b"all of it")
    async with a_door(gateway, door_backups) as door:
        assert (await door.get("/api/admin/backups", headers=ADMIN)).status_code == 200
        assert (await door.get("/api/admin/backups/box.backup", headers=ADMIN)).content == b"all of it"
    assert audited(gateway) == [("admin key", "GET /api/admin/backups/{name}", 200)]


async def test_what_is_asked_for_in_prose_is_kept_as_a_question(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(question: Any, tell: Any) -> Answer:
        return Answer(question.id, question.text, "refused")

    monkeypatch.setattr(gateway, "assistant", SimpleNamespace(ask=ask, check=lambda text: text))
    async with a_door(gateway, door_model) as door:
        await door.post(
            "/api/prose", json={"question": "Cancel all alerts", "plan": {"confirmed": True}}, headers=ADMIN
        )
    [kept] = gateway.ledger._waiting.asked
    assert (kept.question, kept.role, kept.status) == ("Cancel all alerts", "admin", "refused")
