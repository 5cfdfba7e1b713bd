"""Roles of the facility, which rows each reads and writes, and what it reads in the place of a field.

    roles = Roles(pool)
    await roles.declare("nurse", {"label": "Nurse", "level": "staff"}, "admin")
    await roles.permit("nurse", "patients", {"where": [{"field": "ward", "op": "eq", "value": "Surgery"}]}, "admin")
    await roles.mask("nurse", "patients", "Name", {"mask": "initials"}, "admin")
    await roles.show("patients", {"audience": "wall", "fields": ["Ward"]}, "admin")

All of it is kept in the database and enforced there: roles are roles of PostgreSQL, conditions are row-level
security, and a masked field is a generated column that the role has in the field's place
(``migrations/0006_access.sql``). A role starts with what its level has, conditions and masks included.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeVar

import msgspec
from psycopg import errors

from appliance.errors import ApplianceError
from appliance.pgflex.access.conditions import Condition, checked
from appliance.pgflex.access.masks import MASKED_TYPES, Mask, check_mask
from appliance.pgflex.database import Connection, Pool, transaction
from appliance.pgflex.fields import collection_name, meaning, numbered, write_json
from appliance.types import ROLES, FieldType, Role, RoleName, rank

__all__ = ["Access", "Roles", "may_act", "only_admin"]

LOCK_TIMEOUT: Final = "3s"
REWRITE_TIMEOUT: Final = "10min"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)
_RESERVED: Final = frozenset("public none flex api dreamstack authenticator anon postgres electric".split())

_ROLES: Final = """
select r.name, r.label, r.level,
  coalesce((
    select jsonb_object_agg(p.collection, jsonb_build_object('where', p.condition, 'access', p.access))
    from flex.policies p where p.role = r.name
  ), '{}'),
  coalesce((
    select jsonb_object_agg(m.collection, m.fields)
    from (
      select collection, jsonb_object_agg(field, kind) as fields from flex.masks where role = r.name group by collection
    ) as m
  ), '{}')
from flex.roles r
where %(name)s::text is null or r.name = %(name)s
order by array_position(array['wall', 'staff', 'admin'], r.level), r.name <> r.level, r.name
"""
_ACCESS: Final = """
select c.name, c.label, flex.readable(%(role)s, c.name) from flex.collections c
where exists (select from flex.roles where name = %(role)s) order by c.name
"""
_START: Final = """
insert into flex.policies (collection, role, condition, expression, access)
select collection, %(role)s, condition, expression, access from flex.policies where role = %(level)s
on conflict do nothing
"""
_START_MASKS: Final = """
insert into flex.masks (collection, field, role, kind, shown, type)
select collection, field, %(role)s, kind, shown, type from flex.masks where role = %(level)s
"""

_Wanted = TypeVar("_Wanted")


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that declares a role."""

    level: Role
    label: str = ""


class Permit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows of a collection a role has, and whether it writes them, reads them or has none at all."""

    where: list[Condition] = []
    access: Literal["none", "read", "write"] = "write"


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who reads a collection at all, and which of its fields walls read; what is left out stays as it is."""

    audience: Role | None = None
    fields: list[str] | None = None


class Access(msgspec.Struct, frozen=True):
    """What a role may read of a collection: every column (None), some, or none at all."""

    label: str
    columns: tuple[str, ...] | None


class _Field(msgspec.Struct, frozen=True):
    name: str
    label: str
    type: FieldType


