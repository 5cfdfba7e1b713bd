"""Signing in and out: who waits for whose guesses, what is left in the browser, what the audit has of it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from appliance.services.admin import door_session
from appliance.services.admin.sessions import COOKIE
from appliance.services.gateway import Gateway
from tests.unit.services.admin.doors import WORDS, a_door, a_gateway, audited
from tests.unit.services.runtimes import KEYS


@pytest.fixture
async def gateway(tmp_path: Path) -> Gateway:
    made = await a_gateway(tmp_path)
    await made.accounts.add("maria", "admin", WORDS)
    return made


async def sign_in(door: httpx.AsyncClient, password: str = WORDS) -> httpx.Response:
    return await door.post("/api/session", json={"name": "maria", "password": password})


async def wait_on(gateway: Gateway, name: str) -> None:
    """What a stranger on the network does, from many addresses."""
    while gateway.waits_by_name.left_s(name) == 0:
        gateway.waits_by_name.attempt(name)


async def test_a_stranger_makes_nobody_wait_where_they_sign_in(gateway: Gateway) -> None:
    async with a_door(gateway, door_session) as door, a_door(gateway, door_session, address="192.0.2.66") as new:
        assert (await sign_in(door)).status_code == 200
        await wait_on(gateway, "maria")
        door.cookies.clear()
        assert (await sign_in(door)).status_code == 200
        assert gateway.waits_by_name.left_s("maria") == 0, "the right guess begins anew"
        await wait_on(gateway, "maria")
        assert (await sign_in(new)).status_code == 429


async def test_what_one_wait_refuses_counts_for_no_other(gateway: Gateway) -> None:
    await wait_on(gateway, "maria")
    async with a_door(gateway, door_session) as door:
        for _ in range(20):
            assert (await sign_in(door)).status_code == 429
    assert gateway.waits_by_address.left_s("192.0.2.7") == 0
    assert audited(gateway) == [("maria", "sign in", 429)], "a wait is told once"


async def test_guesses_at_one_address_wait_also_where_somebody_signed_in(gateway: Gateway) -> None:
    async with a_door(gateway, door_session) as door:
        await sign_in(door)
        door.cookies.clear()
        codes = [(await sign_in(door, "not this one")).status_code for _ in range(7)]
    assert codes[:5] == [401] * 5 and 429 in codes


async def test_signing_out_leaves_no_credential(gateway: Gateway) -> None:
    async with a_door(gateway, door_session) as door:
        csrf = (await sign_in(door)).json()["csrf"]
        door.cookies.set("dreamstack", KEYS["admin"])
        gone = await door.delete("/api/session", headers={"X-CSRF-Token": csrf})
        assert gone.status_code == 200
        emptied = {cookie.partition("=")[0] for cookie in gone.headers.get_list("set-cookie") if "Max-Age=0" in cookie}
        assert emptied == {COOKIE, "dreamstack"}
    assert audited(gateway) == [("maria", "sign in", 200), ("maria", "sign out", 200)]


async def test_who_came_in_with_the_key_signs_out_too(gateway: Gateway) -> None:
    async with a_door(gateway, door_session) as door:
        door.cookies.set("dreamstack", KEYS["admin"])
        gone = await door.delete("/api/session")
        assert (gone.status_code, gone.json()) == (200, {"ended": True})
        assert any(cookie.startswith("dreamstack=") for cookie in gone.headers.get_list("set-cookie"))
        door.cookies.clear()
        assert (await door.delete("/api/session")).status_code == 200
    assert audited(gateway) == [("admin key", "sign out", 200)]
