"""Credentials become roles; nobody acts above their own."""

import asyncio
import time
from collections.abc import Callable

import jwt
import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.access.role_book import State
from appliance.services.access import Access
from appliance.services.door import UNKNOWN
from appliance.types import ROLES, Role
from tests.unit.services.runtimes import KEYS, runtime

ABOVE: list[tuple[Role, Role]] = [("wall", "staff"), ("wall", "admin"), ("staff", "admin")]
WITHIN: list[tuple[Role, Role]] = [(own, role) for own in ROLES for role in ROLES if (own, role) not in ABOVE]


@pytest.mark.parametrize("lan", [False, True])
def test_a_key_is_its_role(lan: bool) -> None:
    access = Access(runtime(lan=lan))
    assert {role: access.role(KEYS[role]) for role in ROLES} == {role: role for role in ROLES}


def test_without_lan_no_credential_is_staff() -> None:
    assert Access(runtime()).role("") == "staff"


def test_with_lan_no_credential_is_nobody() -> None:
    with pytest.raises(ApplianceError) as caught:
        Access(runtime(lan=True)).role("")
    assert caught.value.code == "BRG401"
    assert caught.value.hint


@pytest.mark.parametrize("join", ["auto", "approve"])
def test_no_credential_is_nobody_even_where_a_key_is_empty(join: str) -> None:
    told = msgspec.structs.replace(runtime(lan=True, join=join), keys=dict.fromkeys(ROLES, ""))
    with pytest.raises(ApplianceError) as caught:
        Access(told).role("")
    assert caught.value.code == "BRG401"


@pytest.mark.parametrize("lan", [False, True])
@pytest.mark.parametrize(
    "credential", ["wrong", "the wall's ke", "the wall's key ", "schlüssel", "\0", "x" * 10_000, UNKNOWN]
)
def test_a_wrong_credential_is_nobody_anywhere(credential: str, lan: bool) -> None:
    with pytest.raises(ApplianceError) as caught:
        Access(runtime(lan=lan)).role(credential)
    assert caught.value.code == "BRG401"
    assert credential not in str(caught.value.shape())


@pytest.mark.parametrize(("own", "wanted"), WITHIN)
def test_a_role_acts_as_itself_and_as_less(own: Role, wanted: Role) -> None:
    assert Access(runtime()).acting(own, wanted) == wanted


@pytest.mark.parametrize(("own", "wanted"), ABOVE)
def test_a_role_does_not_act_as_more(own: Role, wanted: Role) -> None:
    with pytest.raises(ApplianceError) as caught:
        Access(runtime()).acting(own, wanted)
    assert caught.value.code == "BRG402"


def test_who_asks_for_no_role_acts_as_their_own() -> None:
    assert [Access(runtime()).acting(role, None) for role in ROLES] == list(ROLES)


@pytest.mark.parametrize("wanted", ["", "boss", "STAFF", "postgres", "staff "])
def test_an_unknown_role_is_refused(wanted: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        Access(runtime()).acting("admin", wanted)
    assert caught.value.code == "BRG410"


# Tokens ---------------------------------------------------------------------------------------------------


def given(role: str = "nurse", jti: str = "j1", ends_in: float = 60) -> str:
    claims = {"role": role, "aud": "dreamstack", "exp": time.time() + ends_in, "jti": jti}
    return jwt.encode(claims, runtime().secret, algorithm="HS256")


def knowing(**more: Role) -> Access:
    access = Access(runtime(lan=True))
    access.learn(State({**State().levels, **more}))
    return access


def refused(call: Callable[..., object], *args: object) -> str:
    with pytest.raises(ApplianceError) as caught:
        call(*args)
    return caught.value.code


def test_a_token_is_its_role_while_nothing_speaks_against_it() -> None:
    access = knowing(nurse="staff")
    assert access.role(given()) == "nurse"
    access.learn(State({**State().levels, "nurse": "staff"}, frozenset({"j1"})))
    assert refused(access.role, given()) == "BRG401"
    assert access.role(given(jti="j2")) == "nurse"
    access.learn(State())
    assert refused(access.role, given(jti="j2")) == "BRG401"


def test_no_token_is_good_while_revocations_cannot_be_heard() -> None:
    access = Access(runtime(lan=True))
    assert refused(access.role, given("staff")) == "BRG406"
    access.learn(State())
    assert access.role(given("staff")) == "staff"
    access.learn(None)
    assert refused(access.role, given("staff")) == "BRG406"
    assert access.role(KEYS["wall"]) == "wall"


async def test_a_token_that_was_good_runs_out() -> None:
    access, text = knowing(nurse="staff"), given(ends_in=1.2)
    token = access.token(text)
    assert token is not None
    await asyncio.wait_for(access.gone(token), 3)
    assert refused(access.role, text) == "BRG401"


async def test_what_a_token_began_is_told_when_it_ends() -> None:
    access = knowing(nurse="staff")
    token = access.token(given())
    assert token is not None
    waiting = asyncio.create_task(access.gone(token))
    await asyncio.sleep(0)
    access.learn(State({**State().levels, "nurse": "staff"}, frozenset({"other"})))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    access.learn(State({**State().levels, "nurse": "staff"}, frozenset({"j1"})))
    await asyncio.wait_for(waiting, 1)
    await asyncio.wait_for(access.gone(token), 1)  # revoked before anybody waited


@pytest.mark.parametrize(
    ("own", "wanted", "code"),
    [
        ("admin", "nurse", None),
        ("nurse", "nurse", None),
        ("nurse", "wall", None),
        ("nurse", "staff", "BRG402"),
        ("nurse", "porter", "BRG402"),
        ("staff", "nurse", "BRG402"),
        ("staff", "lobby", "BRG402"),
        ("lobby", "wall", "BRG402"),
        ("admin", "nobody", "BRG410"),
    ],
)
def test_who_acts_as_a_declared_role(own: str, wanted: str, code: str | None) -> None:
    access = knowing(nurse="staff", porter="staff", lobby="wall")
    if code is None:
        assert access.acting(own, wanted) == wanted
    else:
        assert refused(access.acting, own, wanted) == code


def test_screens_come_in_with_keys_and_as_built_in_roles() -> None:
    access = knowing(nurse="staff", staffer="staff")
    assert refused(access.screen_role, given(), None) == "BRG401"
    assert access.screen_role(KEYS["admin"], "wall") == "wall"
    assert refused(access.screen_role, KEYS["admin"], "nurse") == "BRG402"