class Roles:
    """Declares roles and what they may do.

    Args:
        pool: connections of the role that owns the collections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def listed(self) -> list[dict[str, Any]]:
        """Every role with its conditions and masks, the least trusted first."""
        async with transaction(self._pool) as db:
            found = await (await db.execute(_ROLES, {"name": None})).fetchall()
        return [_told(row) for row in found]

    async def get(self, name: str) -> dict[str, Any]:
        """One role, as :meth:`listed` has it.

        Raises:
            ApplianceError: PGF150, there is no such role.
        """
        async with transaction(self._pool) as db:
            row = await (await db.execute(_ROLES, {"name": name})).fetchone()
        if row is None:
            raise _no_role(name)
        return _told(row)

    async def access(self, role: RoleName) -> dict[str, Access]:
        """What a role may read, by collection.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        async with transaction(self._pool) as db:
            found = await (await db.execute(_ACCESS, {"role": role})).fetchall()
        return {name: Access(label, None if columns is None else tuple(columns)) for name, label, columns in found}

    async def check_reads(self, role: RoleName, collection: str) -> None:
        """Refuse a role that reads nothing of a collection; one that is not there yet is nobody's.

        Raises:
            ApplianceError: PGF106.
        """
        query = "select flex.readable(%s, name) from flex.collections where name = %s"
        async with transaction(self._pool) as db:
            row = await (await db.execute(query, [role, collection])).fetchone()
        if row is not None and row[0] == []:
            raise ApplianceError(
                "PGF106", f"This role may not read {collection}.", {"role": role}, "Act as a role that may."
            )

    async def declare(self, name: str, body: Any, by: RoleName) -> dict[str, Any]:
        """Add a role, or change its label or level; a new one starts with what its level has.

        Raises:
            ApplianceError: PGF106 (only the admin), PGF151 (the body, the name), PGF152 (not a role to declare),
                PGF114 (the collections are busy).
        """
        only_admin(by)
        wanted = _read(body, Declared, '{"label": "Nurse", "level": "staff"}')
        _check_name(name)
        label = wanted.label.strip()[:200] or name.replace("_", " ").capitalize()
        async with self._changing() as db:
            known = await (await db.execute("select from flex.roles where name = %s", [name])).fetchone()
            try:
                await db.execute(
                    "insert into flex.roles (name, label, level) values (%s, %s, %s)"
                    " on conflict (name) do update set label = excluded.label, level = excluded.level",
                    [name, label, wanted.level],
                )
            except (errors.DuplicateObject, errors.ReservedName) as error:
                raise _not_declared(name) from error
            if known is None:
                for query in (_START, _START_MASKS):
                    await db.execute(query, {"role": name, "level": wanted.level})
            await _apply_to_all(db)
        return await self.get(name)

    async def remove(self, name: str, by: RoleName) -> None:
        """Remove a declared role; its tokens end with it.

        Raises:
            ApplianceError: PGF106 (only the admin), PGF150 (no such role), PGF152 (it is built in), PGF114.
        """
        only_admin(by)
        if name in ROLES:
            raise _not_declared(name)
        async with self._changing() as db:
            if (await db.execute("delete from flex.roles where name = %s", [name])).rowcount == 0:
                raise _no_role(name)
            await _apply_to_all(db)
            await db.execute("select flex.schema_changed()")

    async def permit(self, role: RoleName, collection: str, body: Any, by: RoleName) -> dict[str, Any]:
        """Say which rows of a collection a role has: those for which all conditions hold.

        Raises:
            ApplianceError: PGF106 (only the admin), PGF104, PGF113 (no such field), PGF150, PGF151 (a condition),
                PGF152 (not this role).
        """
        only_admin(by)
        wanted = _read(body, Permit, '{"where": [{"field": "ward", "op": "eq", "value": "Surgery"}], "access": "read"}')
        async with self._changing(role, collection) as db:
            fields = await _fields(db, collection)
            where = checked(wanted.where, lambda label: _named(fields, collection, label))
            written = {"collection": collection, "role": role, "where": write_json(where), "access": wanted.access}
            await db.execute(
                "insert into flex.policies (collection, role, condition, expression, access) values"
                " (%(collection)s, %(role)s, %(where)s, flex.condition_sql(%(collection)s, %(where)s), %(access)s)"
                " on conflict (collection, role) do update"
                " set condition = excluded.condition, expression = excluded.expression, access = excluded.access",
                written,
            )
            await db.execute("select flex.apply_access(%s)", [collection])
        return {"role": role, "collection": collection, "where": where, "access": wanted.access}

    async def unpermit(self, role: RoleName, collection: str, by: RoleName) -> None:
        """Give a role every row of a collection again that its level has.

        Raises:
            ApplianceError: PGF106 (only the admin), PGF104, PGF150 (no such role, nothing declared), PGF152.
        """
        only_admin(by)
        async with self._changing(role, collection) as db:
            query = "delete from flex.policies where collection = %s and role = %s"
            if (await db.execute(query, [collection, role])).rowcount == 0:
                raise ApplianceError("PGF150", f"Nothing is declared for {role} and {collection}.")
            await db.execute("select flex.apply_access(%s)", [collection])

    async def mask(self, role: RoleName, collection: str, label: str, body: Any, by: RoleName) -> dict[str, Any]:
        """Let a role read a masked value in the place of a field.

        Raises:
            ApplianceError: PGF106 (only the admin), PGF104, PGF113 (no such field), PGF150, PGF151 (the mask),
                PGF152 (not this role), PGF114 (writes are in the way).
        """
        only_admin(by)
        kind = _read(body, Mask, '{"mask": "initials"}').mask
        async with self._changing(role, collection) as db:
            field = _named(await _fields(db, collection), collection, label)
            check_mask(kind, field.label, field.type)
            await _unmask(db, role, collection, field.name)
            shown = None if kind == "hidden" else await _shown(db, collection, field.name, kind)
            await db.execute(
                "insert into flex.masks (collection, field, role, kind, shown, type) values (%s, %s, %s, %s, %s, %s)",
                [collection, field.name, role, kind, shown, MASKED_TYPES.get(kind)],
            )
            await _remade(db, collection)
        return {"role": role, "collection": collection, "field": field.name, "mask": kind, "shown": shown}

    async def unmask(self, role: RoleName, collection: str, label: str, by: RoleName) -> None:
        """Let a role read a field itself again.

        Raises:
            ApplianceError: PGF106 (only the admin), PGF104, PGF113 (no such field), PGF150 (no such role, no mask).
        """
        only_admin(by)
        async with self._changing(role, collection) as db:
            field = _named(await _fields(db, collection), collection, label)
            if not await _unmask(db, role, collection, field.name):
                raise ApplianceError("PGF150", f"The field {field.label} is not masked for {role}.")
            await _remade(db, collection)

    async def show(self, collection: str, body: Any, by: RoleName) -> dict[str, Any]:
        """Say who reads a collection at all, and which of its fields walls read.

        Raises:
            ApplianceError: PGF106 (only the admin, not the box's own), PGF104, PGF113 (no such field), PGF151.
        """
        only_admin(by)
        wanted = _read(body, Shown, '{"audience": "wall", "fields": ["Ward", "Bed"]}')
        async with self._changing(None, collection) as db:
            known = await _fields(db, collection)
            named = None if wanted.fields is None else [_named(known, collection, each).name for each in wanted.fields]
            query = (
                "update flex.collections set audience = coalesce(%s, audience), wall_fields = coalesce(%s, wall_fields)"
                " where name = %s returning audience, wall_fields"
            )
            row = await (await db.execute(query, [wanted.audience, named, collection])).fetchone()
            await db.execute("select flex.apply_access(%s)", [collection])
        assert row is not None
        return {"collection": collection, "audience": row[0], "fields": row[1]}

    @asynccontextmanager
    async def _changing(self, role: RoleName | None = None, collection: str | None = None) -> AsyncIterator[Connection]:
        """A transaction that changes who may do what, of a role and in a collection that there are."""
        async with transaction(self._pool) as db:
            for name, value in {"lock_timeout": LOCK_TIMEOUT, "statement_timeout": REWRITE_TIMEOUT}.items():
                await db.execute("select set_config(%s, %s, true)", [name, value])
            if role is not None:
                await _check_role(db, role)
            if collection is not None:
                await _check_collection(db, collection)
            yield db


