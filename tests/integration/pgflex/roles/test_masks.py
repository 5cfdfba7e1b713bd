"""Masks: what a role reads of a field, and that there is no way around one."""

from __future__ import annotations

import asyncio

import pytest
from psycopg import errors, sql

from appliance.errors import ApplianceError
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.changes import Feed
from appliance.pgflex.database import Pool, act_as, connection, transaction
from appliance.pgflex.formulas.computed import Computed
from appliance.pgflex.writes.store import Store
from appliance.types import Change
from tests.integration.pgflex.roles.wards import MASKED, WARD, masked, refused, rows, until
from tests.integration.pgflex_box import Box


async def test_masks_show_only_what_they_say(pool: Pool, patients: str, roles: Roles) -> None:
    await masked(roles)
    told = await rows(pool, "nurse", ", ".join(MASKED))
    assert [tuple(map(str, row)) for row in told] == [
        ("1", "Cardiology", "M.S.", "1961", "50000", "…5678"),
        ("2", "Surgery", "J.P.v.D.", "1987", "0", "…"),
        ("3", "Cardiology", "None", "None", "None", "None"),
    ]
    assert (await rows(pool, "staff", "name, born::text, income, iban"))[0] == (
        "Maria Schmidt",
        "1961-04-12",
        52_340,
        "DE0012345678",
    )


async def test_whoever_is_masked_still_writes_the_rest(pool: Pool, patients: str, roles: Roles, store: Store) -> None:
    await masked(roles)
    [row] = await store.insert("patients", [{"Ward": "Surgery", "New": True}], "nurse")
    assert row == {"id": 4, "ward": "Surgery", "new": True} | dict.fromkeys(MASKED[2:])
    assert (await store.update("patients", 1, {"Ward": "Surgery"}, "nurse"))["name__initials"] == "M.S."
    for document in ({"Name": "x"}, {"Born": "2000-01-01"}):
        await refused("PGF106", store.insert("patients", [document], "nurse"))
        await refused("PGF106", store.update("patients", 1, document, "nurse"))
    [row] = await store.insert("patients", [{"Name": "Eva Lund"}], "staff")
    assert (await rows(pool, "nurse", "name__initials", f"where id = {row['id']}")) == [("E.L.",)]


async def test_there_is_no_way_around_a_mask(pool: Pool, patients: str, roles: Roles) -> None:
    await masked(roles)
    await roles.mask("nurse", "patients", "Ward", {"mask": "hidden"}, "admin")
    for query in (
        "select name from api.patients",
        "select * from api.patients",
        "select to_jsonb(p) from api.patients p",
        "select id from api.patients where name like 'M%'",
        "select id from api.patients order by name",
        "select count(*) from api.patients group by ward",
        "select max(born) from api.patients",
        "update api.patients set iban = name",
        "update api.patients set ward = 'x' where id = 1 returning name",
        "insert into api.patients (id) values (9) on conflict (id) do update set ward = excluded.ward",
        "delete from api.patients where name = 'x'",
        "create index on api.patients (name)",
        "copy api.patients to stdout",
        "truncate api.patients",
        'select * from api.run_plan(\'{"collection": "patients", "select": [{"field": "name"}]}\')',
        "select * from flex.fields",
        "select * from flex.changes",
        "select flex.apply_access('patients')",
        "select hidden.patients(p) from api.patients p",
        "select * from flex.tokens",
        "alter table api.patients disable row level security",
        "set session authorization staff",
        "create table api.mine (a int)",
        "create function api.f() returns int language sql as 'select 1'",
    ):
        async with transaction(pool) as db:
            await act_as(db, "nurse")
            with pytest.raises(errors.InsufficientPrivilege) as told:
                async with db.transaction():
                    await db.execute(sql.SQL(query))
            assert "Maria" not in str(told.value)


async def test_a_mask_of_a_computed_field_goes_with_it(pool: Pool, patients: str, roles: Roles) -> None:
    computed = Computed(pool)
    await computed.declare("patients", "Monthly", {"formula": "income / 12"}, "admin")
    await roles.mask("nurse", "patients", "Monthly", {"mask": "rounded"}, "admin")
    assert (await rows(pool, "nurse", "monthly__rounded::int"))[0] == (4000,)
    await roles.mask("nurse", "patients", "Income", {"mask": "hidden"}, "admin")
    await roles.unmask("nurse", "patients", "Monthly", "admin")
    with pytest.raises(ApplianceError):  # it comes down to a field that is hidden
        await rows(pool, "nurse", "monthly")
    await roles.mask("nurse", "patients", "Monthly", {"mask": "rounded"}, "admin")
    await computed.remove("patients", "Monthly", "admin")
    async with connection(pool) as db:
        found = await db.execute("select to_jsonb(p) from api.patients p where id = 1")
        assert not {"monthly", "monthly__rounded"} & set((await found.fetchone() or ({},))[0])


