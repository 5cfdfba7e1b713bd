"""Credentials become roles; nobody acts above their own."""

import pytest

from appliance.errors import ApplianceError
from appliance.services.access import Access
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


@pytest.mark.parametrize("lan", [False, True])
@pytest.mark.parametrize("credential", ["wrong", "the wall's ke", "the wall's key ", "schlüssel", "\0", "x" * 10_000])
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
