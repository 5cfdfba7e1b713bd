"""Computed fields: declared by a formula, kept by PostgreSQL as stored generated columns.

    computed = Computed(pool)
    await computed.declare("wards", "available", {"formula": "capacity - occupied"}, "admin")
    await computed.fields("wards", "staff")     # every field the role may read, with its formula where it has one
    await computed.remove("wards", "available", "admin")

A computed field over another one is made of that one's own formula, since PostgreSQL forbids a generated column
over a generated column; declaring a field anew makes those that use it anew as well. Adding one writes the whole
table again while writes wait: over :data:`REWRITE_LIMIT` bytes that has to be wanted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from psycopg import errors, sql

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, Pool, transaction
from appliance.pgflex.fields import SQL_TYPES, collection_name, column_name, meaning, numbered
from appliance.pgflex.formulas.formula import Known, Typed, check, parse
from appliance.pgflex.writes.growth import exclusive, lock_collection
from appliance.types import FieldType, RoleName

__all__ = ["Computed", "FieldTold"]

REWRITE_LIMIT: Final = 256 * 2**20
"""Bytes of a table from which writing it again has to be wanted."""
REWRITE_TIMEOUT: Final = "10min"

_FIELDS: Final = """
select f.name, f.label, f.type, f.formula, f.expression, f.unit, f.who, f.name = any (c.wall_fields) as wall
from flex.fields f join flex.collections c on c.name = f.collection
where f.collection = %s order by f.place
"""
_TAKEN: Final = "select attname from pg_attribute where attrelid = format('api.%%I', %s::text)::regclass"
_COST: Final = """
select pg_total_relation_size(oid), greatest(reltuples, 0)::bigint
from pg_class where oid = format('api.%%I', %s::text)::regclass
"""


class FieldTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field as ``GET /flex/{collection}/fields`` tells it.

    Attributes:
        wall: whether walls read it.
        formula: as it was declared; None for a stored field.
        unit: of its numbers, where known.
        who: the role that wrote it first, where known.
    """

    name: str
    label: str
    type: FieldType
    wall: bool
    formula: str | None = None
    unit: str | None = None
    who: str | None = None


