"""A name in a backup belongs to one part in the full profile, and is found there again."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import load
from appliance.services.backup import Wanted, deployed, embedded
from appliance.services.backup.making import _files
from appliance.services.deployment import Deployment

PLACES = {
    "settings.toml": "settings.toml",
    "keys/staff.key": "keys/staff.key",
    "keys/internal.json": "keys/internal.json",
    "keys/ca.pem": "parts/gateway/keys/ca.pem",
    "keys/browsers.key": "parts/gateway/keys/browsers.key",
    "keys/iroh.key": "parts/bridge/keys/iroh.key",
    "keys/generation": "parts/bridge/keys/generation",
    "bridge/screens.json": "parts/bridge/bridge/screens.json",
    "gateway/board.json": "parts/gateway/gateway/board.json",
    "recordings/main/staff/1.seg": "parts/bridge/recordings/main/staff/1.seg",
    "models/large.gguf": "parts/llm/models/large.gguf",
}


@pytest.mark.parametrize("name", PLACES)
def test_every_file_has_its_place_in_both_kinds_of_box(tmp_path: Path, name: str) -> None:
    settings = load({"data": str(tmp_path)}, environ={})
    assert embedded(settings).place(name) == tmp_path / name
    full = deployed(Deployment(data=str(tmp_path)), settings)
    assert full.place(name) == tmp_path / PLACES[name]


@pytest.mark.parametrize("kind", ["embedded", "full"])
def test_what_is_in_its_place_is_backed_up_under_its_name(tmp_path: Path, kind: str) -> None:
    settings = load({"data": str(tmp_path)}, environ={})
    profile = embedded(settings) if kind == "embedded" else deployed(Deployment(data=str(tmp_path)), settings)
    for name in (*PLACES, "keys/postgres.json", "keys/half.new", "keys/.draft"):
        path = profile.place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name if "toml" not in name else "")
    (tmp_path / "keys" / "ca.crt").symlink_to("../parts/gateway/keys/ca.crt")
    everything = dict(_files(profile, Wanted(recordings=True, models=True)))
    assert set(everything) == set(PLACES)
    assert all(file == profile.place(name) for name, file in everything.items())
    few = {name for name, _ in _files(profile, Wanted())}
    assert few == {name for name in PLACES if not name.startswith(("recordings", "models"))}
