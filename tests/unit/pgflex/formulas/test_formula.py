"""The language of formulas: what it reads, the types it gives, the SQL it makes, and where it says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.formulas.formula import DEPTH_LIMIT, LENGTH_LIMIT, SQL_LIMIT, Known, Typed, check, parse
from appliance.types import FieldType

TYPES: dict[str, FieldType] = {
    "capacity": "integer",
    "occupied": "integer",
    "price": "numeric",
    "born": "date",
    "left": "date",
    "seen": "timestamptz",
    "name": "text",
    "free": "boolean",
    "nested": "jsonb",
}
KNOWN = {
    **{name: Known(name, kind) for name, kind in TYPES.items()},
    "Bed No": Known("bed_no", "text"),
    'the "big" one': Known("big", "integer"),
    "Größe": Known("grosse", "numeric"),
    "available": Known("available", "numeric", "capacity - occupied"),
    "share": Known("share", "numeric", "round(available / capacity, 2)"),
}


def typed(text: str, owner: str = "") -> Typed:
    return check(parse(text), KNOWN, owner)


def refused(text: str, owner: str = "") -> ApplianceError:
    with pytest.raises(ApplianceError) as told:
        typed(text, owner)
    assert told.value.code == "PGF115"
    return told.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("capacity", "integer"),
        ("capacity - occupied", "numeric"),
        ("capacity / 2", "numeric"),
        ("-price % 3", "numeric"),
        ("1.5", "numeric"),
        ("99999999999999999999", "numeric"),
        ("'it''s'", "text"),
        ('"Bed No"', "text"),
        ('"the ""big"" one" + 1', "numeric"),
        ("Größe * 2", "numeric"),
        ("true", "boolean"),
        ("TRUE and Not free", "boolean"),
        ("capacity > 3 or name = 'x'", "boolean"),
        ("born < '2026-01-01'", "boolean"),
        ("'2026-01-01' <= born", "boolean"),
        ("seen > '2026-01-01T00:00:00+00:00'", "boolean"),
        ("coalesce(born, left, '2026-01-01')", "date"),
        ("greatest(seen, seen)", "timestamptz"),
        ("least(capacity, occupied)", "integer"),
        ("least(capacity, price)", "numeric"),
        ("if(free, null, name)", "text"),
        ("if(free, capacity, price)", "numeric"),
        ("days_between(born, left)", "integer"),
        ("year(born)", "integer"),
        ("length(name)", "integer"),
        ("Initials(name)", "text"),
        ("concat(name, capacity, price, free)", "text"),
        ("abs(capacity)", "numeric"),
        ("round(price)", "numeric"),
        ("share > 0.5", "boolean"),
    ],
)
def test_types(text: str, kind: FieldType) -> None:
    assert typed(text).type == kind


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("8 / 4 / 2", "(8 / 4) / 2"),
        ("-1 + 2", "(-1) + 2"),
        ("- - 1", "1"),
        ("free or free and not free", "free or (free and (not free))"),
        ("not capacity = 1 and free", "(not (capacity = 1)) and free"),
        ("capacity + 1 > 2 * 3", "(capacity + 1) > (2 * 3)"),
        ("capacity == 1", "capacity = 1"),
        ("capacity != 1", "capacity <> 1"),
        ("  capacity\n+\t1 ", "capacity+1"),
    ],
)
def test_precedence(text: str, same: str) -> None:
    assert typed(text).expression == typed(same).expression


def test_the_sql_of_a_formula() -> None:
    assert typed("capacity / occupied").expression == (
        '(coalesce("capacity", null::bigint)::numeric / '
        'nullif(coalesce("occupied", null::bigint)::numeric, 0::numeric))'
    )
    assert typed("if(free, 'a', 'b')").expression == (
        "(case when coalesce(\"free\", null::boolean) then 'a'::text else 'b'::text end)"
    )


def test_what_a_text_holds_stays_a_text() -> None:
    assert "''; drop table t; --" in typed("concat('''; drop table t; --')").expression
    odd = {'a"; drop table t; --': Known('a"; drop table t; --', "text")}
    assert check(parse('upper("a""; drop table t; --")'), odd).expression.startswith('upper(coalesce("a""; drop')


def test_computed_fields_are_put_in_and_what_is_read_is_told() -> None:
    told = typed("share * 100")
    assert (told.uses, told.reads) == (("share",), ("capacity", "occupied"))
    assert '"share"' not in told.expression
    assert parse("share + capacity + share").fields == {"share": 0, "capacity": 8}


@pytest.mark.parametrize(
    ("text", "character", "words"),
    [
        ("", 1, "ends too early"),
        ("1 +", 4, "ends too early"),
        ("capacity occupied", 10, "occupied does not belong here"),
        ("(1", 3, "a ) before the end"),
        ("round(1 2)", 9, "a , before 2"),
        ("1 $ 2", 3, "no $"),
        ("'abc", 1, "' is missing"),
        ('"abc', 1, '" is missing'),
        ("1 < 2 < 3", 7, "joined by and"),
        ("taken - 1", 1, "no field taken"),
        ("capacity - nested", 12, "nested values"),
        ("capacity + name", 12, "A text cannot"),
        ("born - left", 1, "A date cannot"),
        ("capacity + free", 12, "True or false"),
        ("free and name", 10, "has to be true or false"),
        ("not 1", 5, "has to be true or false"),
        ("name = 1", 8, "do not go together"),
        ("name = null", 6, "null"),
        ("born > '2026-02-30'", 8, "not a date"),
        ("seen > '2026-01-01'", 8, "not a time"),
        ("born < seen", 6, "cannot be compared"),
        ("frob(1)", 1, "no function frob"),
        ("round()", 1, "takes 1 to 2 values"),
        ("round(price, capacity)", 14, "from 0 to 12"),
        ("round(price, 13)", 14, "from 0 to 12"),
        ("upper(capacity)", 7, "has to be a text"),
        ("if(capacity, 1, 2)", 4, "has to be true or false"),
        ("if(free, 1, 'a')", 13, "do not go together"),
        ("coalesce(capacity, name)", 20, "do not go together"),
        ("null", 1, "always null"),
        ("a\x00b", 2, "NUL"),
    ],
)
def test_errors_point_at_the_character(text: str, character: int, words: str) -> None:
    error = refused(text)
    assert words in error.message
    assert error.details["character"] == character
    assert error.details["shown"].splitlines()[-1] == " " * (character - 1) + "^"


@pytest.mark.parametrize("text", ["concat(name, born)", "concat(seen)", "year(seen)", "days_between(born, seen)"])
def test_what_is_not_immutable_is_refused_and_why(text: str) -> None:
    assert "not immutable" in str(refused(text).hint)


def test_circles_are_refused() -> None:
    assert "itself" in refused("available + 1", "available").message
    assert "itself" in refused("share + 1", "available").message
    assert "itself" in refused("price + price", "price").message


def test_limits() -> None:
    refused("1" * (LENGTH_LIMIT + 1))
    assert "levels deep" in refused("(" * (DEPTH_LIMIT + 1)).message
    typed("+".join(["1"] * 100))
    assert "too long" in refused("+".join(["1"] * 400)).message
    assert "too long" in refused("not " * 250 + "free").message
    doubled = {"f0": Known("f0", "integer")}
    for place in range(1, 40):
        doubled[f"f{place}"] = Known(f"f{place}", "numeric", f"f{place - 1} + f{place - 1}")
    with pytest.raises(ApplianceError, match="too long"):
        check(parse("f39"), doubled)
    assert len(check(parse("f7"), doubled).expression) < SQL_LIMIT


@given(st.text(alphabet="capcity+-*/%()<>=!'\"., 019andorfu\\", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        told = typed(text)
    except ApplianceError as error:
        assert error.code == "PGF115"
    else:
        assert told.expression
