"""Roles in a real PostgreSQL: what each may, what none may, and that growing stays quick."""

from __future__ import annotations

import time

import psycopg
import pytest
from psycopg import errors

from appliance.errors import ApplianceError
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.database import Pool, connection, transaction
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex.roles.wards import WARD, masked, refused, rows
from tests.integration.pgflex_box import Box


async def test_a_declared_role_starts_as_its_level(pool: Pool, patients: str, roles: Roles, store: Store) -> None:
    assert await rows(pool, "nurse") == await rows(pool, "staff")
    assert (await store.insert("patients", [{"Ward": "Surgery"}], "nurse"))[0]["ward"] == "Surgery"
    assert (await roles.get("nurse"))["collections"] == {}
    async with connection(pool) as db:
        found = await db.execute("select rolcanlogin, rolinherit, rolconfig from pg_roles where rolname = 'nurse'")
        assert await found.fetchone() == (False, False, ["statement_timeout=10s"])


async def test_a_role_starts_with_the_masks_and_conditions_of_its_level(
    pool: Pool, patients: str, roles: Roles
) -> None:
    await roles.permit("staff", "patients", {"where": [WARD]}, "admin")
    await roles.mask("staff", "patients", "Name", {"mask": "initials"}, "admin")
    await roles.declare("intern", {"level": "staff"}, "admin")
    try:
        assert await rows(pool, "intern", "id, name__initials") == [(1, "M.S."), (3, None)]
        with pytest.raises(ApplianceError):
            await rows(pool, "intern", "name")
        # What is changed for its level later does not reach it.
        await roles.unmask("staff", "patients", "Name", "admin")
        assert await rows(pool, "intern", "id, name__initials") == [(1, "M.S."), (3, None)]
        assert await rows(pool, "staff", "name") == [("Maria Schmidt",), (None,)]
    finally:
        await roles.remove("intern", "admin")


async def test_a_level_can_change(pool: Pool, patients: str, roles: Roles) -> None:
    await roles.declare("nurse", {"label": "Nurse", "level": "wall"}, "admin")
    with pytest.raises(ApplianceError):
        await rows(pool, "nurse", "id")
    await roles.show("patients", {"audience": "wall", "fields": ["Ward"]}, "admin")
    assert await rows(pool, "nurse", "ward") == await rows(pool, "wall", "ward")
    await roles.declare("nurse", {"label": "Nurse", "level": "staff"}, "admin")
    assert await rows(pool, "nurse", "name") == await rows(pool, "staff", "name")


async def test_a_removed_role_is_gone_whatever_it_was_given(pool: Pool, patients: str, roles: Roles) -> None:
    await masked(roles)
    await roles.permit("nurse", "patients", {"where": [WARD]}, "admin")
    await roles.remove("nurse", "admin")
    await refused("PGF150", roles.get("nurse"))
    async with connection(pool) as db:
        left = await db.execute(
            "select (select count(*) from pg_roles where rolname = 'nurse'),"
            " (select count(*) from pg_policies where policyname = 'flex_nurse'),"
            " (select count(*) from pg_attribute where attrelid = 'api.patients'::regclass and attname like '%\\_\\_%'"
            " and attnum > 0 and not attisdropped), (select count(*) from pg_proc where proname = 'patients'"
            " and pronamespace = 'hidden'::regnamespace)"
        )
        assert await left.fetchone() == (0, 0, 0, 0)
    await roles.declare("nurse", {"level": "staff"}, "admin")
    assert await rows(pool, "nurse", "name") == await rows(pool, "staff", "name")


async def test_roles_of_the_box_and_foreign_ones_stay(pool: Pool, roles: Roles, box: Box) -> None:
    with psycopg.connect(box.admin_dsn, autocommit=True) as db:
        db.execute("create role cleaner login superuser")
    try:
        for name in ("wall", "admin", "flex", "authenticator", "dreamstack", "cleaner", "pg_monitor"):
            await refused("PGF152", roles.declare(name, {"level": "wall"}, "admin"))
        for name in ("wall", "staff", "admin"):
            await refused("PGF152", roles.remove(name, "admin"))
        with psycopg.connect(box.dsn, autocommit=True) as db:
            for name in ("cleaner", "authenticator", "dreamstack"):
                with pytest.raises(errors.DuplicateObject):
                    db.execute("insert into flex.roles (name, label, level) values (%s, 'x', 'wall')", [name])
            with pytest.raises(errors.InsufficientPrivilege):
                db.execute("delete from flex.roles where name = 'wall'")
            with pytest.raises(errors.InsufficientPrivilege):
                db.execute("create role mine")
    finally:
        with psycopg.connect(box.admin_dsn, autocommit=True) as db:
            db.execute("drop role cleaner")


async def test_what_cannot_be_declared_changes_nothing(roles: Roles, patients: str) -> None:
    before = await roles.listed()
    await refused("PGF151", roles.declare("x", {"level": "boss"}, "admin"))
    await refused("PGF151", roles.declare("x", {"level": "staff", "more": 1}, "admin"))
    await refused("PGF151", roles.declare("X", {"level": "staff"}, "admin"))
    await refused("PGF106", roles.declare("x", {"level": "staff"}, "staff"))
    await refused("PGF150", roles.permit("nobody", "patients", {}, "admin"))
    await refused("PGF104", roles.permit("nurse", "nothing", {}, "admin"))
    await refused("PGF152", roles.permit("admin", "patients", {"access": "none"}, "admin"))
    await refused("PGF151", roles.permit("nurse", "patients", {"access": "all"}, "admin"))
    await refused("PGF113", roles.permit("nurse", "patients", {"where": [{**WARD, "field": "x"}]}, "admin"))
    await refused("PGF151", roles.permit("nurse", "patients", {"where": [{**WARD, "op": "~"}]}, "admin"))
    await refused("PGF151", roles.permit("nurse", "patients", {"where": [{**WARD, "value": 3}]}, "admin"))
    await refused("PGF113", roles.mask("nurse", "patients", "x", {"mask": "hidden"}, "admin"))
    await refused("PGF151", roles.mask("nurse", "patients", "Name", {"mask": "year2"}, "admin"))
    await refused("PGF151", roles.mask("nurse", "patients", "Born", {"mask": "initials"}, "admin"))
    await refused("PGF106", roles.mask("nurse", "patients", "Name", {"mask": "hidden"}, "nurse"))
    await refused("PGF150", roles.unmask("nurse", "patients", "Name", "admin"))
    await refused("PGF150", roles.unpermit("nurse", "patients", "admin"))
    await refused("PGF113", roles.show("patients", {"fields": ["x"]}, "admin"))
    assert await roles.listed() == before


async def test_growing_stays_quick_with_many_fields_and_roles(pool: Pool, store: Store, roles: Roles) -> None:
    await store.insert("wide", [{f"field {n}": n for n in range(1000)}], "staff")
    names = [f"role_{n}" for n in range(8)]
    try:
        for name in names:
            await roles.declare(name, {"level": "staff"}, "admin")
            await roles.mask(name, "wide", "field 1", {"mask": "last4"}, "admin")
        async with transaction(pool) as db:
            took = []
            for _ in range(5):
                began = time.perf_counter()
                await db.execute("select flex.apply_access('wide')")
                took.append(time.perf_counter() - began)
        assert min(took) < 0.25
    finally:
        for name in names:
            await roles.remove(name, "admin")