def may_act(own: RoleName, wanted: RoleName, levels: Mapping[RoleName, Role]) -> bool:
    """Whether who comes as `own` may act as `wanted`: as itself, or as a lower built-in role; the admin as every one.

    A declared role may see what others of its level may not: nobody but the admin acts as one that is not its own.
    """
    lower = wanted in ROLES and rank(levels[wanted]) < rank(levels.get(own, "wall"))
    return own in (wanted, "admin") or lower


def only_admin(role: RoleName) -> None:
    """Refuse whoever is not the admin.

    Raises:
        ApplianceError: PGF106.
    """
    if role != "admin":
        raise ApplianceError("PGF106", "Who may do what is declared by the admin.", {"role": role}, "Act as admin.")


async def _check_role(db: Connection, role: RoleName) -> None:
    if await (await db.execute("select from flex.roles where name = %s", [role])).fetchone() is None:
        raise _no_role(role)
    if role == "admin":
        raise ApplianceError(
            "PGF152", "The admin sees every row and every field.", None, "Declare a role of the level admin instead."
        )


async def _check_collection(db: Connection, collection: str) -> None:
    query = "select system from flex.collections where name = %s"
    row = await (await db.execute(query, [collection_name(collection)])).fetchone()
    if row is None:
        raise ApplianceError("PGF104", "There is no such collection.", collection, "GET /api/catalog lists them.")
    if row[0]:
        raise ApplianceError("PGF106", f"The collection {collection} is the box's own.", {"collection": collection})
    # The same lock as whoever changes the collection's fields takes.
    await db.execute("select pg_advisory_xact_lock(3423, hashtext(%s))", [collection])


