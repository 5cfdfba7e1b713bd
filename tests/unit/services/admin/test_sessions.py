"""Sessions: random, kept as digests, over after a while, and ended with their account."""

import asyncio
import time
from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.screen import cache
from appliance.services.access import Access
from appliance.services.admin.sessions import LONGEST_S, Sessions, csrf_of, is_session
from tests.unit.services.admin.doors import WORDS, a_gateway
from tests.unit.services.runtimes import runtime


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_is_found_by_its_cookie_alone() -> None:
    sessions = Sessions(None, lambda: 900, Clock())
    token = sessions.begin("maria", "admin", "192.0.2.7")
    found = sessions.find(token)
    assert found is not None
    assert (found.name, found.role, is_session(token)) == ("maria", "admin", True)
    assert sessions.find(token + "x") is None
    assert token not in repr(sessions._all)


def test_who_does_nothing_is_signed_out() -> None:
    clock = Clock()
    sessions = Sessions(None, lambda: 900, clock)
    token = sessions.begin("maria", "admin", "")
    clock.now += 899
    assert sessions.find(token, used=True)
    clock.now += 899
    assert sessions.find(token)
    clock.now += 2
    assert sessions.find(token) is None


def test_nobody_stays_for_ever() -> None:
    clock = Clock()
    sessions = Sessions(None, lambda: 900, clock)
    token, began = sessions.begin("maria", "admin", ""), clock.now
    while sessions.find(token, used=True):
        clock.now += 600
    assert LONGEST_S <= clock.now - began <= LONGEST_S + 600


def test_the_csrf_token_is_of_the_session_and_does_not_tell_it() -> None:
    sessions = Sessions(None, lambda: 900, Clock())
    one, other = sessions.begin("maria", "admin", ""), sessions.begin("maria", "admin", "")
    assert csrf_of(one) != csrf_of(other)
    assert one not in csrf_of(one)
    assert len(csrf_of(one)) >= 40


async def test_what_waits_for_the_end_hears_of_it() -> None:
    sessions = Sessions(None, lambda: 900)
    token, other = sessions.begin("maria", "admin", ""), sessions.begin("maria", "admin", "")
    gone = asyncio.create_task(sessions.gone(token))
    await asyncio.sleep(0)
    assert sessions.end_of("maria", besides=other) == 1
    await asyncio.wait_for(gone, 1)
    assert sessions.find(other)


async def test_a_restart_signs_nobody_out(tmp_path: Path) -> None:
    file = tmp_path / "gateway" / "sessions.json"
    before = Sessions(file, lambda: 900)
    token = before.begin("maria", "admin", "")
    await before.keep(now=True)
    assert file.stat().st_mode & 0o077 == 0
    assert token not in file.read_text()
    after = Sessions(file, lambda: 900)
    await asyncio.to_thread(after.load)
    assert after.find(token)


async def test_a_session_of_an_account_that_is_another_now_ends_with_the_restart(tmp_path: Path) -> None:
    before = await a_gateway(tmp_path)
    tokens: dict[str, str] = {}
    for name in ("maria", "jonas", "gone", "lower", "other"):
        await before.accounts.add(name, "staff" if name == "jonas" else "admin", WORDS)
        tokens[name] = before.sessions.begin(name, before.accounts.get(name).role, "")
    await before.sessions.keep(now=True)
    await before.accounts.remove("gone")  # as when the power is cut before that is written down
    await before.accounts.change("lower", "staff", None)
    await before.accounts.change("other", None, WORDS + "!")
    after = await a_gateway(tmp_path)
    assert [name for name in tokens if after.sessions.find(tokens[name])] == ["maria", "jonas"]


async def test_what_is_kept_last_is_what_was_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, write, slow = tmp_path / "sessions.json", cache.write, [0.1]

    def written(path: Path, body: bytes) -> None:
        if slow:
            time.sleep(slow.pop())
        write(path, body)

    monkeypatch.setattr(cache, "write", written)
    sessions = Sessions(file, lambda: 900)
    token = sessions.begin("maria", "admin", "")
    first = asyncio.create_task(sessions.keep(now=True))
    await asyncio.sleep(0.02)
    sessions.end(token)
    await asyncio.gather(first, sessions.keep(now=True))
    assert await asyncio.to_thread(file.read_bytes) == b"[]"


def test_a_session_is_its_role_at_the_door() -> None:
    access = Access(runtime(lan=True))
    access.sessions = Sessions(None, lambda: 900)
    token = access.sessions.begin("jonas", "staff", "")
    assert access.role(token) == "staff"
    assert access.screen_role(token, "wall") == "wall"
    access.sessions.end(token)
    with pytest.raises(ApplianceError) as caught:
        access.role(token)
    assert caught.value.code == "BRG401"


def test_a_role_that_is_gone_is_no_role() -> None:
    access = Access(runtime(lan=True))
    access.sessions = Sessions(None, lambda: 900)
    with pytest.raises(ApplianceError) as caught:
        access.role(access.sessions.begin("jonas", "nurse", ""))
    assert caught.value.code == "BRG401"
