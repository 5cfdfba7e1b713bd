"""What the attached display shows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.config import Settings, load
from appliance.services import console
from appliance.services.console import Shown, picture
from appliance.services.tls.authority import load_or_create
from appliance.services.tls.names import wanted


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load({"data": str(tmp_path), "lan": True, "port": 443, "trust_port": 80}, environ={})
    load_or_create(tmp_path / "keys", "Box", wanted(made), datetime.now(UTC))
    return made


def test_while_the_box_starts_it_says_so(settings: Settings) -> None:
    text = picture(Shown("10.0.0.7", False, "", ""), settings)
    assert "is starting" in text and "10.0.0.7" not in text


def test_without_a_network_it_asks_for_the_cable(settings: Settings) -> None:
    assert "cable" in picture(Shown("127.0.0.1", False, "", ""), settings)


def test_once_it_is_up_it_shows_where_it_is_and_how_to_trust_it(settings: Settings) -> None:
    text = picture(Shown("10.0.0.7", True, "", ""), settings)
    assert "https://10.0.0.7/\n" in text and "http://10.0.0.7/ " in text and "█" in text
    assert "press Enter" in text and "key=" not in text


def test_the_key_is_in_the_address_when_somebody_stands_there(settings: Settings) -> None:
    assert "https://10.0.0.7/?key=secret" in picture(Shown("10.0.0.7", True, "secret", ""), settings)


def test_the_recovery_key_is_shown_where_there_is_one(settings: Settings) -> None:
    assert "abcd-efgh" in picture(Shown("10.0.0.7", True, "k", "abcd-efgh"), settings)


def test_it_fits_a_display(settings: Settings) -> None:
    lines = picture(Shown("192.168.100.100", True, "k" * 43, "c" * 71), settings).splitlines()
    assert max(map(len, lines)) <= 106 and len(lines) <= 46


def test_a_box_that_does_not_answer_is_not_well(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text(f'data = "{tmp_path}"\n[settings]\nlan = true\nport = 1\n')
    shown, _ = console.look(file, asked=True)
    assert not shown.well and shown.key == ""
