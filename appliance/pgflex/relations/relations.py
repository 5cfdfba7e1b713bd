"""Relations: which fields name rows of another collection, found by their names and values or declared.

``ward_id``, ``Ward ID`` and ``wardId`` lead to ``wards`` where the values agree. A relation becomes a foreign key
when the data allows it, so that PostgREST embeds and plans join along it. A key that nobody asked to be strict
gives way to a write that breaks it (:func:`gives_way`): no document is lost for it.

    relations = Relations(pool)
    await relations.declare("patients", "ward_id", {"target": "wards", "enforce": True}, "admin")
    await relations.listed("patients", "staff")
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, Pool, transaction
from appliance.pgflex.relations.foreign_keys import BROKEN, ForeignKeys, Link, drop_key, types_fit, wait_briefly
from appliance.types import RoleName

__all__ = ["Declared", "Relations", "declared", "forget", "gives_way", "record", "release"]

_MAY_READ: Final = (
    "select 1 from flex.collections c where has_any_column_privilege(%s, format('api.%%I', c.name), 'select')"
    " and c.name = %s"
)
_LISTED: Final = """
select collection, field, target, target_field, origin, enforced, binding as enforce, declared_by, at
from flex.relations
where (collection = %(collection)s or target = %(collection)s)
  and has_column_privilege(%(role)s, format('api.%%I', collection), field, 'select')
  and has_column_privilege(%(role)s, format('api.%%I', target), target_field, 'select')
order by collection, field
"""


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person declares of a field."""

    target: str
    target_field: str = "id"
    enforce: bool = False


def declared(body: Any) -> Declared:
    """A declaration from JSON.

    Raises:
        ApplianceError: BRG410, it is not one.
    """
    try:
        return msgspec.convert(body, Declared)
    except msgspec.ValidationError as error:
        hint = 'Send {"target": "wards", "target_field": "id", "enforce": false}.'
        raise ApplianceError("BRG410", "This declares no relation.", str(error), hint) from None


