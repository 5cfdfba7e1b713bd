"""The keeper: a certificate that is always good, and a context for the next connection."""

from __future__ import annotations

import asyncio
import ipaddress
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.services.tls import keeper as module
from appliance.services.tls.names import Wanted
from tests.unit.services.tls.made import DAY, WANTED, Surroundings, addresses


def test_it_renews_once_and_then_leaves_it(tmp_path: Path) -> None:
    keeper = Surroundings().keeper(tmp_path)
    assert keeper.renew()
    held, context = keeper.file.read_bytes(), keeper.context
    assert not keeper.renew()
    assert keeper.file.read_bytes() == held and keeper.context is context
    assert stat.S_IMODE(keeper.file.stat().st_mode) == 0o600


def test_a_restart_keeps_the_certificate(tmp_path: Path) -> None:
    Surroundings().keeper(tmp_path).renew()
    held = (tmp_path / "keys" / "door.pem").read_bytes()
    again = Surroundings(now=DAY + timedelta(days=30)).keeper(tmp_path)
    assert again.renew(), "it is taken up"
    assert again.file.read_bytes() == held


def test_time_and_addresses_bring_another(tmp_path: Path) -> None:
    around = Surroundings()
    keeper = around.keeper(tmp_path)
    keeper.renew()
    before = keeper.context
    around.now += timedelta(days=340)
    assert keeper.renew() and keeper.context is not before
    assert keeper.told()["days"] == 396
    around.wanted = Wanted(WANTED.names, addresses("127.0.0.1", "10.9.8.7"))
    assert keeper.renew()
    assert "10.9.8.7" in keeper.told()["names"]
    assert not keeper.renew()


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    keeper = Surroundings().keeper(tmp_path)
    keeper.renew()
    for broken in (b"", keeper.file.read_bytes()[:400]):
        keeper.file.write_bytes(broken)
        assert keeper.renew()
        assert len(keeper.file.read_bytes()) > 1000
    keeper.file.unlink()
    assert keeper.renew() and keeper.file.is_file()


def test_two_keepers_of_a_box_do_not_fight(tmp_path: Path) -> None:
    around = Surroundings()
    first, second = around.keeper(tmp_path), around.keeper(tmp_path)
    first.renew()
    second.renew()
    around.now += timedelta(days=350)
    assert first.renew()
    held = first.file.read_bytes()
    assert second.renew(), "it takes up what the first has issued"
    assert first.file.read_bytes() == held
    assert not first.renew()


def test_the_authority_is_not_replaced_while_the_box_runs(tmp_path: Path) -> None:
    around = Surroundings()
    keeper = around.keeper(tmp_path)
    keeper.renew()
    (tmp_path / "keys" / "ca.pem").unlink()
    around.now += timedelta(days=350)
    assert keeper.renew()
    assert keeper.authority.fingerprint == keeper.told()["fingerprint"]
    assert not (tmp_path / "keys" / "ca.pem").exists()


def test_a_clock_that_cannot_be_is_told_and_set_right(tmp_path: Path) -> None:
    around = Surroundings(now=datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    keeper = around.keeper(tmp_path)
    keeper.renew()
    assert keeper.told()["clock"] == "1970-01-01T00:05+00:00"
    around.now = DAY + timedelta(days=2000)
    assert keeper.renew()
    told = keeper.told()
    assert told["clock"] == "" and told["days"] == 396 and told["ca_days"] > 500


def test_what_the_authority_cannot_vouch_for_is_told(tmp_path: Path) -> None:
    around = Surroundings()
    keeper = around.keeper(tmp_path)
    around.wanted = Wanted((*WANTED.names, "newname"), addresses("127.0.0.1", "8.8.8.8"))
    keeper.renew()
    assert keeper.told()["lacks"] == ["8.8.8.8", "newname"]


async def test_it_looks_by_itself_and_survives_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    around = Surroundings()
    keeper = await asyncio.to_thread(around.keeper, tmp_path)
    await asyncio.to_thread(keeper.renew)
    renew, failed, renewed = keeper.renew, asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def breaking() -> bool:
        if not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise ApplianceError("BRG416", "The certificate file cannot be used.", "no room")
        if renewal := renew():
            loop.call_soon_threadsafe(renewed.set)
        return renewal

    monkeypatch.setattr(keeper, "renew", breaking)
    before = keeper.context
    around.now += timedelta(days=350)
    task = asyncio.create_task(keeper.run())
    await asyncio.wait_for(failed.wait(), 5)
    assert not task.done() and keeper.context is before
    await asyncio.wait_for(renewed.wait(), 5)
    assert keeper.context is not before
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    told = "".join(capfd.readouterr())
    assert "BRG416" in told and "new certificate" in told


def test_own_names_and_addresses_are_found() -> None:
    from appliance.config import load
    from appliance.services.tls.names import dns_name, encrypted, wanted

    lan = load({"data": "/nowhere", "lan": True, "box_name": "Ward 4"}, environ={})
    found = wanted(lan)
    assert {"localhost", "ward-4.local", "dreamstack.local"} <= set(found.names)
    assert ipaddress.ip_address("127.0.0.1") in found.addresses
    here = wanted(msgspec.structs.replace(lan, lan=False))
    assert here.names == ("localhost",)
    assert [dns_name(name) for name in ("Box", "köln.local", "a b", "", "-x", "x" * 64, "a..b", "*.local")] == [
        "box",
        "xn--kln-sna.local",
        *[""] * 6,
    ]
    assert [encrypted(msgspec.structs.replace(lan, lan=a, tls=b)) for a, b in _CASES] == [True, False, False, True]


_CASES = [(True, "auto"), (False, "auto"), (True, "off"), (False, "on")]
