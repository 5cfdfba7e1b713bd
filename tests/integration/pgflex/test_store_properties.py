"""What was written is what is read back: generated documents through the data service and PostgREST."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.pgflex.fields import meaning, read_json, write_json
from appliance.pgflex.rest import Rest
from tests.integration.pgflex_box import Box, running_box

RESERVED = [
    "select",
    "order",
    "id",
    "extra",
    "table",
    "user",
    "offset",
    "xmin",
    "null",
    "Größe",
    "grösse ",
    "a+b",
    "a-b",
]
NUMBERS = [
    0,
    -0.0,
    1.0,
    10**30,
    -(2**63),
    2**63,
    Decimal("1.50"),
    Decimal("1E+400"),
    Decimal("1E-400"),
    Decimal("007.10"),
]
WORDS = [
    "",
    "NaN",
    "Infinity",
    "null",
    "true",
    "007",
    "1e5",
    "-0",
    "2026-02-30",
    "e\u0301",
    "👩🏽‍⚕️",
    "\u2028",
    "'; drop table x",
]
MOMENTS = ["2026-11-23", "2026-11-23T10:00:00+02:00", "0001-01-01", "9999-12-31T23:59:59.999999Z", "24:00"]

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
labels = st.sampled_from(RESERVED) | texts.filter(lambda text: text.strip() != "")
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | decimals
    | st.sampled_from(NUMBERS)
    | texts
    | st.sampled_from(WORDS)
    | st.sampled_from(MOMENTS)
)
values = scalars | st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
batches = st.lists(
    st.lists(st.dictionaries(labels, values, max_size=6), min_size=1, max_size=4), min_size=1, max_size=3
)
numbers = itertools.count()


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box(widen_rows_limit=2) as box:
        box.start_postgrest()
        box.start_service()
        yield box


@pytest.fixture(scope="module")
def client(box: Box) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=box.pgflex_url, headers={**box.bearer, "X-Role": "staff"}, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def db(box: Box) -> Iterator[psycopg.Connection]:
    with psycopg.connect(box.dsn, autocommit=True) as db:
        yield db


def same(written: Any, read: Any) -> bool:
    """Whether a value that was read is the one that was written, by the rules of the lattice.

    Numbers and truths among texts are the same as text; a true among numbers is 1; a day among moments is its
    midnight in UTC; a moment is the same at another offset.
    """
    if isinstance(written, dict | list) or isinstance(read, dict | list):
        return bool(deep(written) == deep(read))
    if isinstance(written, bool):
        return read in (written, str(written).lower(), str(int(written))) or str(read) == str(int(written))
    if isinstance(written, int | float | Decimal):
        exact = read_json(write_json(written).encode())
        return (isinstance(read, int | Decimal) and not isinstance(read, bool) and exact == read) or (
            isinstance(read, str) and Decimal(read) == exact and scale(read) == max(0, scale(exact))
        )
    if written == read:
        return type(written) is type(read)
    told = moment(written) if isinstance(written, str) and isinstance(read, str) else None
    return told is not None and told == moment(str(read))


def scale(number: Any) -> int:
    return -int(Decimal(number).as_tuple().exponent)


def moment(text: str) -> datetime | None:
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        told = datetime.fromisoformat(text)
        return told.astimezone(UTC) if told.tzinfo else None
    except (ValueError, OverflowError):
        return None


def deep(value: Any) -> Any:
    """A nested value with its numbers exact and their kinds told apart from truths."""
    if isinstance(value, dict):
        return {key: deep(item) for key, item in value.items()}
    if isinstance(value, list):
        return [deep(item) for item in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return ("number", Decimal(str(value)))
    return (type(value).__name__, value)


def labels_of(db: psycopg.Connection, collection: str) -> dict[str, str]:
    return dict(db.execute("select name, label from flex.fields where collection = %s", [collection]).fetchall())


def check(document: dict[str, Any], row: dict[str, Any], labels: dict[str, str]) -> None:
    """Every value of the document is in the row, at its own place; nothing else is."""
    read = {labels[name]: value for name, value in row.items() if name not in ("id", "extra") and value is not None}
    told = {label: value for label, value in document.items() if value is not None}
    assert len(read) == len(told)
    rest = dict(read)
    for label, value in told.items():
        # A label that is a column's name, or means the same as an earlier label, goes to that one's place.
        of_column = labels.get(label)
        known = label if label in rest else of_column if of_column in rest else None
        place = known or next((name for name in rest if alike(name, label)), None)
        assert place is not None, (label, row)
        assert same(value, rest.pop(place)), (label, value, read)


def alike(left: str, right: str) -> bool:
    return meaning(left) == meaning(right)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_what_was_written_is_read_back(
    client: httpx.Client, db: psycopg.Connection, box: Box, batches: list[list[dict[str, Any]]]
) -> None:
    name = f"generated_{next(numbers)}"
    written: dict[int, dict[str, Any]] = {}
    for documents in batches:
        answer = client.post(f"/flex/{name}", content=write_json(documents))
        assert answer.status_code == 201, answer.text
        rows = read_json(answer.content)
        assert len(rows) == len(documents)
        told = labels_of(db, name)
        for document, row in zip(documents, rows, strict=True):
            check(document, row, told)
            written[row["id"]] = document
    held = {
        row["id"]: row
        for (text,) in db.execute(f"select to_json(_t)::text from api.{name} _t".encode())
        for row in [read_json(text.encode())]
    }
    told = labels_of(db, name)
    assert len(set(told.values())) == len(told), "a label has one column, and a column one label"
    for key, document in written.items():
        row = held[key]
        beside = row.pop("extra", None) or {}
        check(document, row | beside, told)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(labels, values, min_size=1, max_size=6))
async def test_postgrest_gives_the_same(box: Box, document: dict[str, Any]) -> None:
    name = f"served_{next(numbers)}"
    rest = Rest(box.rest_url, box.secret)
    async with httpx.AsyncClient(base_url=box.pgflex_url, headers={**box.bearer, "X-Role": "staff"}) as client:
        answer = await client.post(f"/flex/{name}", content=write_json(document))
        assert answer.status_code == 201, answer.text
    await rest.get(f"/{name}", "staff")
    headers = {"Authorization": f"Bearer {rest.token('staff')}"}
    await rest.close()
    async with httpx.AsyncClient(base_url=box.rest_url, headers=headers) as client:
        (row,) = read_json((await client.get(f"/{name}")).content)
    with psycopg.connect(box.dsn) as db:
        check(document, row, labels_of(db, name))


def test_a_thousand_keys_and_a_megabyte(client: httpx.Client, db: psycopg.Connection) -> None:
    document: dict[str, Any] = {f"Key №{number}": number for number in range(1000)}
    document["long"] = 'ü👩🏽‍⚕️\\"' * 100_000
    answer = client.post("/flex/vast", content=write_json(document))
    assert answer.status_code == 201, answer.text
    check(document, read_json(answer.content)[0], labels_of(db, "vast"))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": -Infinity}', "not JSON"),
        (b'{"a": "\\u0000"}', "The field a holds a NUL"),
        (b'{"a": {"b\\u0000": 1}}', "The field a holds a NUL"),
        (b'{"a": "\\ud800"}', "not JSON"),
        (b'{"a": 1, "a": 2}', "names a key twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "names a key twice"),
        (b'{"a": 1e200000}', "not what this collection can hold"),
        (b'{"a": [1e-20000]}', "not what this collection can hold"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "The field a is nested too deep"),
        (b'{"' + b"k" * 501 + b'": 1}', "may have 500 characters"),
        (b"[" + b"{}," * 10_000 + b"{}]", "may have 10000 documents"),
        (b'{"\\u0000": 1}', "A field needs a name"),
        (b"7", "has to be a JSON object"),
    ],
)
def test_what_cannot_be_kept_is_refused(client: httpx.Client, body: bytes, told: str) -> None:
    answer = client.post("/flex/refused", content=body)
    assert answer.status_code in (400, 413), answer.text
    assert told in answer.json()["message"]
    assert client.delete("/flex/refused/1").json()["code"] == "PGF104", "nothing was made"
