"""A shape's filter: what it may say, how it is written anew, and where it is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.shapes.where import DEPTH_LIMIT, LENGTH_LIMIT, PARTS_LIMIT, parse, read_names
from appliance.types import FieldType

COLUMNS: dict[str, FieldType] = {
    "ward": "text",
    "Not Lower": "text",
    "free": "boolean",
    "beds": "integer",
    "price": "numeric",
    "day": "date",
    "seen": "timestamptz",
    "told": "jsonb",
}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ward = 'Surgery'", """("ward" = 'Surgery')"""),
        ("WARD<>'O''Neill'", """("ward" <> 'O''Neill')"""),
        ('"Not Lower" != $1', """("Not Lower" <> 'one')"""),
        ("'Surgery' = ward", """('Surgery' = "ward")"""),
        ("free", '"free"'),
        ("not free", '(NOT "free")'),
        ("NOT NOT free", '"free"'),
        ("free = $3", """("free" = 'true'::boolean)"""),
        ("free IS NOT TRUE", '("free" IS NOT TRUE)'),
        ("ward is null", '("ward" IS NULL)'),
        ("told IS NOT NULL", '("told" IS NOT NULL)'),
        ("beds >= 3 AND beds < 1e2", '(("beds" >= 3) AND ("beds" < 1E+2))'),
        ("beds = $2", """("beds" = '2'::bigint)"""),
        ("beds > -1.50", '("beds" >  -1.50)'),
        ("price = $2", """("price" = '2'::numeric)"""),
        ("beds < price", '("beds" < "price")'),
        ("beds IN (1, 2.5, $2)", """("beds" IN (1, 2.5, '2'::numeric))"""),
        ("ward NOT IN ('a')", """(NOT ("ward" IN ('a')))"""),
        ("beds between 1 and 2 and free", '((("beds" >= 1) AND ("beds" <= 2)) AND "free")'),
        ("ward LIKE 'S%' OR ward ilike $1", """(("ward" LIKE 'S%') OR ("ward" ILIKE 'one'))"""),
        ("day = '2026-01-02'", """("day" = '2026-01-02'::date)"""),
        ("'2026-01-02'::date <= day", """('2026-01-02'::date <= "day")"""),
        ("seen > day::timestamptz", '("seen" > ("day"::timestamptz))'),
        ("told::text LIKE '%x%'", """(("told"::text) LIKE '%x%')"""),
        ("(free OR (ward) = 'x') AND free", """(("free" OR ("ward" = 'x')) AND "free")"""),
        ("((beds)) = ((1))", '("beds" = 1)'),
        ("1 = 1", "(1 = 1)"),
        ("true", "true"),
    ],
)
def test_what_a_filter_may_say(text: str, written: str) -> None:
    assert parse(text, COLUMNS, {1: "one", 2: "2", 3: "true"}).text() == written


@pytest.mark.parametrize(
    ("text", "character", "told"),
    [
        ("", 1, "expected"),
        ("ward", 1, "no condition"),
        ("ward = 3", 6, "cannot be compared"),
        ("day = free", 5, "cannot be compared"),
        ("ward = 'open", 8, "cannot be read"),
        ("ward = null", 8, "IS NULL"),
        ("ward = $9", 8, "$9"),
        ("ward =", 7, "expected"),
        ("free free", 6, "AND or OR"),
        ("free AND", 9, "expected"),
        ("free AND ward", 10, "no condition"),
        ("(free", 6, ")"),
        ("free)", 5, "AND or OR"),
        ("free; drop table x", 5, "cannot be read"),
        ("free -- all", 6, "AND or OR"),
        ("free /* all */", 6, "cannot be read"),
        ("1) OR (1 = 1", 2, "AND or OR"),
        ("secret = 1", 1, "no such column"),
        ("api.ward = 'x'", 4, "cannot be read"),
        ("length(ward) = 1", 1, "no such column"),
        ("ward = (SELECT 'x')", 9, "no such column"),
        ("ward = E'x'", 8, "no such column"),
        ("ward = 'x' COLLATE c", 12, "AND or OR"),
        ("beds + 1 = 2", 6, "cannot be read"),
        ("beds IN ()", 10, "expected"),
        ("beds IN (1,)", 12, "expected"),
        ("beds LIKE 'x'", 1, "LIKE is for text"),
        ("beds LIKE 1", 1, "LIKE is for text"),
        ("ward = ((SELECT 1))", 10, "no such column"),
        ("ward LIKE ward", 11, "pattern"),
        ("ward LIKE 'x\\'", 11, "backslash"),
        ("ward NOT = 'x'", 10, "IN, LIKE"),
        ("ward IS 'x'", 9, "NULL, TRUE or FALSE"),
        ("ward IS TRUE", 1, "no condition"),
        ("ward::bigint = 1", 1, "A column may be read"),
        ("price::int = 1", 1, "may not fit"),
        ("free = 1::boolean", 8, "not of that type"),
        ("ward = 'x'::money", 13, "a type was expected"),
        ("beds = 1x", 8, "cannot be read"),
        ("ward = \ud800", 8, "cannot be read"),
    ],
)
def test_what_it_may_not_say_is_refused_where_it_stands(text: str, character: int, told: str) -> None:
    with pytest.raises(ApplianceError) as refused:
        parse(text, COLUMNS)
    error = refused.value
    assert (error.code, error.details["character"]) == ("PGF119", character)
    assert told in error.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * (DEPTH_LIMIT + 1) + "free" + ")" * (DEPTH_LIMIT + 1),
        "free OR " * (LENGTH_LIMIT // 8) + "free",
        "beds = " + "(" * (DEPTH_LIMIT + 1) + "1" + ")" * (DEPTH_LIMIT + 1),
        f"beds IN ({','.join(['1'] * (PARTS_LIMIT + 1))})",
        "ward = 'a\x00'",
    ],
)
def test_it_has_limits(text: str) -> None:
    with pytest.raises(ApplianceError) as refused:
        parse(text, COLUMNS)
    assert refused.value.code == "PGF119"


def test_a_parameter_with_nul_is_refused() -> None:
    with pytest.raises(ApplianceError):
        parse("ward = $1", COLUMNS, {1: "\x00"})


def test_it_names_the_columns_it_reads() -> None:
    assert parse("ward = 'x' OR NOT (beds IN (1) AND day IS NULL)", COLUMNS).columns == {"ward", "beds", "day"}


def test_filters_that_mean_the_same_tree_are_equal() -> None:
    assert parse("free and ward='x'", COLUMNS) == parse("FREE  AND\n(ward = $1)", COLUMNS, {1: "x"})
    assert parse("ward = 'x'", COLUMNS) != parse("ward = 'x'", COLUMNS | {"ward": "jsonb"})


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, COLUMNS).text()
    except ApplianceError as error:
        assert error.code == "PGF119"


@given(st.text(alphabet="'\\\"$%x\n;-", max_size=12))
def test_a_value_stays_one_value(value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    written = parse(f"ward = {quoted}", COLUMNS).text()
    assert parse("ward = $1", COLUMNS, {1: value}).text() == written
    literal = written.removeprefix('("ward" = ').removesuffix(")").strip()
    escaped = literal.startswith("E")
    inner = literal.removeprefix("E")[1:-1].replace("''", "'")
    assert (inner.replace("\\\\", "\\") if escaped else inner) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, places=3))
def test_a_number_keeps_its_value(value: Decimal) -> None:
    written = parse(f"price = {value:f}", COLUMNS).text()
    assert Decimal(written.removeprefix('("price" = ').removesuffix(")")) == value


@pytest.mark.parametrize(
    ("text", "names"),
    [("a", ["a"]), ("a, B ,c", ["a", "b", "c"]), ('"a","b,c","say ""x"""', ["a", "b,c", 'say "x"'])],
)
def test_lists_of_names(text: str, names: list[str]) -> None:
    assert read_names(text) == names


@pytest.mark.parametrize("text", ["", "a b", "a,", ",a", "a,'b'", "a;b", "a.b", "1"])
def test_what_is_no_list_of_names(text: str) -> None:
    with pytest.raises(ApplianceError) as refused:
        read_names(text)
    assert refused.value.code == "PGF119"