async def test_two_roles_share_a_mask_and_it_goes_with_the_last(pool: Pool, patients: str, roles: Roles) -> None:
    await roles.show("patients", {"audience": "wall", "fields": ["Ward"]}, "admin")
    shown = [
        (await roles.mask(role, "patients", "Name", {"mask": "initials"}, "admin"))["shown"]
        for role in ("nurse", "wall")
    ]
    assert shown == ["name__initials"] * 2
    assert await rows(pool, "wall", "id, ward, name__initials") == await rows(pool, "nurse", "id, ward, name__initials")
    await roles.mask("nurse", "patients", "Name", {"mask": "last4"}, "admin")
    assert (await rows(pool, "nurse", "name__last4"))[0] == ("…midt",)
    await roles.unmask("wall", "patients", "Name", "admin")
    with pytest.raises(ApplianceError):  # it was never one of the fields that walls read
        await rows(pool, "wall", "name")
    async with connection(pool) as db:
        with pytest.raises(errors.UndefinedColumn):
            await db.execute("select name__initials from api.patients")


async def test_numbers_that_are_none_are_masked_too(pool: Pool, patients: str, roles: Roles, store: Store) -> None:
    await store.insert("patients", [{"Income": 0.5}], "staff")
    await roles.mask("nurse", "patients", "Income", {"mask": "rounded"}, "admin")
    await roles.mask("nurse", "patients", "Born", {"mask": "year"}, "admin")
    async with connection(pool) as db:
        for number in ("NaN", "Infinity", "-Infinity", "1e-30", "-1e300", "9.99"):
            await db.execute("insert into api.patients (income, born) values (%s, 'infinity')", [number])
    told = await rows(pool, "nurse", "income__rounded::float8, born__year", "where id > 4")
    assert told == [(None, None)] * 3 + [(1e-30, None), (-1e300, None), (10.0, None)]


async def test_names_of_63_characters(pool: Pool, store: Store, roles: Roles, patients: str) -> None:
    label = "n" * 63
    name = "c" * 63
    await store.insert(name, [{label: "Maria Schmidt", "ok": 1}], "staff")
    await roles.permit("nurse", name, {"where": [{"field": "ok", "op": "eq", "value": 1}]}, "admin")
    told = await roles.mask("nurse", name, label, {"mask": "initials"}, "admin")
    assert told["shown"] == "n" * 53 + "__initials"
    [row] = await store.insert(name, [{"ok": 1}], "nurse")
    assert row == {"id": 2, told["shown"]: None, "ok": 1}


async def test_a_field_named_like_a_mask_is_another_field(
    pool: Pool, patients: str, roles: Roles, store: Store
) -> None:
    await masked(roles)
    await refused("PGF103", store.insert("patients", [{"name__initials": "mine"}], "staff"))
    [row] = await store.insert("patients", [{"Name Initials": "mine", "Name": "Eva Lund"}], "staff")
    assert (row["name_initials"], row["name__initials"]) == ("mine", "E.L.")


async def test_the_feed_shows_what_the_role_reads(
    box: Box, pool: Pool, patients: str, roles: Roles, store: Store
) -> None:
    await masked(roles)
    await roles.permit("nurse", "patients", {"where": [WARD]}, "admin")
    seen: list[Change] = []

    async def follow() -> None:
        async for event in feed.subscribe("nurse", "patients"):
            if isinstance(event, Change):
                seen.append(event)
            else:
                ready.set()

    feed, ready = Feed(box.dsn), asyncio.Event()
    async with feed.running():
        reader = asyncio.create_task(follow())
        await ready.wait()
        await store.update("patients", 1, {"Name": "Mia Sand"}, "staff")  # the same initials: nothing to see
        await store.update("patients", 1, {"Name": "Eva Lund"}, "staff")
        await store.update("patients", 2, {"Name": "Eva Lund"}, "staff")  # another ward: nothing to see
        await store.update("patients", 2, {"Ward": "Cardiology"}, "staff")  # comes in
        await store.update("patients", 1, {"Ward": "Surgery"}, "staff")  # leaves
        async with asyncio.timeout(5):
            await until(lambda: len(seen) >= 3)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    assert [(change.op, change.key, change.changed) for change in seen] == [
        ("update", 1, ("name__initials",)),
        ("insert", 2, ("born__year", "iban__last4", "id", "income__rounded", "name__initials", "ward")),
        ("delete", 1, ()),
    ]
    assert all(set(change.row or {}) <= set(MASKED) for change in seen)
