"""What is printed when the box is up: its addresses, the fingerprint, and codes for a camera."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import Settings, load
from appliance.services.address import own_address
from appliance.services.greeting import greet, side_by_side
from appliance.services.tls.authority import load_or_create
from appliance.services.tls.names import wanted


def printed(settings: Settings) -> str:
    out = io.StringIO()
    greet(settings, "the-key", "ID@192.0.2.7:4433", out)
    return out.getvalue()


def test_a_box_on_the_network_shows_both_addresses_and_the_fingerprint(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "lan": True, "port": 8443}, environ={})
    authority = load_or_create(tmp_path / "keys", "Box", wanted(settings), datetime.now(UTC))
    text = printed(settings)
    assert f"https://{own_address()}:8443/?key=the-key" in text
    assert f"http://{own_address()}:8443/ " in text, "the trust page"
    assert "http://" + own_address() + ":8443/?key" not in text, "the key is not sent in the open"
    groups = authority.fingerprint.split()
    assert " ".join(groups[:8]) in text and " ".join(groups[8:]) in text
    assert "1  Trust it" in text and "2  Open it" in text and "█" in text
    assert "--url https://127.0.0.1:8443" in text
    assert max(len(line) for line in text.splitlines() if "█" in line) < 80


def test_the_usual_ports_are_not_written(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "lan": True, "port": 443, "trust_port": 80}, environ={})
    load_or_create(tmp_path / "keys", "Box", wanted(settings), datetime.now(UTC))
    text = printed(settings)
    assert f"https://{own_address()}/?key=the-key" in text and f"http://{own_address()}/ " in text


def test_a_box_of_this_machine_stays_plain(tmp_path: Path) -> None:
    text = printed(load({"data": str(tmp_path)}, environ={}))
    assert "http://localhost:8080/\n" in text and "https" not in text and "the-key" not in text
    assert 'appliance ask "' in text


def test_behind_a_proxy_there_is_nothing_to_trust(tmp_path: Path) -> None:
    text = printed(load({"data": str(tmp_path), "lan": True, "tls": "off"}, environ={}))
    assert f"http://{own_address()}:8080/?key=the-key" in text and "Trust" not in text


def test_codes_stand_side_by_side() -> None:
    rows = side_by_side([("one", "http://a/"), ("two", "https://192.0.2.2:8080/?key=" + "x" * 32)]).splitlines()
    assert rows[0].split() == ["one", "two"]
    assert len({len(row) for row in rows}) == 1
