"""Import of files into a real PostgreSQL: every value as it was written, all rows or none, under the caller's role."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.changes import Feed, Ready
from appliance.pgflex.database import Pool, connection
from appliance.pgflex.imports.importing import Importer, Progress, Report, Wanted
from appliance.pgflex.relations.discovery import Discovery
from appliance.pgflex.relations.relations import Declared, Relations
from appliance.pgflex.writes.placing import Limits
from appliance.pgflex.writes.store import Store
from appliance.types import Change
from tests.integration.pgflex_box import Box, opened, running_box

MIXED = b"Bed No,free,floor,price,since,note\nC-01,yes,1,1.50,2026-01-02,\nC-02,no,,2,2026-01-03,007\n"


@pytest.fixture
def folder(box: Box) -> Path:
    return box.settings.data / "import"


@pytest.fixture
def importer(pool: Pool, store: Store, folder: Path) -> Importer:
    return Importer(pool, store, folder, Limits())


async def pieces(data: bytes, size: int = 1 << 16) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def imported(importer: Importer, collection: str, data: bytes, format: Any = "csv", **more: Any) -> Report:
    """The report of an import."""
    wanted = Wanted(collection, more.pop("role", "staff"), format, **more)
    async with aclosing(importer.run(wanted, pieces(data))) as events:
        told = [event async for event in events]
    assert isinstance(told[-1], Report)
    return told[-1]


async def rows(pool: Pool, query: str) -> list[Any]:
    async with connection(pool) as db:
        return await (await db.execute(query)).fetchall()


async def collections(pool: Pool) -> set[str]:
    return {name for (name,) in await rows(pool, "select name from flex.collections")}


async def tables(pool: Pool) -> set[str]:
    return {name for (name,) in await rows(pool, "select tablename from pg_tables where schemaname = 'api'")}


def left(folder: Path) -> list[Path]:
    """What lies where files wait while they come in."""
    return list(folder.iterdir())


def types(report: Report) -> dict[str, str | None]:
    return {field.column: field.type for field in report.fields}


async def test_a_file_makes_its_collection_with_types(importer: Importer, pool: Pool, folder: Path) -> None:
    report = await imported(importer, "mixed", MIXED)
    assert (report.new, report.rows, report.delimiter, report.skipped) == (True, 2, ",", 0)
    assert types(report) == {
        "bed_no": "text", "free": "boolean", "floor": "integer", "price": "numeric", "since": "date", "note": "text",
    }  # fmt: skip
    assert await rows(pool, "select id, bed_no, free, floor, price::text, since::text, note from api.mixed") == [
        (1, "C-01", True, 1, "1.50", "2026-01-02", None),
        (2, "C-02", False, None, "2", "2026-01-03", "007"),
    ]
    assert left(folder) == []


async def test_a_dry_run_says_the_same_and_writes_nothing(importer: Importer, pool: Pool, folder: Path) -> None:
    before = await collections(pool), await tables(pool)
    dry = await imported(importer, "dry", MIXED, dry_run=True)
    assert (await collections(pool), await tables(pool)) == before
    wet = await imported(importer, "dry", MIXED)
    assert dry.dry_run
    assert (dry.fields, dry.rows, dry.new) == (wet.fields, wet.rows, wet.new)
    assert left(folder) == []


async def test_a_collection_that_is_there_grows(importer: Importer, pool: Pool) -> None:
    await imported(importer, "grown", b"a,b,c,d\n1,yes,2026-01-01,5\n2,no,2026-01-02,6\n")
    dry = await imported(importer, "grown", b"a,c,new\nx,2026-01-03T01:00:00+01:00,1\n", dry_run=True)
    report = await imported(importer, "grown", b"a,c,new\nx,2026-01-03T01:00:00+01:00,1\n")
    assert dry.fields == report.fields
    assert [(field.column, field.state, field.was, field.type) for field in report.fields] == [
        ("a", "wider", "integer", "text"),
        ("c", "wider", "date", "timestamptz"),
        ("new", "new", None, "integer"),
    ]
    assert await rows(pool, "select a, b, c at time zone 'UTC' = '2026-01-03', new from api.grown order by id") == [
        ("1", True, False, None), ("2", False, False, None), ("x", None, True, 1)
    ]  # fmt: skip
    assert not {name for name in await tables(pool) if name.startswith("import_")}


async def test_words_do_not_become_numbers(importer: Importer, pool: Pool) -> None:
    await imported(importer, "words", b"n,t\n1,yes\n2,no\n")
    report = await imported(importer, "words", b"n,t\ntrue,yes\n")
    assert types(report) == {"n": "text", "t": "boolean"}
    assert await rows(pool, "select n, t from api.words order by id") == [("1", True), ("2", False), ("true", True)]


async def test_cells_go_into_a_nested_column_as_what_they_are(importer: Importer, pool: Pool, store: Store) -> None:
    await store.insert("nested", [{"v": {"a": 1}, "w": [1]}], "staff")
    await imported(importer, "nested", b'v,w\n1.50,"{""a"": 1}"\n')
    assert await rows(pool, "select v::text, w::text from api.nested order by id") == [
        ('{"a": 1}', "[1]"), ("1.50", '"{\\"a\\": 1}"')
    ]  # fmt: skip


async def test_columns_without_values_are_left_out(importer: Importer, pool: Pool) -> None:
    report = await imported(importer, "sparse", b"a,b\n1,\n2,\n")
    assert [(field.label, field.state) for field in report.fields] == [("a", "new"), ("b", "empty")]
    assert await rows(pool, "select * from api.sparse") == [(1, 1), (2, 2)]
    assert (await imported(importer, "nothing", b"a,b\n,\n,\n")).rows == 2
    assert await rows(pool, "select * from api.nothing") == [(1,), (2,)]


async def test_a_bad_line_is_named_and_nothing_stored(importer: Importer, pool: Pool, folder: Path) -> None:
    with pytest.raises(ApplianceError) as refused:
        await imported(importer, "bad", b"a,b\n1,2\n3\n4,5\n6\n")
    assert refused.value.code == "PGF140"
    assert refused.value.message == "Line 3 cannot be read, and 1 more line; nothing was stored."
    assert "bad" not in await collections(pool)
    assert left(folder) == []
    report = await imported(importer, "bad", b"a,b\n1,2\n3\n4,5\n6\n", skip_bad=True)
    assert (report.rows, report.skipped, [bad.line for bad in report.bad]) == (2, 2, [3, 5])
    assert await rows(pool, "select a, b from api.bad") == [(1, 2), (4, 5)]


@pytest.mark.parametrize("format", ["ndjson", "json"])
async def test_documents_are_stored_as_documents_are(importer: Importer, pool: Pool, store: Store, format: str) -> None:
    documents = [
        {"Bed No": "C-01", "n": 2**70, "d": Decimal("1.50"), "at": "2026-01-01T01:00:00+01:00", "none": None},
        {"Bed No": 7, "j": {"deep": [1, None, "x"]}, "n": 1, "b": True, "": None} | {"k": 'say "hi"\n\\.\n'},
        {"b": 1, "j": "text", "k": "", "date": "2026-02-28"},
    ]
    del documents[1][""]
    text = [json.dumps(document, default=float) for document in documents]
    data = ("\n".join(text) if format == "ndjson" else f"[{','.join(text)}]").replace("1.5,", "1.50,").encode()
    report = await imported(importer, f"as_{format}", data, format)
    await store.insert(f"like_{format}", documents, "staff")
    query = "select (to_jsonb(t))::text from api.{}_{} as t order by id"
    assert await rows(pool, query.format("as", format)) == await rows(pool, query.format("like", format))
    assert report.rows == 3


CELLS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(["true", "false", "yes", "no", "NO", "007", "+4", "1e5", "1,000", "", "", "NaN", "\\.", '"', "-0"]),
    st.dates().map(str),
    st.datetimes().map(lambda at: at.isoformat() + "+01:00"),
)
COLUMNS = st.one_of(
    st.just(CELLS),
    st.sampled_from([st.integers(-9, 9).map(str), st.sampled_from(["yes", "no", ""]), st.dates().map(str)]),
)


@st.composite
def a_table(draw: st.DrawFn) -> list[list[str]]:
    kinds = draw(st.lists(COLUMNS, min_size=1, max_size=5))
    return [[draw(kind) for kind in kinds] for _ in range(draw(st.integers(1, 8)))]


def same(stored: str | None, kind: str | None, cell: str) -> bool:
    """Whether what PostgreSQL gives back is what the cell said."""
    if kind == "boolean":
        return {"true": {"true", "yes"}, "false": {"false", "no"}, None: {""}}[stored] >= {cell.lower()}
    if kind == "timestamptz":
        read = datetime.fromisoformat
        return read(stored) == read(cell) if stored else cell == ""
    return (stored or "") == cell


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a_table(), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.booleans())
def test_random_tables_read_back_as_they_were_written(
    box: Box, table: list[list[str]], quoting: Any, twice: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=quoting)
    writer.writerows([[f"c{place}" for place in range(len(table[0]))], *table])

    async def trip() -> None:
        async with opened(box) as pool:
            importer = Importer(pool, Store(pool), box.settings.data / "import", Limits())
            async with connection(pool) as db:
                await db.execute("drop table if exists api.random")
                await db.execute("delete from flex.collections where name = 'random'")
            for _ in range(1 + twice):
                report = await imported(importer, "random", file.getvalue().encode())
            found = await rows(pool, "select to_jsonb(t) - 'id' from api.random as t order by id")
            stored = [row[0] for row in found]
            assert len(stored) == len(table) * (1 + twice)
            for place, row in enumerate(stored):
                for field, cell in zip(report.fields, table[place % len(table)], strict=True):
                    value = row.get(field.column)
                    assert same(None if value is None else write(value), field.type, cell), (field, value, cell)

    asyncio.run(trip())


def write(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


async def test_no_more_than_the_role_may(importer: Importer, pool: Pool, store: Store) -> None:
    for wanted in (Wanted("walls", "wall", "csv"), Wanted("Not a name", "staff", "csv")):
        with pytest.raises(ApplianceError) as refused:
            await importer.check(wanted)
        assert refused.value.code in ("PGF106", "PGF105")
    await store.insert("secret", [{"a": 1}], "admin")
    async with connection(pool) as db:
        await db.execute("update flex.collections set audience = 'admin' where name = 'secret'")
        await db.execute("select flex.apply_access('secret')")
    with pytest.raises(ApplianceError) as refused:
        await imported(importer, "secret", b"a\n2\n")
    assert refused.value.code == "PGF106"
    assert (await imported(importer, "secret", b"a\n2\n", role="admin")).rows == 1


async def test_a_row_policy_is_checked_row_by_row(importer: Importer, pool: Pool, store: Store) -> None:
    await store.insert("warded", [{"ward": "A", "n": 1}], "admin")
    async with connection(pool) as db:
        await db.execute(
            "insert into flex.policies (collection, role, condition, expression)"
            " values ('warded', 'staff', '{}', 'ward = ''A''')"
        )
        await db.execute("select flex.apply_access('warded')")
    with pytest.raises(ApplianceError) as refused:
        await imported(importer, "warded", b"ward,n\nA,2\nB,3\n")
    assert refused.value.code == "PGF106"
    assert (await imported(importer, "warded", b"ward,n\nA,2\nA,3\n")).rows == 2
    assert await rows(pool, "select ward, n from api.warded order by id") == [("A", 1), ("A", 2), ("A", 3)]
    assert (await imported(importer, "warded", b"ward,n\nB,4\n", role="admin")).rows == 1


async def test_the_feed_tells_every_row(importer: Importer, box: Box) -> None:
    feed = Feed(box.dsn)
    async with feed.running(), aclosing(feed.subscribe("staff", "fed")) as events:
        assert isinstance(await anext(events), Ready)
        await imported(importer, "fed", b"a\n1\n2\n3\n")
        told = [await asyncio.wait_for(anext(events), 5) for _ in range(3)]
    assert [change.row for change in told if isinstance(change, Change)] == [{"id": n, "a": n} for n in (1, 2, 3)]


async def test_a_relation_that_was_found_gives_way_and_a_strict_one_does_not(
    importer: Importer, pool: Pool, store: Store
) -> None:
    await store.insert("wings", [{"name": "A"}], "staff")
    await store.insert("rooms", [{"wing_id": 1}], "staff")
    await Discovery(pool).look()
    [(enforced,)] = await rows(pool, "select enforced from flex.relations where collection = 'rooms'")
    assert enforced
    assert (await imported(importer, "rooms", b"wing_id\n1\n7\n")).rows == 2
    assert await rows(pool, "select wing_id from api.rooms order by id") == [(1,), (1,), (7,)]
    await store.insert("halls", [{"wing_id": 1}], "staff")
    await Relations(pool).declare("halls", "wing_id", Declared("wings", enforce=True), "admin")
    with pytest.raises(ApplianceError) as refused:
        await imported(importer, "halls", b"wing_id\n1\n7\n")
    assert refused.value.code == "PGF130"
    assert await rows(pool, "select wing_id from api.halls") == [(1,)]


@pytest.mark.parametrize("after", ["the file is half there", "rows are being stored"])
async def test_cancelled_in_the_middle_leaves_nothing(importer: Importer, pool: Pool, folder: Path, after: str) -> None:
    data = b"a,b\n" + b"".join(b"%d,%s\n" % (n, b"x" * 200) for n in range(120_000))
    before = await collections(pool), await tables(pool)

    async def half() -> AsyncIterator[bytes]:
        async for piece in pieces(data):
            yield piece
            if after == "the file is half there":
                await asyncio.sleep(0.01)

    async with aclosing(importer.run(Wanted("cut", "staff", "csv"), half())) as events:
        async for event in events:
            assert isinstance(event, Progress), "the import was over before it could be cancelled"
            if after == "the file is half there" or event.stored:
                break
    assert (await collections(pool), await tables(pool)) == before
    assert left(folder) == []
    assert (await imported(importer, "cut_after", b"a\n1\n")).rows == 1


async def test_readers_do_not_wait(importer: Importer, pool: Pool) -> None:
    await imported(importer, "busy", b"a,b\n1,x\n")
    data = b"a,b,c\n" + b"".join(b"%d,%s,1\n" % (n, b"x" * 200) for n in range(120_000))
    stored = 0
    async with aclosing(importer.run(Wanted("busy", "staff", "csv"), pieces(data))) as events:
        async for event in events:
            if isinstance(event, Progress) and 0 < event.stored < event.rows:
                stored = event.stored
                assert await asyncio.wait_for(rows(pool, "select count(*) from api.busy"), 2) == [(1,)]
    assert stored
    assert await rows(pool, "select count(*) from api.busy") == [(120_001,)]


# Over HTTP ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served() -> Iterator[Box]:
    with running_box(import_limit=40_000_000) as box:
        box.start_service()
        yield box


def posted(box: Box, path: str, body: Any, role: str = "staff", **headers: str) -> httpx.Response:
    sent = box.bearer | {"X-Role": role} | headers
    return httpx.post(f"{box.pgflex_url}/flex/{path}", content=body, headers=sent, timeout=60)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_progress_only_grows_and_ends_in_the_report(served: Box) -> None:
    data = b"a,b\n" + b"".join(b"%d,%s\n" % (n, b"x" * 100) for n in range(200_000))
    told = events(posted(served, "grows/import?format=csv", data))
    assert [event["event"] for event in told[:-1]] == ["progress"] * (len(told) - 1)
    assert len(told) > 2
    for name in ("bytes", "rows", "stored"):
        counts = [event[name] for event in told[:-1]]
        assert counts == sorted(counts)
    assert told[-1]["event"] == "done"
    assert (told[-1]["report"]["rows"], told[-1]["report"]["bytes"]) == (200_000, len(data))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv", b"a\n1\n"),
        ("application/x-ndjson; charset=utf-8", b'{"a":1}\n'),
        ("application/json", b'[{"a":1}]'),
    ],
)
def test_the_content_type_says_what_it_is(served: Box, kind: str, body: bytes) -> None:
    [told] = events(posted(served, "kinds/import", body, **{"Content-Type": kind}))[-1:]
    assert told["report"]["rows"] == 1


@pytest.mark.parametrize(
    ("path", "role", "code", "status"),
    [
        ("x/import", "staff", "BRG410", 422),
        ("x/import?format=xml", "staff", "BRG410", 422),
        ("x/import?format=csv&encoding=klingon", "staff", "BRG410", 422),
        ("x/import?format=csv", "wall", "PGF106", 403),
        ("X%20/import?format=csv", "staff", "PGF105", 400),
    ],
)
def test_what_is_refused_before_the_file_is_read(served: Box, path: str, role: str, code: str, status: int) -> None:
    answer = posted(served, path, b"a\n1\n", role)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_bad_file_is_refused_while_it_still_comes_in(served: Box) -> None:
    told = events(posted(served, "bad/import?format=csv", b"a,b\n\xff,1\n" + b"1,2\n" * 2_000_000))
    assert told[-1]["error"]["code"] == "PGF140"
    assert told[-1]["error"]["details"]["line"] == 2


def test_a_file_over_the_limit_is_refused(served: Box) -> None:
    assert posted(served, "over/import?format=csv", b"x" * 40_000_001).json()["code"] == "PGF109"
    pieces = (b"1,2\n" * 100_000 for _ in range(110))  # no length is told: it is counted
    assert events(posted(served, "over/import?format=csv", pieces))[-1]["error"]["code"] == "PGF109"


async def test_a_client_that_goes_away_leaves_nothing(served: Box) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"a,b\n"
        for _ in range(1000):
            yield b"1,2\n" * 20_000
            await asyncio.sleep(0.01)

    headers = served.bearer | {"X-Role": "staff"}
    async with httpx.AsyncClient(base_url=served.pgflex_url, headers=headers, timeout=60) as client:
        sending = asyncio.create_task(client.post("/flex/gone/import?format=csv", content=slowly()))
        await asyncio.sleep(1.0)
        assert reading(served)
        sending.cancel()
        folder = served.settings.data / "import"
        for _ in range(100):
            if not reading(served):
                break
            await asyncio.sleep(0.05)
        assert not reading(served)
        catalog = (await client.get("/catalog")).json()
    assert "gone" not in [collection["name"] for collection in catalog["collections"]]
    assert left(folder) == []


def reading(box: Box) -> list[int]:
    """The processes that read a file for this box: they have a file of its data folder open."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and b"appliance.pgflex.imports.scan" in (process / "cmdline").read_bytes():
                names = [str(file.readlink()) for file in (process / "fd").iterdir()]
                found += [int(process.name)] * any(str(box.settings.data) in name for name in names)
    return found
