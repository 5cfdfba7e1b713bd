"""Schemaless writes against a real PostgreSQL and PostgREST."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.database import open_pool, transaction
from appliance.pgflex.fields import read_json, write_json
from appliance.pgflex.rest import Rest
from appliance.pgflex.writes.store import Store
from appliance.types import Role
from tests.integration.pgflex_box import Box, running_box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box(fields_limit=300) as box:
        box.start_postgrest()
        yield box


@pytest.fixture
async def rest(box: Box) -> AsyncIterator[Rest]:
    rest = Rest(box.rest_url, box.secret)
    yield rest
    await rest.close()


async def eventually(rest: Rest, query: str, role: Any) -> list[dict[str, Any]]:
    """What PostgREST says once it has heard of the new collection."""
    for _ in range(100):
        try:
            return await rest.get(query, role)
        except ApplianceError as error:
            # PGRST00x: it has only just been started and has no connection to the database yet
            if error.details["code"] not in ("42P01", "42703", "PGRST200", "PGRST000", "PGRST001", "PGRST002"):
                raise
            await asyncio.sleep(0.05)
    raise AssertionError(f"PostgREST never served {query}")


async def refusal(attempt: Any) -> ApplianceError:
    with pytest.raises(ApplianceError) as caught:
        await attempt
    return caught.value


async def test_documents_make_their_collection(store: Store, rest: Rest) -> None:
    rows = await store.insert(
        "beds",
        [
            {"Bed No": "C-01", "free": True, "since": "2026-11-23", "order": {"deep": [1, None]}},
            {"Bed No": "007", "seen": "2026-11-23T10:00:00+02:00", "nothing": None},
        ],
        "staff",
    )
    assert rows == await eventually(rest, "/beds?order=id", "staff")
    assert rows[0] == {
        "id": 1,
        "bed_no": "C-01",
        "free": True,
        "since": "2026-11-23",
        "order_": {"deep": [1, None]},
        "seen": None,
    }
    assert rows[1]["bed_no"] == "007"
    assert rows[1]["seen"] == "2026-11-23T08:00:00+00:00"


async def test_types_widen_and_no_value_is_lost(store: Store) -> None:
    steps: list[tuple[Any, list[Any]]] = [
        (True, [True]),
        (7, [1, 7]),
        (Decimal("1.10"), [1, 7, Decimal("1.10")]),
        (2**70, [1, 7, Decimal("1.10"), 2**70]),
        ("007", ["1", "7", "1.10", str(2**70), "007"]),
        ("2026-11-23", ["1", "7", "1.10", str(2**70), "007", "2026-11-23"]),
        ([1], ["1", "7", "1.10", str(2**70), "007", "2026-11-23", [1]]),
    ]
    for value, expected in steps:
        await store.insert("wide", [{"v": value}], "staff")
        async with transaction(store.pool) as db:
            rows = await (await db.execute("select to_jsonb(w) -> 'v' from api.wide w order by id")).fetchall()
        assert [row[0] for row in rows] == expected


async def test_date_widens_to_time(store: Store) -> None:
    await store.insert("moments", [{"at": "2026-11-23"}], "staff")
    rows = await store.insert("moments", [{"at": "2026-11-23T10:00:00Z"}, {"at": "2026-11-24"}], "staff")
    assert [row["at"] for row in rows] == ["2026-11-23T10:00:00+00:00", "2026-11-24T00:00:00+00:00"]
    widened = await store.update("moments", 1, {"at": "soon"}, "staff")
    assert widened["at"] == "soon"


async def test_numbers_come_back_as_they_were_written(store: Store) -> None:
    body = b'{"a":0.1,"b":1.10,"c":123456789012345678901234567890.5,"d":9223372036854775807,"e":1e3}'
    (row,) = await store.insert("exact", [read_json(body)], "staff")
    assert write_json(row) == (
        '{"id":1,"a":0.1,"b":1.10,"c":123456789012345678901234567890.5,"d":9223372036854775807,"e":1000}'
    )


async def test_labels_are_kept(store: Store) -> None:
    document = {"Größe": 1, "grösse ": 2, "a+b": 3, "a-b": 4, "病房": 5, "ward": 6, "病": 7}
    (row,) = await store.insert("labels", [document], "staff")
    assert sorted(value for name, value in row.items() if name != "id") == [1, 2, 3, 4, 5, 6, 7]
    async with transaction(store.pool) as db:
        found = await db.execute("select name, label from flex.fields where collection = 'labels'")
        labels = dict(await found.fetchall())
    assert {labels[name]: value for name, value in row.items() if name != "id"} == document
    (again,) = await store.insert("labels", [document], "staff")
    assert {**again, "id": row["id"]} == row


async def test_documents_without_known_fields_are_rows_too(store: Store) -> None:
    assert await store.insert("bare", [{}, {"x": None}], "staff") == [{"id": 1}, {"id": 2}]
    assert await store.update("bare", 2, {}, "staff") == {"id": 2}
    assert await store.insert("bare", [], "staff") == []


async def test_update_and_delete(store: Store) -> None:
    (row,) = await store.insert("tasks", [{"what": "x", "done": False}], "staff")
    assert await store.update("tasks", row["id"], {"id": row["id"], "done": True, "by": "me"}, "staff") == {
        "id": row["id"],
        "what": "x",
        "done": True,
        "by": "me",
    }
    assert (await store.update("tasks", row["id"], {"what": None}, "staff"))["what"] is None
    await store.delete("tasks", row["id"], "staff")
    assert (await refusal(store.delete("tasks", row["id"], "staff"))).code == "PGF113"
    assert (await refusal(store.update("tasks", row["id"], {"what": "y"}, "staff"))).code == "PGF113"


async def test_a_failed_write_leaves_nothing(store: Store) -> None:
    assert (await refusal(store.update("nowhere", 1, {"a": 1}, "staff"))).code == "PGF104"
    assert (await refusal(store.delete("nowhere", 1, "staff"))).code == "PGF104"
    assert (await refusal(store.insert("broken", [{"a": 1}, {"a": "nul \x00"}], "staff"))).code == "PGF103"
    assert (await refusal(store.insert("Broken", [{"a": 1}], "staff"))).code == "PGF105"
    assert (await refusal(store.insert("broken", [{"": 1}], "staff"))).code == "PGF105"
    assert (await refusal(store.delete("broken", 1, "staff"))).code == "PGF104"


async def test_too_many_fields(store: Store) -> None:
    await store.insert("many", [{f"f{number}": number for number in range(300)}], "staff")
    error = await refusal(store.insert("many", [{"f300": 1}], "staff"))
    assert (error.code, error.status) == ("PGF109", 413)
    await store.insert("many", [{"f299": "still fits"}], "staff")


async def test_sql_in_names_and_values_stays_text(store: Store) -> None:
    (row,) = await store.insert("beds2", [{'x"; drop table api.beds2; --': "'); drop table api.beds2; --"}], "staff")
    assert row == {"id": 1, "x_drop_table_api_beds2": "'); drop table api.beds2; --"}


async def test_twenty_first_writers_of_one_field(store: Store, box: Box) -> None:
    async with open_pool(box.dsn, 20) as wide:
        many = Store(wide)
        written = await asyncio.gather(
            *(many.insert("crowd", [{"who": number, f"own {number % 4}": "x"}], "staff") for number in range(20))
        )
    assert sorted(rows[0]["who"] for rows in written) == list(range(20))
    async with transaction(store.pool) as db:
        fields = await (await db.execute("select name from flex.fields where collection = 'crowd'")).fetchall()
        count = await (await db.execute("select count(*), count(who) from api.crowd")).fetchone()
    assert sorted(row[0] for row in fields) == ["own_0", "own_1", "own_2", "own_3", "who"]
    assert count == (20, 20)


async def test_writers_meet_widening(store: Store, box: Box) -> None:
    values = [1, "x", 2.5, [1], "2026-11-23", None, True, {"a": 1}] * 5
    await store.insert("mixed", [{"v": 1}], "staff")
    async with open_pool(box.dsn, 20) as wide:
        many = Store(wide)
        written = await asyncio.gather(*(many.insert("mixed", [{"v": value}], "staff") for value in values))
    assert len({rows[0]["id"] for rows in written}) == len(values)


async def test_roles(store: Store, rest: Rest) -> None:
    await store.insert("ward_board", [{"bed": "C-01", "free": True, "patient": "A. Person"}], "staff")
    async with transaction(store.pool) as db:
        await store.show_on_walls(db, "ward_board", ["bed", "free"])
    assert await eventually(rest, "/ward_board?select=id,bed,free", "wall") == [{"id": 1, "bed": "C-01", "free": True}]
    for query in ("/ward_board", "/ward_board?select=patient", "/ward_board?select=bed&patient=eq.x"):
        assert (await refusal(rest.get(query, "wall"))).details["code"] == "42501"
    assert await rest.get("/ward_board?select=bed&bed=eq.none", "wall") == []
    assert (await rest.get("/ward_board", "staff"))[0]["patient"] == "A. Person"
    assert (await refusal(store.insert("ward_board", [{"bed": "x"}], "wall"))).code == "PGF106"


async def test_writes_through_postgrest_follow_the_role_and_reach_the_outbox(
    store: Store, rest: Rest, box: Box
) -> None:
    await store.insert("posted", [{"a": 1, "b": "x"}], "staff")
    await eventually(rest, "/posted", "staff")
    async with httpx.AsyncClient(base_url=box.rest_url) as client:
        statuses = {}
        roles: tuple[Role, ...] = ("staff", "wall")
        for role in roles:
            headers = {"Authorization": f"Bearer {rest.token(role)}"}
            made = await client.post("/posted", json={"a": 2}, headers=headers)
            while made.status_code == 404:  # it has not read the new collection's columns yet
                made = await client.post("/posted", json={"a": 2}, headers=headers)
            moved = await client.patch("/posted?id=eq.1", json={"b": "y"}, headers=headers)
            gone = await client.delete("/posted?id=eq.2", headers=headers)
            statuses[role] = [answer.status_code for answer in (made, moved, gone)]
        assert statuses == {"staff": [201, 204, 204], "wall": [403, 403, 403]}
        assert (await client.get("/posted")).status_code == 401
        stranger = jwt.encode({"role": "dreamstack", "aud": "dreamstack"}, box.secret, algorithm="HS256")
        answer = await client.get("/posted", headers={"Authorization": f"Bearer {stranger}"})
        assert answer.status_code >= 400, "PostgREST may take on the three roles and no other"
    async with transaction(store.pool) as db:
        found = await db.execute("select op, key, changed from flex.changes where collection = 'posted' order by seq")
        told = await found.fetchall()
    assert told[1:] == [("insert", 2, None), ("update", 1, ["b"]), ("delete", 2, [])]


async def test_hidden_collection(store: Store, rest: Rest) -> None:
    await store.insert("secrets", [{"a": 1}], "admin")
    async with transaction(store.pool) as db:
        await db.execute("update flex.collections set audience = 'admin' where name = 'secrets'")
        await db.execute("select flex.apply_access('secrets')")
    assert await eventually(rest, "/secrets", "admin") == [{"id": 1, "a": 1}]
    assert (await refusal(rest.get("/secrets", "staff"))).details["code"] == "42501"
    assert (await refusal(store.insert("secrets", [{"a": 2, "new": 1}], "staff"))).code == "PGF106"
    assert (await refusal(store.delete("secrets", 1, "staff"))).code == "PGF106"


async def test_no_role_reaches_the_system_tables(rest: Rest, box: Box) -> None:
    for table in ("changes", "settings", "collections", "migrations"):
        assert (await refusal(rest.get(f"/{table}", "admin"))).details["code"] == "42P01"
    with psycopg.connect(box.cluster.dsn("authenticator")) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("set role admin")
        db.execute("select * from flex.changes")


async def test_lookup(store: Store, rest: Rest) -> None:
    names = [
        "Cardiology",
        "CARDIOLOGY",
        "Paediatric cardiology",
        "100% *special*",
        "a_b",
        "axb",
        "Dr. Wiktor Jaskóła",
        'qu"ote, (x)',
        "back\\slash",
    ]
    await store.insert("wards", [{"name": name} for name in names * 2], "staff")
    await eventually(rest, "/wards", "staff")
    assert sorted(await rest.lookup("wards", "name", ["cardiology"], "staff")) == ["CARDIOLOGY", "Cardiology"]
    assert await rest.lookup("wards", "name", ["paediatric"], "staff") == ["Paediatric cardiology"]
    for text in ("100% *special*", "a_b", 'qu"ote, (x)', "back\\slash"):
        assert await rest.lookup("wards", "name", [text], "staff") == [text]
    assert await rest.lookup("wards", "name", ["*"], "staff") == ["100% *special*"]
    assert await rest.lookup("wards", "name", ["%"], "staff") == ["100% *special*"]
    assert await rest.lookup("wards", "name", ["nothing like it"], "staff") == []
    assert await rest.lookup("wards", "name", ["jaskola"], "staff") == ["Dr. Wiktor Jaskóła"]
    assert await rest.lookup("wards", "name", ["cardiologies", "paediatric"], "staff") == ["Paediatric cardiology"]
    assert len(await rest.lookup("wards", "name", ["a"], "staff", limit=2)) == 2
    assert len(await rest.lookup("wards", "name", ["cardiology"], "staff", limit=2)) == 2, "the equal ones, not all"
    for long in ("a" * 200, "a" * 2000, "é" * 200, '"' * 200):
        assert await rest.lookup("wards", "name", [long, long + "x"], "staff") == []


async def test_statement_timeout_holds_for_the_roles(box: Box) -> None:
    with psycopg.connect(box.admin_dsn) as db:
        rows = db.execute("select rolconfig from pg_roles where rolname in ('wall', 'staff', 'admin')").fetchall()
    assert rows == [(["statement_timeout=10s"],)] * 3


async def test_a_put_is_all_a_row_holds(store: Store) -> None:
    row, made = await store.replace("whole", 5, {"id": 5, "a": 1, "B c": "x"}, "staff")
    assert (row, made) == ({"id": 5, "a": 1, "b_c": "x"}, True)
    row, made = await store.replace("whole", 5, {"a": 2.5, "new": True}, "staff")
    assert (row, made) == ({"id": 5, "a": Decimal("2.5"), "b_c": None, "new": True}, False)
    row, made = await store.replace("whole", 5, {}, "staff")
    assert (row, made) == ({"id": 5, "a": None, "b_c": None, "new": None}, False)
    (row,) = await store.insert("whole", [{"a": 1}], "staff")
    assert row["id"] == 6
    assert await store.replace("bare_put", 1, {}, "staff") == ({"id": 1}, True)
    for key in (0, -1, 2**53):
        assert (await refusal(store.replace("whole", key, {"a": 1}, "staff"))).code == "PGF103"
    assert (await refusal(store.replace("whole", 7, {"a": 1}, "wall"))).code == "PGF106"


async def test_a_put_to_a_row_that_the_role_cannot_see(store: Store) -> None:
    await store.insert("kept_apart", [{"ward": "B", "n": 1}], "admin")
    async with transaction(store.pool) as db:
        await db.execute(
            "insert into flex.policies (collection, role, condition, expression)"
            " select 'kept_apart', 'staff', c, flex.condition_sql('kept_apart', c)"
            """ from jsonb('[{"field": "ward", "op": "eq", "value": "A"}]') as c"""
        )
        await db.execute("select flex.apply_access('kept_apart')")
    assert (await refusal(store.replace("kept_apart", 1, {"ward": "A"}, "staff"))).code == "PGF106"
    assert (await refusal(store.update("kept_apart", 1, {"n": 2}, "staff"))).code == "PGF113"
    assert (await refusal(store.insert("kept_apart", [{"ward": "B"}], "staff"))).code == "PGF106"
    assert (await store.insert("kept_apart", [{"ward": "A"}], "staff"))[0]["ward"] == "A"


async def test_names_that_statements_use_may_be_fields(store: Store) -> None:
    names = ["t", "d", "n", "o", "c", "r", "k", "g", "row", "new", "old", "values", "excluded", "api"]
    document = {name: {"deep": name} for name in names}
    for _ in range(3):
        (row,) = await store.insert("letters", [document], "staff")
        assert {key: value for key, value in row.items() if key != "id"} == document
    assert (await store.update("letters", 1, {"t": 1}, "staff"))["t"] == 1
    async with transaction(store.pool) as db:
        found = await db.execute("select row from flex.changes where collection = 'letters' order by seq limit 1")
        told = await found.fetchone()
    assert told == ({"id": 1, **document},), "the feed tells the row, too"


async def test_who_wrote_a_field_first(store: Store) -> None:
    await store.insert("signed", [{"a": 1}], "staff")
    await store.insert("signed", [{"a": 1, "b": 2}], "staff", "Ward 4")
    async with transaction(store.pool) as db:
        found = await db.execute("select name, who from flex.fields where collection = 'signed' order by place")
        assert await found.fetchall() == [("a", "staff"), ("b", "Ward 4")]


async def test_types_for_an_import(store: Store) -> None:
    async with transaction(store.pool) as db:
        names = await store.fit_types(db, "fitted", {"Bed No": "text", "n": "integer"}, "staff")
    assert names == {"Bed No": "bed_no", "n": "n"}
    async with transaction(store.pool) as db:
        await store.fit_types(db, "fitted", {"n": "numeric"}, "staff")
    (row,) = await store.insert("fitted", [{"n": Decimal("1.50"), "bed no": "x"}], "staff")
    assert row == {"id": 1, "bed_no": "x", "n": Decimal("1.50")}