class _Field(msgspec.Struct, frozen=True):
    """A field as ``flex.fields`` has it."""

    name: str
    label: str
    type: FieldType
    formula: str | None
    expression: str | None
    unit: str | None
    who: str | None
    wall: bool

    def told(self) -> FieldTold:
        """What a role is told of it."""
        return FieldTold(self.name, self.label, self.type, self.wall, self.formula, self.unit, self.who)


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that declares a computed field.

    Attributes:
        formula: see :mod:`appliance.pgflex.formulas.formula`.
        wall: whether walls may read it; None leaves that as it is, a new field is not theirs.
        rewrite: write a large table again all the same.
        unit: of its numbers.
    """

    formula: str
    wall: bool | None = None
    rewrite: bool = False
    unit: str | None = None


class Computed:
    """Declares and removes computed fields.

    Args:
        pool: connections of the role that owns the collections.
        fields_limit: fields a collection may have.
    """

    def __init__(self, pool: Pool, fields_limit: int = 1200) -> None:
        self._pool = pool
        self._fields_limit = fields_limit

    async def fields(self, collection: str, role: RoleName) -> list[FieldTold]:
        """The fields of a collection that a role may read.

        Raises:
            ApplianceError: PGF104, there is no such collection for this role.
        """
        query = (
            "select has_column_privilege(%s, format('api.%%I', %s::text), name, 'select') from unnest(%s::text[]) name"
        )
        async with transaction(self._pool) as db:
            known = await _known(db, collection_name(collection))
            found = await db.execute(query, [role, collection, [item.name for item in known]])
            may = [row[0] for row in await found.fetchall()]
        told = [item.told() for item, readable in zip(known, may, strict=True) if readable]
        if not told:
            raise _no_collection(collection)
        return told

    async def declare(
        self, collection: str, label: str, body: Any, role: RoleName, dry_run: bool = False
    ) -> dict[str, Any]:
        """Add a computed field, or give it another formula; tells the field and what that took.

        A dry run only checks it, and tells what it would be.

        Raises:
            ApplianceError: PGF115 (the formula), PGF116 (a stored field has this label, or a large table would be
                written again), PGF104 (no such collection), PGF106 (not as this role), PGF114 (writes are in the way).
        """
        _may_declare(role)
        wanted = _read(body)
        formula = parse(wanted.formula)
        began = time.monotonic()
        async with transaction(self._pool) as db:
            known = await self._locked(db, collection)
            held = _named(known, label)
            made = await self._planned(db, collection, label, held, wanted, known)
            typed = check(formula, _by_word(known), made.name)
            size, rows = await _cost(db, collection, wanted.rewrite)
            if not dry_run:
                async with exclusive(db, collection):
                    if held is None:
                        await _add(db, collection, made, typed)
                    else:
                        await self._replace(db, collection, made, typed, known)
                await _show(db, collection, made.name, wanted.wall)
                await db.execute("select flex.apply_access(%s), flex.schema_changed()", [collection])
        told = msgspec.structs.replace(made, type=typed.type).told()
        took = round((time.monotonic() - began) * 1000)
        return {"field": told, "uses": list(typed.uses), "cost": {"rows": rows, "bytes": size, "took_ms": took}}

    async def remove(self, collection: str, label: str, role: RoleName) -> None:
        """Remove a computed field.

        Raises:
            ApplianceError: PGF113 (no such field), PGF116 (it is stored, or in use), PGF104, PGF106, PGF114.
        """
        _may_declare(role)
        async with transaction(self._pool) as db:
            known = await self._locked(db, collection)
            held = _named(known, label)
            if held is None:
                raise ApplianceError(
                    "PGF113", f"{collection} has no field {label}.", {"fields": [item.label for item in known]}
                )
            if held.formula is None:
                raise ApplianceError("PGF116", f"The field {held.label} is stored, not computed.", {"field": held.name})
            check_unused(held.name, known)
            # A row policy may look at it: whoever owns the policy has to let go of it first.
            table, column = sql.Identifier("api", collection), sql.Identifier(held.name)
            try:
                async with exclusive(db, collection):
                    await db.execute(sql.SQL("alter table {} drop column {}").format(table, column))
            except errors.DependentObjectsStillExist as error:
                raise _in_use(held.label, [str(error.diag.message_detail)]) from None
            await db.execute("delete from flex.fields where collection = %s and name = %s", [collection, held.name])
            await _show(db, collection, held.name, False)
            await db.execute("select flex.apply_access(%s), flex.schema_changed()", [collection])

    async def _locked(self, db: Connection, collection: str) -> list[_Field]:
        """The fields, none of which changes before the transaction's end."""
        await lock_collection(db, collection_name(collection))
        known = await _known(db, collection)
        row = await (await db.execute("select system from flex.collections where name = %s", [collection])).fetchone()
        if row and row[0]:
            raise ApplianceError("PGF106", f"The collection {collection} is the box's own.", {"collection": collection})
        await db.execute("select set_config('statement_timeout', %s, true)", [REWRITE_TIMEOUT])
        return known

    async def _planned(
        self, db: Connection, collection: str, label: str, held: _Field | None, wanted: Wanted, known: list[_Field]
    ) -> _Field:
        """The field as it will be, its type still open."""
        if held is not None and held.formula is None:
            raise ApplianceError(
                "PGF116",
                f"{collection} already stores a field {held.label}.",
                {"field": held.name},
                "Take another name.",
            )
        if held is None and len(known) >= self._fields_limit:
            raise ApplianceError(
                "PGF109", f"A collection may have {self._fields_limit} fields.", {"fields": len(known)}
            )
        wall = bool(held and held.wall) if wanted.wall is None else wanted.wall
        if held is not None:
            unit = wanted.unit if wanted.unit is not None else held.unit
            return msgspec.structs.replace(held, formula=wanted.formula, unit=unit, wall=wall)
        taken = {row[0] for row in await (await db.execute(_TAKEN, [collection])).fetchall()}
        name = numbered(column_name(label), taken)
        return _Field(name, label, "text", wanted.formula, None, wanted.unit, "admin", wall)

    async def _replace(self, db: Connection, collection: str, made: _Field, typed: Typed, known: list[_Field]) -> None:
        """Give a field its new formula, and what uses it with it."""
        fresh = [made if item.name == made.name else item for item in known]
        await db.execute("select flex.loosen(%s)", [collection])
        await _record(db, collection, made, typed)
        for user in _users(made.name, fresh):
            await _record(db, collection, user, check(parse(user.formula or ""), _by_word(fresh), user.name))
        await db.execute("select flex.tighten(%s)", [collection])


def check_unused(name: str, known: Iterable[Any]) -> None:
    """Refuse when a formula uses the column `name`; `known` are the collection's fields with their formulas.

    Raises:
        ApplianceError: PGF116, with the labels of the fields that use it.
    """
    fields = list(known)
    users = [item.label for item in fields if item.formula is not None and name in _uses(item, fields)]
    if users:
        raise _in_use(next((item.label for item in fields if item.name == name), name), users)


