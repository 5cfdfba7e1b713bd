"""Relations: found by names and values, declared, made foreign keys, and given up for a document."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import httpx
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.relations.discovery import Discovery
from appliance.pgflex.relations.foreign_keys import ForeignKeys, Link
from appliance.pgflex.relations.naming import calls_target, is_name, is_usual, names_target, plays_part
from appliance.pgflex.relations.relations import Declared, Relations, declared, gives_way
from appliance.pgflex.rest import Rest
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box, running_box


@pytest.fixture
def relations(pool: Pool) -> Relations:
    return Relations(pool)


@pytest.fixture(autouse=True)
async def empty(pool: Pool) -> AsyncIterator[None]:
    yield
    async with transaction(pool) as db:
        found = await db.execute("select name from flex.collections where not system")
        for (name,) in await found.fetchall():
            await db.execute(f"drop table api.{name} cascade")
        await db.execute("delete from flex.collections where not system")


async def known(pool: Pool) -> list[tuple[Any, ...]]:
    async with transaction(pool) as db:
        found = await db.execute(
            "select collection, field, target, target_field, origin, enforced from flex.relations order by 1, 2"
        )
        return await found.fetchall()


async def keys(pool: Pool) -> list[tuple[Any, ...]]:
    async with transaction(pool) as db:
        found = await db.execute(
            "select conrelid::regclass::text, conname, convalidated from pg_constraint where contype = 'f'"
            " and connamespace = 'api'::regnamespace order by 1, 2"
        )
        return await found.fetchall()


async def count(pool: Pool, collection: str) -> int:
    async with transaction(pool) as db:
        row = await (await db.execute(f"select count(*) from api.{collection}")).fetchone()
    assert row is not None
    return int(row[0])


async def two(store: Store, label: str = "ward_id", ids: tuple[Any, ...] = (1, 2, None)) -> None:
    await store.insert("wards", [{"name": "Surgery"}, {"name": "Oncology"}], "staff")
    await store.insert("patients", [{"name": f"P{n}", label: value} for n, value in enumerate(ids)], "staff")


@pytest.mark.parametrize(
    ("label", "target", "fits"),
    [
        ("ward_id", "wards", True),
        ("Ward ID", "ward", True),
        ("wardId", "wards", True),
        ("wardID", "wards", True),
        ("ward-id", "wards", True),
        ("category_id", "categories", True),
        ("box id", "boxes", True),
        ("person_id", "people", True),
        ("staffShiftId", "staff_shifts", True),
        ("wards_id", "ward", True),
        ("ward", "wards", False),
        ("id", "wards", False),
        ("paid", "pas", False),
        ("Covid", "covs", False),
        ("ward_id_2", "wards", False),
        ("ward_id", "patients", False),
        ("", "wards", False),
    ],
)
def test_names_that_lead_to_a_collection(label: str, target: str, fits: bool) -> None:
    assert names_target(label, target) is fits


@pytest.mark.parametrize(
    ("label", "target", "called"),
    [
        ("cow", "cows", True),
        ("Assigned doctor", "doctors", True),
        ("clubName", "clubs", True),
        ("employee", "leave requests", False),
        ("city", "citizens", False),
    ],
)
def test_names_of_rows_of_a_collection(label: str, target: str, called: bool) -> None:
    assert calls_target(label, target) is called


@pytest.mark.parametrize(
    ("label", "target", "name"),
    [("name", "cows", True), ("fullName", "staff", True), ("cow", "cows", True), ("breed", "cows", False)],
)
def test_what_rows_are_called(label: str, target: str, name: bool) -> None:
    assert is_name(label, target) is name


@pytest.mark.parametrize(
    ("label", "target", "plays"),
    [
        ("borrower", "members", True),
        ("assigned_to", "staff", True),
        ("lead agent", "employees", True),
        ("borrower", "books", False),
        ("book", "members", False),
    ],
)
def test_people_in_the_part_that_they_play(label: str, target: str, plays: bool) -> None:
    assert plays_part(label, target) is plays


def test_labels_that_lead_nowhere() -> None:
    assert is_usual("Status") and is_usual("home city") and not is_usual("plate")


async def herd(store: Store, milked: tuple[str, ...] = ("Daisy", "Bella", "Daisy")) -> None:
    await store.insert("cows", [{"tag": "C1", "name": "Daisy"}, {"tag": "C2", "name": "Bella"}], "staff")
    await store.insert("milkings", [{"cow": cow, "litres": 9 + n} for n, cow in enumerate(milked)], "staff")


async def test_a_name_leads_to_the_row_that_bears_it(store: Store, pool: Pool) -> None:
    await herd(store)
    await Discovery(pool).look()
    assert await known(pool) == [("milkings", "cow", "cows", "name", "discovered", False)]
    assert await keys(pool) == [], "a name refuses nothing"
    async with transaction(pool) as db:
        found = await db.execute("select indexdef from pg_indexes where indexname = 'cows_name_relation_name'")
        assert "using hash (name)" in str((await found.fetchall())[0][0]).lower()


async def test_a_few_names_of_rows_that_nobody_entered_do_not_matter(store: Store, pool: Pool) -> None:
    await herd(store, ("Daisy", "Bella") * 10 + ("Nobody",))
    await Discovery(pool).look()
    assert [row[:4] for row in await known(pool)] == [("milkings", "cow", "cows", "name")]


async def test_what_two_collections_begin_with_leads_from_one_to_the_other(store: Store, pool: Pool) -> None:
    await store.insert("vehicles", [{"plate": "AB-1", "status": "up"}, {"plate": "AB-2", "status": "down"}], "staff")
    await store.insert("trips", [{"plate": "AB-1", "status": "up"}, {"plate": "AB-1", "status": "up"}], "staff")
    await Discovery(pool).look()
    assert [row[:4] for row in await known(pool)] == [("trips", "plate", "vehicles", "plate")]


@pytest.mark.parametrize("milked", [("Daisy", "Nobody"), ()], ids=["a name that is not there", "no rows"])
async def test_names_that_are_not_there_lead_nowhere(store: Store, pool: Pool, milked: tuple[str, ...]) -> None:
    await herd(store, milked)
    await Discovery(pool).look()
    assert await known(pool) == []


@pytest.mark.parametrize(
    ("collection", "document"),
    [("milkings", {"cow": "Nobody"}), ("cows", {"tag": "C3", "name": "Daisy"})],
    ids=["a name that is not there", "a second row of that name"],
)
async def test_a_found_name_never_costs_a_document(
    store: Store, pool: Pool, collection: str, document: dict[str, Any]
) -> None:
    await herd(store)
    discovery = Discovery(pool)
    await discovery.look()
    assert len(await known(pool)) == 1
    before = await count(pool, collection)
    async with transaction(pool) as db:  # not through the store, which would let a key give way
        columns, marks = ", ".join(document), ", ".join(["%s"] * len(document))
        await db.execute(f"insert into api.{collection} ({columns}) values ({marks})", list(document.values()))
    assert await count(pool, collection) == before + 1
    discovery.mark(collection)
    await discovery.look()
    later = Discovery(pool)
    await later.look()
    assert await known(pool) == [], "it leads nowhere for certain now"


@pytest.mark.parametrize("label", ["ward_id", "Ward ID", "wardId"])
async def test_a_relation_is_found_and_becomes_a_key(store: Store, pool: Pool, label: str) -> None:
    await two(store, label)
    discovery = Discovery(pool)
    assert await discovery.look() is False
    name = "wardid" if label == "wardId" else "ward_id"
    assert await known(pool) == [("patients", name, "wards", "id", "discovered", True)]
    assert await keys(pool) == [("api.patients", f"patients_{name}_fkey", True)]
    assert await discovery.candidates() == []


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        ((1, 3), "a row that is not there"),
        ((None, None), "no value at all"),
        (("1", "2"), "texts for numbers"),
        ((True, False), "yes for a number"),
    ],
)
async def test_what_the_data_does_not_say_is_no_relation(
    store: Store, pool: Pool, ids: tuple[Any, ...], why: str
) -> None:
    await two(store, ids=ids)
    await Discovery(pool).look()
    assert (await known(pool), await keys(pool)) == ([], []), why


async def test_a_relation_is_found_once_its_rows_are_there(store: Store, pool: Pool) -> None:
    await two(store, ids=(1, 3))
    discovery = Discovery(pool)
    await discovery.look()
    await store.insert("wards", [{"name": "Emergency"}], "staff")
    await discovery.look()
    assert await known(pool) == [], "nothing said that rows changed"
    discovery.mark("wards")
    assert await discovery.look() is True, "what did not come out waits"
    later = Discovery(pool)
    await later.look()
    assert [row[-1] for row in await known(pool)] == [True]


async def test_the_ids_of_documents_come_before_those_of_rows(store: Store, pool: Pool) -> None:
    await store.insert("wards", [{"id": "W7", "name": "Surgery"}, {"id": "W9", "name": "Oncology"}], "staff")
    await store.insert("beds", [{"ward_id": "W9"}], "staff")
    await store.insert("doctors", [{"doctor_id": 17}, {"doctor_id": 4}], "staff")
    await store.insert("visits", [{"doctor_id": 4}], "staff")
    await Discovery(pool).look()
    assert [row[:4] for row in await known(pool)] == [
        ("beds", "ward_id", "wards", "id_"),
        ("visits", "doctor_id", "doctors", "doctor_id"),
    ]
    assert all(validated for *_, validated in await keys(pool))


async def test_ids_that_are_there_twice_are_not_led_to(store: Store, pool: Pool) -> None:
    await store.insert("wards", [{"id": 1}, {"id": 1}], "staff")
    await store.insert("beds", [{"ward_id": 1}], "staff")
    await Discovery(pool).look()
    assert await known(pool) == []


async def test_a_found_key_never_costs_a_document(store: Store, pool: Pool) -> None:
    await two(store)
    await Discovery(pool).look()
    await store.insert("patients", [{"ward_id": 99}], "staff")
    assert await count(pool, "patients") == 4
    assert await known(pool) == [("patients", "ward_id", "wards", "id", "discovered", False)]
    assert await keys(pool) == []


async def test_a_found_key_never_keeps_a_row(store: Store, pool: Pool) -> None:
    await two(store)
    await Discovery(pool).look()
    await store.delete("wards", 1, "staff")
    assert await count(pool, "wards") == 1


@pytest.mark.parametrize("document", [{"id": "W7"}, {"id": "W" * 10_000}], ids=["there already", "too long to index"])
async def test_a_found_id_never_costs_a_document(store: Store, pool: Pool, document: dict[str, Any]) -> None:
    await store.insert("wards", [{"id": "W7"}], "staff")
    await store.insert("beds", [{"ward_id": "W7"}], "staff")
    await Discovery(pool).look()
    unlike = document if document["id"] == "W7" else {"id": "".join(chr(0x4E00 + n) for n in range(9000))}
    await store.insert("wards", [unlike], "staff")
    assert await count(pool, "wards") == 2
    assert (await keys(pool), [row[-1] for row in await known(pool)]) == ([], [False])


async def test_a_key_that_was_given_up_comes_back(store: Store, pool: Pool) -> None:
    await two(store)
    await Discovery(pool).look()
    [row] = await store.insert("patients", [{"ward_id": 99}], "staff")
    await store.delete("patients", row["id"], "staff")
    await Discovery(pool).look()
    assert await known(pool) == [("patients", "ward_id", "wards", "id", "discovered", True)]


async def test_a_declared_key_refuses(store: Store, pool: Pool, relations: Relations) -> None:
    await two(store)
    told = await relations.declare("patients", "ward_id", Declared("wards", enforce=True), "admin")
    assert told.pop("at") is not None
    assert told == {
        "collection": "patients", "field": "ward_id", "target": "wards", "target_field": "id",
        "origin": "declared", "enforced": True, "enforce": True, "declared_by": "admin",
    }  # fmt: skip
    with pytest.raises(ApplianceError) as raised:
        await store.insert("patients", [{"ward_id": 99}], "staff")
    assert (raised.value.code, raised.value.status) == ("PGF130", 409)
    assert await count(pool, "patients") == 3


async def test_a_declaration_that_does_not_hold_is_refused(store: Store, relations: Relations, pool: Pool) -> None:
    await two(store, ids=(1, 99))
    with pytest.raises(ApplianceError) as raised:
        await relations.declare("patients", "ward_id", Declared("wards", enforce=True), "admin")
    assert raised.value.code == "PGF130"
    assert raised.value.details["without_target"] == [99]
    assert await known(pool) == []
    told = await relations.declare("patients", "ward_id", Declared("wards"), "admin")
    assert (told["enforced"], told["origin"]) == (False, "declared")


async def test_a_declaration_names_what_is_there(store: Store, relations: Relations) -> None:
    await two(store, label="Ward ID")
    assert (await relations.declare("patients", "Ward ID", Declared("wards"), "admin"))["field"] == "ward_id"
    for collection, field, wanted, role, code in (
        ("patients", "Ward ID", Declared("wards"), "staff", "PGF106"),
        ("patients", "nope", Declared("wards"), "admin", "PGF131"),
        ("nope", "ward_id", Declared("wards"), "admin", "PGF104"),
        ("patients", "ward_id", Declared("nope"), "admin", "PGF104"),
        ("patients", "ward_id", Declared("wards", "nope"), "admin", "PGF131"),
        ("patients", "name", Declared("wards"), "admin", "PGF130"),
    ):
        with pytest.raises(ApplianceError, match=code):
            await relations.declare(collection, field, wanted, role)
    bodies: list[Any] = [None, [], {"target": 5}, {"target": "wards", "more": 1}, {}]
    for body in bodies:
        with pytest.raises(ApplianceError, match="BRG410"):
            declared(body)


async def test_a_removed_relation_stays_away(store: Store, pool: Pool, relations: Relations) -> None:
    await two(store)
    await Discovery(pool).look()
    await relations.remove("patients", "ward_id", "admin")
    await Discovery(pool).look()
    assert (await known(pool), await keys(pool)) == ([], [])
    with pytest.raises(ApplianceError, match="PGF131"):
        await relations.remove("patients", "ward_id", "admin")
    with pytest.raises(ApplianceError, match="PGF106"):
        await relations.remove("patients", "ward_id", "staff")
    assert (await relations.declare("patients", "ward_id", Declared("wards"), "admin"))["enforced"] is True


async def test_who_may_not_read_both_ends_is_not_told(store: Store, pool: Pool, relations: Relations) -> None:
    await two(store)
    await Discovery(pool).look()
    assert len(await relations.listed("wards", "staff")) == 1
    async with transaction(pool) as db:
        await store.show_on_walls(db, "patients", ["name"])
    assert await relations.listed("patients", "wall") == []
    with pytest.raises(ApplianceError, match="PGF104"):
        await relations.listed("wards", "wall")


async def test_a_busy_collection_is_waited_for_politely(store: Store, pool: Pool) -> None:
    await two(store)
    discovery = Discovery(pool)
    async with transaction(pool) as db:
        await db.execute("lock table api.patients in row exclusive mode")
        looked = asyncio.create_task(discovery.look())
        await asyncio.sleep(0.3)
        await asyncio.wait_for(store.insert("patients", [{"name": "meanwhile"}], "staff"), 5)
        assert await looked is True, "it waits to be tried again"
    await discovery.look()
    assert [row[-1] for row in await known(pool)] == [True]


async def test_a_key_does_not_stand_in_the_way_of_another_type(store: Store, pool: Pool) -> None:
    await two(store)
    await Discovery(pool).look()
    async with transaction(pool) as db:  # another field of the collection grows: the key stays
        await db.execute("select flex.loosen('patients')")
        await db.execute("alter table api.patients alter column name type jsonb using to_jsonb(name)")
        await db.execute("select flex.tighten('patients')")
    assert await keys(pool) == [("api.patients", "patients_ward_id_fkey", False)]
    await Discovery(pool).look()
    assert await keys(pool) == [("api.patients", "patients_ward_id_fkey", True)], "its rows were looked at"
    async with transaction(pool) as db:
        await db.execute("select flex.loosen('patients')")
        await db.execute("alter table api.patients alter column ward_id type text using ward_id::text")
        await db.execute("select flex.tighten('patients')")
    assert (await keys(pool), [row[-1] for row in await known(pool)]) == ([], [False])


async def test_a_strict_key_refuses_a_type_that_cannot_name_a_row(
    store: Store, pool: Pool, relations: Relations
) -> None:
    await two(store)
    await relations.declare("patients", "ward_id", Declared("wards", enforce=True), "admin")
    with pytest.raises(ApplianceError) as raised:
        async with transaction(pool) as db:
            await db.execute("select flex.loosen('patients')")
            await db.execute("alter table api.patients alter column ward_id type text using ward_id::text")
            await db.execute("select flex.tighten('patients')")
    with pytest.raises(ApplianceError, match="PGF130"):
        await gives_way(pool, raised.value.__cause__, "patients")
    assert await keys(pool) == [("api.patients", "patients_ward_id_fkey", True)]


async def test_a_large_collection_is_sampled_and_checked_beside_its_writes(store: Store, pool: Pool) -> None:
    await two(store)
    async with transaction(pool) as db:
        await db.execute("insert into api.patients (ward_id) select 1 + n % 2 from generate_series(1, 120000) as n")
        await db.execute("analyze api.patients")
    link = Link("patients", "ward_id", "wards", "id")
    assert await ForeignKeys(pool).agrees(link)
    await Discovery(pool).look()
    assert [row[-1] for row in await known(pool)] == [True]
    async with transaction(pool) as db:
        await db.execute("delete from flex.relations")
        await db.execute("alter table api.patients drop constraint patients_ward_id_fkey")
        await db.execute("update api.patients set ward_id = 99 where id = 60000")
    await Discovery(pool).look()
    assert (await known(pool), await keys(pool)) == ([], []), "one row of 120,000 that the sample may not hold"


@pytest.fixture(scope="module")
def served() -> Iterator[Box]:
    with running_box() as box:
        box.start_postgrest()
        box.start_service()
        yield box


async def soon(ask: Any, wanted: Any) -> Any:
    for _ in range(100):
        try:
            found = await ask()
        except ApplianceError as error:
            found = error
        if found == wanted:
            return found
        await asyncio.sleep(0.1)
    return found


async def test_postgrest_embeds_along_a_relation_that_was_found(served: Box) -> None:
    rest = Rest(served.rest_url, served.secret)
    headers = served.bearer | {"X-Role": "admin"}
    async with httpx.AsyncClient(base_url=served.pgflex_url, headers=headers) as client:
        await client.post("/flex/wards", json=[{"name": "Surgery"}, {"name": "Oncology"}])
        await client.post("/flex/patients", json=[{"name": "A", "ward_id": 2}, {"name": "B", "ward_id": None}])
        embedded = [{"name": "A", "wards": {"name": "Oncology"}}, {"name": "B", "wards": None}]

        def ask() -> Awaitable[Any]:
            return rest.get("/patients?select=name,wards(name)&order=name", "staff")

        assert await soon(ask, embedded) == embedded
        [told] = (await client.get("/flex/patients/relations")).json()
        assert (told["field"], told["target"], told["enforced"]) == ("ward_id", "wards", True)
        assert (await client.delete("/flex/patients/relations/ward_id")).status_code == 204
        wanted = {"target": "wards", "enforce": True}
        put = await client.put("/flex/patients/relations/ward_id", json=wanted)
        assert (put.status_code, put.json()["enforced"]) == (200, True)
        refused = await client.put("/flex/patients/relations/ward_id", json=wanted, headers={"X-Role": "staff"})
        assert (refused.status_code, refused.json()["code"]) == (403, "PGF106")
        assert await soon(ask, embedded) == embedded
    await rest.close()
