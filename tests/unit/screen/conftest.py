from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.bridge import discovery
from appliance.bridge.identity import Identity, load_or_create
from tests.unit.screen.small_box import SmallBox


@pytest.fixture(autouse=True)
def own_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real mDNS under a name of this test's own, so that a box that runs on this machine is not found."""
    monkeypatch.setattr(discovery, "SERVICE", f"_ds{secrets.token_hex(4)}._udp.local.")


@pytest.fixture
def box_identity(tmp_path: Path) -> Identity:
    return load_or_create(tmp_path / "box.key")


@pytest.fixture
def screen(tmp_path: Path) -> Identity:
    return load_or_create(tmp_path / "screen.key")


@pytest.fixture
async def box(box_identity: Identity) -> AsyncIterator[SmallBox]:
    box = SmallBox(box_identity)
    await box.start()
    yield box
    await box.stop()
