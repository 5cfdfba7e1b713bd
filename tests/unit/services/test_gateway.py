"""The public door: how much it takes into its memory."""

from __future__ import annotations

import pytest

from appliance.config import load
from appliance.services.gateway import BODY_LIMIT, body_limit

SETTINGS = load({"data": "/nowhere", "document_limit": 5_000_000}, environ={})


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/session", BODY_LIMIT),
        ("/api/setup", BODY_LIMIT),
        ("/api/join", BODY_LIMIT),
        ("/api/ask", BODY_LIMIT),
        ("/", BODY_LIMIT),
        ("/flex/beds", 5_000_000),
        ("/flex/beds/1", 5_000_000),
        ("/rest/beds", 5_000_000),
        ("/flex/beds/import", None),
        ("/api/setup/restore", None),
        ("/api/admin/updates", None),
        ("/flex/beds/import/x", 5_000_000),
    ],
)
def test_only_files_come_in_without_a_limit(path: str, limit: int | None) -> None:
    assert body_limit(path, SETTINGS) == limit
