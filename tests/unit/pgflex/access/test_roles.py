"""What a role, a condition or a mask may be, and what a token has to say: told without a database."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.access.conditions import LIMIT, Condition, checked
from appliance.pgflex.access.masks import MASKED_TYPES, Mask, check_mask
from appliance.pgflex.access.roles import _check_name, only_admin
from appliance.pgflex.access.tokens import read_token, resembles_token
from appliance.types import ROLES, FieldType, audience_of

SECRET = "s" * 48


class Held(msgspec.Struct, frozen=True):
    name: str
    label: str
    type: FieldType


def code(call: Any, *given: Any) -> str:
    with pytest.raises(ApplianceError) as caught:
        call(*given)
    assert caught.value.message.endswith(".")
    return caught.value.code


# Names and levels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nurse", "n", "ward_3", "a" * 31])
def test_a_plain_name_can_be_a_role(name: str) -> None:
    _check_name(name)


@pytest.mark.parametrize("name", ["", "Nurse", "1st", "a b", "a" * 32, 'x"; drop', "ñurse", "x\n"])
def test_other_names_cannot(name: str) -> None:
    assert code(_check_name, name) == "PGF151"


@pytest.mark.parametrize("name", [*ROLES, "flex", "authenticator", "dreamstack", "postgres", "public", "pg_monitor"])
def test_roles_of_the_box_and_of_postgresql_are_not_declared(name: str) -> None:
    assert code(_check_name, name) == "PGF152"


@pytest.mark.parametrize("role", ["wall", "staff", "nurse", "", "ADMIN"])
def test_only_the_admin_declares(role: str) -> None:
    assert code(only_admin, role) == "PGF106"


def test_what_a_declared_role_read_is_for_the_admins_screens_alone() -> None:
    assert [audience_of(role) for role in (*ROLES, "nurse")] == [*ROLES, "admin"]


# Conditions -----------------------------------------------------------------------------------------------

GOOD: list[tuple[FieldType, str, Any]] = [
    ("text", "eq", "Cardiology"),
    ("text", "like", "card"),
    ("text", "in", ["a", "b"]),
    ("integer", "gte", 3),
    ("integer", "lt", 2.5),
    ("numeric", "neq", 1),
    ("boolean", "eq", True),
    ("date", "gt", "2026-01-01"),
    ("timestamptz", "lte", "2026-01-01T10:00:00Z"),
    ("timestamptz", "lte", "2026-01-01"),
    ("jsonb", "eq", {"a": [1]}),
    ("jsonb", "null", False),
    ("integer", "null", True),
]
BAD: list[tuple[FieldType, str, Any]] = [
    ("text", "eq", 3),
    ("text", "eq", None),
    ("text", "eq", "a\x00b"),
    ("text", "like", 3),
    ("text", "in", []),
    ("text", "in", "abc"),
    ("text", "in", ["a", 3]),
    ("integer", "eq", "3"),
    ("integer", "eq", True),
    ("integer", "like", "3"),
    ("boolean", "gt", True),
    ("boolean", "eq", 1),
    ("date", "eq", "soon"),
    ("date", "eq", "2026-01-01T10:00:00Z"),
    ("jsonb", "gt", 3),
    ("integer", "null", 1),
]


@pytest.mark.parametrize(("held", "op", "value"), GOOD)
def test_a_condition_of_the_fields_type_is_kept_by_column(held: FieldType, op: Any, value: Any) -> None:
    told = checked([Condition("The Field", op, value)], lambda _: Held("the_field", "The Field", held))
    assert told == [{"field": "the_field", "op": op, "value": value}]


@pytest.mark.parametrize(("held", "op", "value"), BAD)
def test_a_value_that_does_not_fit_is_refused(held: FieldType, op: Any, value: Any) -> None:
    assert code(checked, [Condition("f", op, value)], lambda _: Held("f", "F", held)) == "PGF151"


def test_conditions_are_counted() -> None:
    many = [Condition("f", "eq", "a")] * (LIMIT + 1)
    assert code(checked, many, lambda _: Held("f", "F", "text")) == "PGF151"


# Masks ----------------------------------------------------------------------------------------------------

FITTING = {
    "initials": {"text"},
    "year": {"date", "timestamptz", "text"},
    "last4": {"text", "integer", "numeric"},
    "rounded": {"integer", "numeric"},
    "hidden": {"boolean", "integer", "numeric", "date", "timestamptz", "text", "jsonb"},
}


@pytest.mark.parametrize("kind", FITTING)
@pytest.mark.parametrize("held", sorted(FITTING["hidden"]))
def test_a_mask_fits_its_types_and_no_other(kind: Any, held: Any) -> None:
    if held in FITTING[kind]:
        check_mask(kind, "F", held)
    else:
        assert code(check_mask, kind, "F", held) == "PGF151"


def test_every_mask_that_shows_something_has_a_type() -> None:
    assert set(MASKED_TYPES) == set(FITTING) - {"hidden"}
    assert set(msgspec.inspect.type_info(Mask).fields[0].type.values) == set(FITTING)  # type: ignore[attr-defined]


# Tokens ---------------------------------------------------------------------------------------------------


def claims(**other: Any) -> dict[str, Any]:
    made = {"role": "nurse", "aud": "dreamstack", "exp": int(time.time()) + 60, "jti": "j1"} | other
    return {name: value for name, value in made.items() if value is not None}


def signed(secret: str = SECRET, algorithm: str = "HS256", **other: Any) -> str:
    return jwt.encode(claims(**other), secret, algorithm=algorithm)


def test_a_good_token_says_who_and_until_when() -> None:
    token = read_token(signed(), SECRET)
    assert (token.jti, token.role) == ("j1", "nurse")
    assert 50 < token.expires - time.time() <= 60


NO_GOOD: dict[str, Callable[[], str]] = {
    "another audience": lambda: signed(aud="elsewhere"),
    "no audience": lambda: signed(aud=None),
    "no end": lambda: signed(exp=None),
    "run out": lambda: signed(exp=int(time.time()) - 1),
    "no id": lambda: signed(jti=None),
    "no role": lambda: signed(role=None),
    "role is a list": lambda: signed(role=["admin"]),
    "not yet": lambda: signed(nbf=int(time.time()) + 60),
    "another secret": lambda: signed("t" * 48),
    "another algorithm": lambda: signed(SECRET, "HS384"),
    "no signature": lambda: jwt.encode(claims(), "", algorithm="none"),
    "cut off": lambda: signed()[:-3],
    "no token": lambda: "a.b.c",
}


@pytest.mark.parametrize("why", NO_GOOD)
def test_a_token_that_is_no_good_is_refused(why: str) -> None:
    token = NO_GOOD[why]()
    with pytest.raises(ApplianceError) as caught:
        read_token(token, SECRET)
    assert caught.value.code == "BRG401"
    assert token not in str(caught.value.shape())


def test_keys_are_not_taken_for_tokens() -> None:
    assert not resembles_token("Vb3_-kd0s9fj")
    assert resembles_token(signed())