def _in_use(label: str, users: list[str]) -> ApplianceError:
    told = ", ".join(users)
    return ApplianceError(
        "PGF116", f"The field {label} is in use: {told}.", {"used_by": users}, "Remove or change those first."
    )


def _uses(item: _Field, known: Iterable[_Field]) -> set[str]:
    words = _by_word(known)
    return {words[word].name for word in parse(item.formula or "").fields if word in words}


def _users(name: str, known: list[_Field]) -> list[_Field]:
    """The computed fields that come down to the column `name`, itself not among them."""
    found: dict[str, _Field] = {}
    names = {name}
    while True:
        more = [item for item in known if item.formula and item.name not in names and _uses(item, known) & names]
        if not more:
            return list(found.values())
        found |= {item.name: item for item in more}
        names |= found.keys()


def _by_word(known: Iterable[_Field]) -> dict[str, Known]:
    """Fields by the words a formula may call them: the column's name and, where that is no other's, the label."""
    fields = list(known)
    made = {item.name: Known(item.name, item.type, item.formula) for item in fields}
    return {item.label: made[item.name] for item in fields} | made


def _named(known: list[_Field], label: str) -> _Field | None:
    """The field of this label or name, or one that means the same."""
    exact = [item for item in known if label in (item.label, item.name)]
    alike = [item for item in known if meaning(item.label) == meaning(label)]
    return next(iter([*exact, *alike]), None)


def _read(body: Any) -> Wanted:
    try:
        return msgspec.convert(body, Wanted)
    except msgspec.ValidationError as error:
        raise ApplianceError(
            "PGF115", "This does not declare a computed field.", str(error), 'Send {"formula": "capacity - occupied"}.'
        ) from None


def _may_declare(role: RoleName) -> None:
    if role != "admin":
        raise ApplianceError("PGF106", "Computed fields are declared by the admin.", {"role": role}, "Act as admin.")


def _no_collection(collection: str) -> ApplianceError:
    return ApplianceError("PGF104", "There is no such collection.", collection, "GET /api/catalog lists them.")


async def _known(db: Connection, collection: str) -> list[_Field]:
    known = await (await db.execute("select from flex.collections where name = %s", [collection])).fetchone()
    if known is None:
        raise _no_collection(collection)
    return [_Field(*row) for row in await (await db.execute(_FIELDS, [collection])).fetchall()]


async def _cost(db: Connection, collection: str, wanted: bool) -> tuple[int, int]:
    """Bytes and rows (about) that are written again.

    Raises:
        ApplianceError: PGF116, they are many and that is not wanted.
    """
    size, rows = await (await db.execute(_COST, [collection])).fetchone() or (0, 0)
    if size > REWRITE_LIMIT and not wanted:
        raise ApplianceError(
            "PGF116",
            f"This writes all of {collection} again, {size >> 20} MiB; nobody can write to it meanwhile.",
            {"bytes": size, "rows": rows},
            'Send "rewrite": true to do it, when few are writing.',
        )
    return size, rows


async def _add(db: Connection, collection: str, made: _Field, typed: Typed) -> None:
    await db.execute(
        sql.SQL("alter table {} add column {} {} generated always as ({}) stored").format(
            sql.Identifier("api", collection),
            sql.Identifier(made.name),
            sql.SQL(SQL_TYPES[typed.type]),
            sql.SQL(typed.expression),
        )
    )
    await db.execute(
        "insert into flex.fields (collection, name, label, type, who, unit, formula, expression, reads)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            *(collection, made.name, made.label, typed.type, made.who, made.unit, made.formula),
            *(typed.expression, list(typed.reads)),
        ],
    )


async def _record(db: Connection, collection: str, made: _Field, typed: Typed) -> None:
    await db.execute(
        "update flex.fields set type = %s, unit = %s, formula = %s, expression = %s, reads = %s"
        " where collection = %s and name = %s",
        [typed.type, made.unit, made.formula, typed.expression, list(typed.reads), collection, made.name],
    )


async def _show(db: Connection, collection: str, name: str, wall: bool | None) -> None:
    """Put a field on the walls' list or take it off; None leaves it."""
    if wall is None:
        return
    change = (
        "array_append(array_remove(wall_fields, %(name)s), %(name)s)" if wall else "array_remove(wall_fields, %(name)s)"
    )
    await db.execute(
        sql.SQL("update flex.collections set wall_fields = {} where name = %(collection)s").format(sql.SQL(change)),
        {"name": name, "collection": collection},
    )