class Relations:
    """Declares, lists and removes relations."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._keys = ForeignKeys(pool)

    async def listed(self, collection: str, role: RoleName) -> list[dict[str, Any]]:
        """The relations from and to a collection whose both ends the role may read.

        Raises:
            ApplianceError: PGF104, no such collection for this role.
        """
        async with transaction(self._pool) as db:
            known = await (await db.execute(_MAY_READ, [role, collection])).fetchone()
            if known is None:
                raise _no_collection(collection)
            found = await db.execute(_LISTED, {"collection": collection, "role": role})
            names = [column.name for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in await found.fetchall()]

    async def declare(self, collection: str, field: str, wanted: Declared, role: RoleName) -> dict[str, Any]:
        """Say that a field leads to a collection, and make it a foreign key when the data allows it.

        Args:
            collection: where the field is.
            field: its name or label.
            wanted: where it leads; ``enforce`` makes the key strict: writes that break it are refused.
            role: who says so.

        Raises:
            ApplianceError: PGF106 (not an admin), PGF104 (no such collection), PGF131 (no such field),
                PGF130 (what is there does not fit), PGF114 (the collections are busy).
        """
        _only_admin(role)
        async with transaction(self._pool) as db:
            link = await _resolved(db, collection, field, wanted)
            if not await types_fit(db, link):
                raise _unfit("The two fields have types that cannot be equal.", link)
        if wanted.enforce and await self._keys.breaks(link):
            raise _unfit("There are rows that do not fit this relation.", link, await self._keys.orphans(link))
        async with transaction(self._pool) as db:
            await wait_briefly(db)
            await forget(db, link.collection, link.field)
            await record(db, link, "declared", wanted.enforce, role)
        held = await self._enforce_or_forget(link) if wanted.enforce else await self._keys.enforce(link)
        if wanted.enforce and not held:
            raise _unfit("There are rows that do not fit this relation.", link, await self._keys.orphans(link))
        found = await self.listed(link.collection, role)
        return next(item for item in found if (item["collection"], item["field"]) == (link.collection, link.field))

    async def _enforce_or_forget(self, link: Link) -> bool:
        """Make the key of a strict key: there is none unless it holds."""
        held = False
        try:
            held = await self._keys.enforce(link)
        finally:
            if not held:
                async with transaction(self._pool) as db:
                    await forget(db, link.collection, link.field)
        return held

    async def remove(self, collection: str, field: str, role: RoleName) -> None:
        """Take a relation away; it is not found anew by itself.

        Raises:
            ApplianceError: PGF106 (not an admin), PGF131 (no such relation).
        """
        _only_admin(role)
        async with transaction(self._pool) as db:
            name = await _field_name(db, collection, field)
            await wait_briefly(db)
            if not await forget(db, collection, name):
                raise ApplianceError("PGF131", "There is no such relation.", {"collection": collection, "field": field})
            await db.execute("insert into flex.no_relations values (%s, %s)", [collection, name])
            await db.execute("select flex.schema_changed()")


async def record(db: Connection, link: Link, origin: str, strict: bool, by: str | None) -> None:
    """Keep a relation; it is no foreign key yet."""
    await db.execute(
        "insert into flex.relations (collection, field, target, target_field, origin, binding, key, declared_by)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (collection, field) do update set"
        " target = excluded.target, target_field = excluded.target_field, at = now()",
        [*msgspec.structs.astuple(link), origin, strict, link.key, by],
    )
    await db.execute(
        "delete from flex.no_relations where (collection, field) = (%s, %s)", [link.collection, link.field]
    )


async def forget(db: Connection, collection: str, field: str) -> bool:
    """Remove what is kept of a relation, and its key; whether there was one."""
    found = await db.execute(
        "delete from flex.relations where (collection, field) = (%s, %s)"
        " returning collection, field, target, target_field",
        [collection, field],
    )
    row = await found.fetchone()
    if row is not None:
        await drop_key(db, Link(*row))
    return row is not None


async def release(db: Connection, collection: str, constraint: str) -> bool:
    """Let a foreign key, or the unique index made for one, give way to a write that it refused.

    Args:
        db: a connection of the role that owns the collections, in a transaction.
        collection: the table that the refusal names.
        constraint: the constraint or index that the refusal names.

    Returns:
        Whether it gave way, so that the write can be tried again; False when it is no relation's or a strict one.
    """
    return await _release(db, await _refusing(db, collection, constraint))


async def gives_way(pool: Pool, error: BaseException | None, collection: str) -> bool:
    """Whether a write that failed may be tried again, because the key that refused it was given up.

    Args:
        pool: connections of the role that owns the collections.
        error: what PostgreSQL said, the cause of the write's ApplianceError.
        collection: what was written to.

    Raises:
        ApplianceError: PGF130, the key is strict.
    """
    if not isinstance(error, BROKEN):
        return False
    async with transaction(pool) as db:
        # A value that is too long for an index is refused without a word about which.
        known = await _refusing(db, error.diag.table_name or collection, error.diag.constraint_name)
        if await _release(db, known):
            return True
    strict = next((link for link, binding in known if binding), None)
    if strict is None:
        return False
    raise ApplianceError(
        "PGF130",
        f"{strict.field} of {strict.collection} has to name a row of {strict.target}.",
        {
            **msgspec.structs.asdict(strict),
            "message": error.diag.message_primary,
            "seen": error.diag.message_detail,
        },
        f"Write the row of {strict.target} first, or declare the relation without enforce.",
    )


async def _refusing(db: Connection, collection: str, name: str | None) -> list[tuple[Link, bool]]:
    """The relations whose key or index refused a write, each with whether it is strict; None may be any of them."""
    found = await db.execute(
        "select collection, field, target, target_field, binding from flex.relations"
        " where enforced and %s in (collection, target) for update",
        [collection],
    )
    known = [(Link(*row[:4]), row[4]) for row in await found.fetchall()]
    return [each for each in known if name in (None, each[0].key, each[0].key_index, each[0].field_index)]


async def _release(db: Connection, known: list[tuple[Link, bool]]) -> bool:
    if not known or any(binding for _, binding in known):
        return False
    for link, _ in known:
        await drop_key(db, link)
        await db.execute(
            "update flex.relations set enforced = false, key_index = null where (collection, field) = (%s, %s)",
            [link.collection, link.field],
        )
    await db.execute("select flex.schema_changed()")
    return True


def _only_admin(role: RoleName) -> None:
    if role != "admin":
        raise ApplianceError("PGF106", "Only an admin declares relations.", {"role": role}, "Act as admin.")


def _no_collection(name: str) -> ApplianceError:
    return ApplianceError("PGF104", "There is no such collection.", name[:200], "See the catalog for what there is.")


def _unfit(message: str, link: Link, orphans: list[Any] | None = None) -> ApplianceError:
    details = msgspec.structs.asdict(link) | ({"without_target": orphans} if orphans is not None else {})
    return ApplianceError("PGF130", message, details, "Correct the rows, or declare it without enforce.")


async def _resolved(db: Connection, collection: str, field: str, wanted: Declared) -> Link:
    name = await _field_name(db, collection, field)
    if await (await db.execute("select 1 from flex.collections where name = %s", [wanted.target])).fetchone() is None:
        raise _no_collection(wanted.target)
    target_field = "id"
    if wanted.target_field != "id":
        target_field = await _field_name(db, wanted.target, wanted.target_field)
    return Link(collection, name, wanted.target, target_field)


async def _field_name(db: Connection, collection: str, field: str) -> str:
    """The column of a field that is named by its column or its label."""
    if await (await db.execute("select 1 from flex.collections where name = %s", [collection])).fetchone() is None:
        raise _no_collection(collection)
    found = await db.execute(
        "select name from flex.fields where collection = %(c)s and (name = %(f)s or label = %(f)s)"
        " order by name <> %(f)s limit 1",
        {"c": collection, "f": field},
    )
    row = await found.fetchone()
    if row is None:
        raise ApplianceError("PGF131", f"{collection} has no such field.", field[:200], "See the catalog.")
    return str(row[0])
