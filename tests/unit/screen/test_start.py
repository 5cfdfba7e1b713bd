from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from appliance.bridge.discovery import announce
from appliance.errors import ApplianceError
from appliance.screen.start import ScreenOptions, default_folder, make_agent, passing_on, run_screen
from appliance.screen.ticket import write
from appliance.types import Signal
from tests.unit.screen.small_box import SmallBox


async def test_a_named_box_is_shown_once(box: SmallBox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box.write({"box.facility": "St. Anne"})
    options = ScreenOptions(data=tmp_path / "screen", box=write(box.ticket), once=True)
    assert await run_screen(options) == 0
    assert "St. Anne" in capsys.readouterr().out
    assert sorted(await asyncio.to_thread(os.listdir, tmp_path / "screen")) == ["held.json", "iroh.key"]


async def test_a_box_on_the_network_is_shown_once(
    box: SmallBox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box.write({"box.facility": "St. Anne"})
    leave = await announce("Small", box.identity.endpoint_id, box.ticket.addresses, lan=False)
    try:
        assert await run_screen(ScreenOptions(data=tmp_path / "screen", once=True)) == 0
    finally:
        await leave()
    assert "St. Anne" in capsys.readouterr().out


async def test_a_screen_keeps_its_identity_and_what_it_showed(
    box: SmallBox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box.write({"box.facility": "St. Anne"})
    options = ScreenOptions(data=tmp_path / "screen", box=write(box.ticket), once=True, timeout_s=0.5)
    await run_screen(options)
    await box.stop()
    capsys.readouterr()
    assert await run_screen(options) == 1
    told = capsys.readouterr().out
    assert "St. Anne" in told
    assert "the box is away, content from" in told
    agent = await asyncio.to_thread(make_agent, options)
    assert dict(agent.signals) == {"box.facility": "St. Anne"}


async def test_another_stream_is_shown_and_kept_apart(
    box: SmallBox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box.write({"box.facility": "St. Anne"})
    box.streams.open("what-if").write("fork", [Signal("box.facility", "St. Anne, as it might be")])
    options = ScreenOptions(data=tmp_path / "screen", box=write(box.ticket), once=True)
    assert await run_screen(options) == 0
    assert await run_screen(msgspec.structs.replace(options, stream="what-if")) == 0
    assert "as it might be" in capsys.readouterr().out
    kept = await asyncio.to_thread(os.listdir, tmp_path / "screen")
    assert sorted(kept) == ["held-what-if.json", "held.json", "iroh.key"]


async def test_what_was_held_of_another_box_than_the_named_is_not_shown(box: SmallBox, tmp_path: Path) -> None:
    box.write({"box.facility": "St. Anne"})
    await run_screen(ScreenOptions(data=tmp_path, box=write(box.ticket), once=True))
    other = ScreenOptions(data=tmp_path, box=f"{'00' * 32}@127.0.0.1:9")
    assert dict((await asyncio.to_thread(make_agent, other)).signals) == {}


async def test_a_ticket_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ApplianceError) as told:
        await run_screen(ScreenOptions(data=tmp_path, box="the box in the lobby"))
    assert told.value.code == "SCR504"


def test_the_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_folder({"XDG_STATE_HOME": "/state"}) == Path("/state/dreamstack/screen")
    assert default_folder({}) == Path.home() / ".local" / "state" / "dreamstack" / "screen"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_folder({}) == Path("/var/lib/dreamstack/screen")


def test_a_screen_that_is_to_relay_has_its_pass_and_its_named_relays(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("kept\n")
    via = f"{'ab' * 32}@127.0.0.1:4711"
    agent = make_agent(ScreenOptions(data=tmp_path, relay=True, peers=3, via=(via,)))
    assert agent.side.pass_text == "kept"
    assert agent.side.relay is not None
    assert agent.side.relay.me == agent.side.identity.endpoint_id
    assert make_agent(ScreenOptions(data=tmp_path)).side.relay is None
    with pytest.raises(ApplianceError, match="SCR504"):
        make_agent(ScreenOptions(data=tmp_path, via=("nowhere",)))


async def test_a_port_that_is_taken_is_told_and_done_without(
    box: SmallBox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ScreenOptions(data=tmp_path / "screen", relay=True, listen=f"127.0.0.1:{box.port}")
    agent = await asyncio.to_thread(make_agent, options)
    async with passing_on(agent, options):
        async with asyncio.timeout(5):
            told = ""
            while "does not pass on" not in told:
                await asyncio.sleep(0.05)
                told += capsys.readouterr().err
    assert "BRG407" in told