def _check_name(name: str) -> None:
    if name in ROLES or name in _RESERVED or name.startswith("pg_"):
        raise _not_declared(name)
    if not _NAME.fullmatch(name):
        raise ApplianceError(
            "PGF151",
            "This cannot be the name of a role.",
            name[:200],
            "Use lower-case letters, digits and underscores, a letter first, at most 31.",
        )


def _no_role(name: str) -> ApplianceError:
    return ApplianceError("PGF150", "There is no such role.", name[:200], "GET /api/roles lists them.")


def _not_declared(name: str) -> ApplianceError:
    return ApplianceError(
        "PGF152", f"{name[:63]} is a role of the box or of the database itself.", name[:63], "Take another name."
    )


def _told(row: tuple[Any, ...]) -> dict[str, Any]:
    name, label, level, policies, masks = row
    collections: dict[str, dict[str, Any]] = {}
    for collection in sorted({*policies, *masks}):
        declared = policies.get(collection, {"where": [], "access": "write"})
        collections[collection] = {**declared, "masks": masks.get(collection, {})}
    return {"name": name, "label": label, "level": level, "built_in": name in ROLES, "collections": collections}


def _read(body: Any, kind: type[_Wanted], example: str) -> _Wanted:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise ApplianceError("PGF151", "This does not declare anything.", str(error), f"Send {example}.") from None


async def _fields(db: Connection, collection: str) -> list[_Field]:
    query = "select name, label, type from flex.fields where collection = %s order by place"
    return [_Field(*row) for row in await (await db.execute(query, [collection])).fetchall()]


def _named(fields: list[_Field], collection: str, label: str) -> _Field:
    exact = [field for field in fields if label in (field.label, field.name)]
    alike = [field for field in fields if meaning(field.label) == meaning(label)]
    found = next(iter([*exact, *alike]), None)
    if found is None:
        raise ApplianceError(
            "PGF113", f"{collection} has no field {label[:200]}.", {"fields": [field.label for field in fields][:100]}
        )
    return found


async def _shown(db: Connection, collection: str, field: str, kind: str) -> str:
    """The column that shows this mask of a field: the one there is, or a new one's name."""
    query = "select shown from flex.masks where collection = %s and field = %s and kind = %s"
    row = await (await db.execute(query, [collection, field, kind])).fetchone()
    if row is not None:
        return str(row[0])
    query = "select attname from pg_attribute where attrelid = format('api.%%I', %s::text)::regclass"
    taken = {each[0] for each in await (await db.execute(query, [collection])).fetchall()}
    # No field's own name has two underscores in a row, so that none that comes later is in the way.
    return numbered(f"{field[: 61 - len(kind)]}__{kind}", taken)


async def _unmask(db: Connection, role: RoleName, collection: str, field: str) -> bool:
    query = "delete from flex.masks where collection = %s and field = %s and role = %s"
    return (await db.execute(query, [collection, field, role])).rowcount > 0


async def _remade(db: Connection, collection: str) -> None:
    for query in ("select flex.add_masks(%s)", "select flex.apply_access(%s)"):
        await db.execute(query, [collection])
    await db.execute("select flex.schema_changed()")


async def _apply_to_all(db: Connection) -> None:
    await db.execute("select flex.apply_access(name) from (select name from flex.collections order by name) as c")
