"""The first start: one code makes one admin, whoever asks at the same moment, and wrong codes lock nobody out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.services import restore_wish
from appliance.services.admin import door_setup, setup_code
from appliance.services.gateway import Gateway
from tests.unit.services.admin.doors import WORDS, a_door, a_gateway, audited


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    async def held(_: Gateway) -> str:
        return "none"

    monkeypatch.setattr(door_setup, "_held", held)
    (tmp_path / "run").mkdir()
    return await a_gateway(tmp_path)


async def code(gateway: Gateway) -> str:
    return await asyncio.to_thread(setup_code.code_of, gateway.settings.data)


def body(code: str, name: str = "maria", **more: str) -> dict[str, str]:
    return {"code": code, "name": name, "password": WORDS, **more}


async def test_one_code_makes_one_admin(gateway: Gateway) -> None:
    given = await code(gateway)
    async with a_door(gateway, door_setup) as door:
        both = [door.post("/api/setup", json=body(given, name)) for name in ("maria", "eve")]
        answers = await asyncio.gather(*both)
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    assert len(gateway.accounts.all()) == 1
    assert await code(gateway) == ""


async def test_one_code_gives_one_password(gateway: Gateway) -> None:
    await gateway.accounts.add("maria", "admin", "five other plain words")
    given = await asyncio.to_thread(setup_code.new_code, gateway.settings.data)
    async with a_door(gateway, door_setup) as door:
        both = [door.post("/api/setup", json=body(given, name)) for name in ("maria", "eve")]
        answers = await asyncio.gather(*both)
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    assert await code(gateway) == ""


@pytest.mark.parametrize("given", [{"password": "short"}, {"name": "<b>"}])
async def test_a_code_that_served_nothing_is_good_still(gateway: Gateway, given: dict[str, str]) -> None:
    shown = await code(gateway)
    async with a_door(gateway, door_setup) as door:
        assert (await door.post("/api/setup", json=body(shown) | given)).status_code == 422
        assert await code(gateway) == shown
        assert (await door.post("/api/setup", json=body(shown))).status_code == 200


async def test_wrong_codes_from_everywhere_lock_nobody_out_and_are_told(gateway: Gateway) -> None:
    for number in range(12):
        async with a_door(gateway, door_setup, address=f"192.0.2.{number}") as stranger:
            await stranger.post("/api/setup", json=body("AAAA-AAAA"))
    assert gateway.waits_for_code.left_s("code") <= 0.05
    await asyncio.sleep(0.06)
    assert ("unknown name", "set up", 403) in audited(gateway)
    async with a_door(gateway, door_setup, address="192.0.2.99") as door:
        assert (await door.post("/api/setup", json=body(await code(gateway)))).status_code == 200


# A backup in the place of a first start --------------------------------------------------------------------


async def restore(door: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await door.post("/api/setup/restore", content=b"a backup", headers=headers)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is told to the program that checks a backup; it finds all of them good."""
    told: list[Any] = []

    async def run(*words: str, given: str = "") -> str:
        told.append((words[2:], given))
        return ""

    monkeypatch.setattr(door_setup, "run_command", run)
    return told


async def test_a_backup_takes_the_place_of_a_new_box(gateway: Gateway, checked: list[Any]) -> None:
    given = await code(gateway)
    async with a_door(gateway, door_setup) as door:
        answer = await restore(door, **{"X-Setup-Code": given, "X-Passphrase": "gr%C3%BCne%20W%C3%B6rter"})
        assert answer.status_code == 202, answer.text
        assert checked == [(("--check", "--passphrase-file", "/dev/stdin"), "grüne Wörter")]
        assert await asyncio.to_thread(restore_wish.is_wanted, gateway.settings.data)
        told = await door.post("/api/setup", json=body(given))
        assert (told.status_code, told.json()["code"]) == (409, "BRG488")


async def test_an_address_opens_nothing(gateway: Gateway, checked: list[Any]) -> None:
    """What is in an address is in histories and logs."""
    given = await code(gateway)
    async with a_door(gateway, door_setup) as door:
        query = {"code": given, "passphrase": "words"}
        answer = await door.post("/api/setup/restore", params=query, content=b"a backup")
        assert (answer.status_code, answer.json()["code"]) == (403, "BRG486")
    assert checked == []


async def test_a_box_that_was_set_up_meanwhile_is_not_replaced(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await code(gateway)

    async def slow(*words: str, given: str = "") -> str:
        await gateway.accounts.add("maria", "admin", WORDS)
        await asyncio.to_thread(setup_code.forget, gateway.settings.data)
        return ""

    monkeypatch.setattr(door_setup, "run_command", slow)
    async with a_door(gateway, door_setup) as door:
        answer = await restore(door, **{"X-Setup-Code": given})
        assert (answer.status_code, answer.json()["code"]) == (403, "BRG486")
    assert not await asyncio.to_thread(restore_wish.is_wanted, gateway.settings.data)
    left = await asyncio.to_thread(lambda: list((gateway.settings.data / "incoming").iterdir()))
    assert left == []
