"""Columns of large collections become wider while everybody goes on writing.

Beside the column a wider one is added, which a trigger keeps in step, with the values of the overflow column at
their places. It is filled in small steps, then takes the old one's place under a short lock, and what is left of its
values in the overflow column is removed. How far it has come is in ``flex.widenings`` after every step, so it goes on
after any interruption.

    await Widening(pool).run()          # until cancelled; looks every two seconds
    await Widening(pool).work()         # all there is to do now
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec
from psycopg import errors, sql

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.database import Connection, Pool, transaction
from appliance.pgflex.fields import SQL_TYPES, spilled_sql, widen_sql
from appliance.pgflex.writes.growth import IN_THE_WAY, alter_types, dependents, exclusive, is_large, lock_collection
from appliance.pgflex.writes.layout import EMPTY, OVERFLOW
from appliance.types import FieldType

__all__ = ["Widening"]

_LOOK_S: Final = 2.0
_AGAIN_S: Final = 60.0
_FIRST_STEP: Final = 500
_LONGEST_STEP: Final = 5000
_STEP_S: Final = 0.04
_BEFORE_ALL: Final = -(2**63)

_JOB: Final = """
select w.collection, w.field, w.type, f.type as held, w.state, w.beside, w.place
from flex.widenings w join flex.fields f on f.collection = w.collection and f.name = w.field
"""
_EMPTY: Final = """
select c.name from flex.collections c join pg_attribute a on a.attrelid = to_regclass(format('api.%%I', c.name))
where a.attname = %s and not a.attisdropped
  and not exists (select from flex.widenings w where w.collection = c.name)
"""
_KEEPS_STEP: Final = """
create function {function}() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  new.{beside} := case when new.{field} is null and new.{extra} ? {key} then {spilled} else {widened} end;
  return new;
end
$$
"""


class Job(msgspec.Struct, frozen=True):
    """A column that waits, as ``flex.widenings`` has it; `held` is the type it has now."""

    collection: str
    field: str
    type: FieldType
    held: FieldType
    state: str
    beside: str | None
    place: int

    @property
    def table(self) -> sql.Identifier:
        """The collection's table."""
        return sql.Identifier("api", self.collection)

    @property
    def wider(self) -> sql.Identifier:
        """The wider column, before it takes the other's place."""
        return sql.Identifier(self.beside or "")

    @property
    def function(self) -> sql.Identifier:
        """The function of the trigger that keeps the wider column in step."""
        return sql.Identifier("flex", f"{self.collection[:40]}{self.beside}")


class Widening:
    """Does what ``flex.widenings`` says is to be done.

    Args:
        pool: connections of the role that owns the collections.
        widen_rows: rows up to which a column is made wider where it stands, while writers wait.
    """

    def __init__(self, pool: Pool, widen_rows: int = 50_000) -> None:
        self._pool = pool
        self._widen_rows = widen_rows
        self._log = logger("pgflex")
        self._told: set[tuple[str, str]] = set()
        self._not_before: dict[tuple[str, str], float] = {}
        self._rows = _FIRST_STEP

    async def run(self) -> None:
        """Work until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.work()
            except ApplianceError as error:
                self._log.warn("widening waits", error=error.line())
            await asyncio.sleep(_LOOK_S)

    async def work(self) -> None:
        """Do all that can be done now.

        Raises:
            ApplianceError: PGF101, the database does not answer.
        """
        while (job := await self._next()) is not None:
            try:
                await self._advance(job)
            except ApplianceError as error:
                if not isinstance(error.__cause__, (*IN_THE_WAY, errors.DeadlockDetected)):
                    raise
                await self._put_off(job, str(error.__cause__.diag.message_primary))
        async with transaction(self._pool) as db:
            found = await db.execute(_EMPTY, [OVERFLOW])
            empty = [row[0] for row in await found.fetchall()]
        now = time.monotonic()
        for collection in empty:
            if self._not_before.get((collection, OVERFLOW), 0.0) <= now:
                self._not_before[collection, OVERFLOW] = now + _AGAIN_S
                await self._drop_overflow(collection)

    async def _next(self) -> Job | None:
        async with transaction(self._pool) as db:
            found = await db.execute(_JOB + " order by w.since")
            jobs = [Job(*row) for row in await found.fetchall()]
        now = time.monotonic()
        return next((job for job in jobs if self._not_before.get((job.collection, job.field), 0.0) <= now), None)

    async def _advance(self, job: Job) -> None:
        """One step of a column."""
        if job.state == "wanted":
            await self._begin(job)
        elif job.state == "filling":
            await self._fill(job)
        else:
            await self._sweep(job)

    async def _put_off(self, job: Job, problem: str) -> None:
        """Leave a column as it is for a while; what it would have to hold stays in the overflow column."""
        named = (job.collection, job.field)
        self._not_before[named] = time.monotonic() + _AGAIN_S
        if named not in self._told:
            self._told.add(named)
            self._log.warn("field stays narrow", collection=job.collection, field=job.field, problem=problem)
        async with transaction(self._pool) as db:
            await db.execute(
                "update flex.widenings set problem = %s where collection = %s and field = %s", [problem, *named]
            )

    async def _begin(self, job: Job) -> None:
        """Make a small table's column wider where it stands; give a large one's a wider column beside it."""
        async with transaction(self._pool) as db:
            await lock_collection(db, job.collection)
            if await _read(db, job) != job:
                return
            if not await is_large(db, job.collection, self._widen_rows):
                async with exclusive(db, job.collection):
                    await self._widen_here(db, job)
                return
            problem = await _blocked(db, job)
            if problem is None:
                await self._add_beside(db, job)
        if problem is not None:
            await self._put_off(job, problem)

    async def _widen_here(self, db: Connection, job: Job) -> None:
        await alter_types(db, job.collection, {job.field: (job.held, job.type)})
        await db.execute("select set_config('flex.quiet', 'on', true)")
        await db.execute(
            sql.SQL(
                "update {table} set {field} = coalesce({field}, {value}), {extra} = nullif({extra} - {key}, '{{}}')"
                " where {extra} ? {key}"
            ).format(value=_spilled(job, sql.Identifier(OVERFLOW)), **_names(job))
        )
        await db.execute("select set_config('flex.quiet', '', true)")
        await _done(db, job)
        await db.execute("select flex.schema_changed()")

    async def _add_beside(self, db: Connection, job: Job) -> None:
        found = await db.execute(
            "select '_' || attnum from pg_attribute where attrelid = format('api.%%I', %s::text)::regclass"
            " and attname = %s",
            [job.collection, job.field],
        )
        row = await found.fetchone()
        assert row is not None
        job = msgspec.structs.replace(job, beside=row[0])
        kind = sql.SQL(SQL_TYPES[job.type])
        new = sql.SQL("new.{}").format(sql.Identifier(job.field)).as_string(None)
        async with exclusive(db, job.collection):
            await db.execute(sql.SQL("alter table {} add column {} {}").format(job.table, job.wider, kind))
            await db.execute(
                sql.SQL(_KEEPS_STEP).format(
                    function=job.function,
                    beside=job.wider,
                    spilled=_spilled(job, sql.SQL("new.{}").format(sql.Identifier(OVERFLOW))),
                    widened=sql.SQL(widen_sql(new, job.held, job.type)),
                    **_names(job),
                )
            )
            await db.execute(sql.SQL("revoke execute on function {}() from public").format(job.function))
            await db.execute(
                sql.SQL("create trigger {} before insert or update on {} for each row execute function {}()").format(
                    _trigger(job), job.table, job.function
                )
            )
        await db.execute(
            "update flex.widenings set state = 'filling', beside = %s, place = %s, problem = null"
            " where collection = %s and field = %s",
            [job.beside, _BEFORE_ALL, job.collection, job.field],
        )

    async def _fill(self, job: Job) -> None:
        """Fill the wider column of some more rows; after the last one let it take the other's place."""
        began = time.monotonic()
        async with transaction(self._pool) as db:
            last = await _last(db, job, self._rows)
            if last is not None:
                await db.execute("select set_config('flex.quiet', 'on', true)")
                await db.execute(
                    # The trigger gives the value.
                    sql.SQL(
                        "update {table} set {wider} = null where id > %s and id <= %s and {wider} is null"
                        " and ({field} is not null or {extra} ? {key})"
                    ).format(wider=job.wider, **_names(job)),
                    [job.place, last],
                )
                await _reached(db, job, last)
        if last is None:
            await self._swap(job)
            return
        self._pace(time.monotonic() - began)

    def _pace(self, took: float) -> None:
        """Make the next step so large that it takes about as long as a writer may wait."""
        fitting = int(self._rows * _STEP_S / max(took, 0.001))
        self._rows = max(100, min(fitting, 2 * self._rows, _LONGEST_STEP))

    async def _swap(self, job: Job) -> None:
        async with transaction(self._pool) as db:
            await lock_collection(db, job.collection)
            if await _read(db, job) != job:
                return
            right = await _type_of(db, job) == SQL_TYPES[job.type]
            problem = await _blocked(db, job)
            async with exclusive(db, job.collection):
                await db.execute(sql.SQL("drop trigger {} on {}").format(_trigger(job), job.table))
                await db.execute(sql.SQL("drop function {}()").format(job.function))
                if problem or not right:
                    await db.execute(sql.SQL("alter table {} drop column {}").format(job.table, job.wider))
                    await _set_state(db, job, "wanted")
                else:
                    await self._take_place(db, job)
            await db.execute("select flex.schema_changed()")
        if problem:
            await self._put_off(job, problem)

    async def _take_place(self, db: Connection, job: Job) -> None:
        hanging = await dependents(db, job.collection, job.field)
        if hanging:
            await db.execute("select flex.loosen(%s)", [job.collection])
        await db.execute(sql.SQL("alter table {table} drop column {field}").format(**_names(job)))
        await db.execute(
            sql.SQL("alter table {table} rename column {wider} to {field}").format(wider=job.wider, **_names(job))
        )
        await db.execute(
            "update flex.fields set type = %s where collection = %s and name = %s",
            [job.type, job.collection, job.field],
        )
        await _set_state(db, job, "sweeping")
        made = "tighten" if hanging else "apply_access"
        await db.execute(sql.SQL("select flex.{}(%s)").format(sql.Identifier(made)), [job.collection])

    async def _sweep(self, job: Job) -> None:
        """Remove from the overflow column of some more rows what the wider column holds."""
        began = time.monotonic()
        async with transaction(self._pool) as db:
            last = await _last(db, job, self._rows)
            if last is None:
                await _done(db, job)
                return
            await db.execute("select set_config('flex.quiet', 'on', true)")
            await db.execute(
                sql.SQL(
                    "update {table} set {extra} = nullif({extra} - {key}, '{{}}')"
                    " where id > %s and id <= %s and {extra} ? {key} and {field} is not null"
                ).format(**_names(job)),
                [job.place, last],
            )
            await _reached(db, job, last)
        self._pace(time.monotonic() - began)

    async def _drop_overflow(self, collection: str) -> None:
        """Take the overflow column off when nothing is in it.

        A constraint keeps it empty while the table is looked at without holding anybody up.
        """
        table, extra, empty = sql.Identifier("api", collection), sql.Identifier(OVERFLOW), sql.Identifier(EMPTY)
        try:
            async with transaction(self._pool) as db:
                await lock_collection(db, collection)
                held = sql.SQL("select exists (select from {} where {} is not null)").format(table, extra)
                row = await (await db.execute(held)).fetchone()
                waiting = await db.execute("select from flex.widenings where collection = %s", [collection])
                if (row and row[0]) or await waiting.fetchone() is not None:
                    return
                async with exclusive(db, collection):
                    await db.execute(
                        sql.SQL(
                            "alter table {0} drop constraint if exists {1},"
                            " add constraint {1} check ({2} is null) not valid"
                        ).format(table, empty, extra)
                    )
            async with transaction(self._pool) as db:
                await db.execute("select set_config('statement_timeout', '0', true)")
                await db.execute(sql.SQL("alter table {} validate constraint {}").format(table, empty))
            async with transaction(self._pool) as db:
                await lock_collection(db, collection)
                waiting = await db.execute("select from flex.widenings where collection = %s", [collection])
                if await waiting.fetchone() is None:
                    async with exclusive(db, collection):
                        await db.execute(sql.SQL("alter table {} drop column if exists {}").format(table, extra))
                    await db.execute("select flex.schema_changed()")
        except ApplianceError as error:
            if not isinstance(error.__cause__, IN_THE_WAY):
                raise


async def _blocked(db: Connection, job: Job) -> str | None:
    """What hangs on a column that cannot be put onto another one quickly; None: nothing."""
    hanging = set(await dependents(db, job.collection, job.field))
    generated = await db.execute(
        "select from pg_attribute where attrelid = format('api.%%I', %s::text)::regclass and attgenerated <> ''"
        " and not attisdropped",
        [job.collection],
    )
    if hanging - {"pg_policy"} or (hanging and await generated.fetchone() is not None):
        return f"{', '.join(sorted(hanging))} hangs on it"
    return None


async def _read(db: Connection, job: Job) -> Job | None:
    """The column as it stands now."""
    found = await db.execute(_JOB + " where w.collection = %s and w.field = %s", [job.collection, job.field])
    row = await found.fetchone()
    return Job(*row) if row else None


async def _type_of(db: Connection, job: Job) -> str:
    """The type of the wider column."""
    found = await db.execute(
        "select case format_type(atttypid, atttypmod) when 'timestamp with time zone' then 'timestamptz'"
        " else format_type(atttypid, atttypmod) end from pg_attribute"
        " where attrelid = format('api.%%I', %s::text)::regclass and attname = %s",
        [job.collection, job.beside],
    )
    row = await found.fetchone()
    return str(row[0]) if row else ""


async def _last(db: Connection, job: Job, rows: int) -> int | None:
    """The id that so many rows after the last step's end with; None when there are none."""
    query = sql.SQL("select max(id) from (select id from {} where id > %s order by id limit %s) as r").format(job.table)
    row = await (await db.execute(query, [job.place, rows])).fetchone()
    return row[0] if row else None


async def _reached(db: Connection, job: Job, place: int) -> None:
    await db.execute(
        "update flex.widenings set place = %s where collection = %s and field = %s and state = %s",
        [place, job.collection, job.field, job.state],
    )


async def _set_state(db: Connection, job: Job, state: str) -> None:
    await db.execute(
        "update flex.widenings set state = %s, beside = null, place = %s where collection = %s and field = %s",
        [state, _BEFORE_ALL, job.collection, job.field],
    )


async def _done(db: Connection, job: Job) -> None:
    await db.execute(
        "delete from flex.widenings where collection = %s and field = %s and state = %s",
        [job.collection, job.field, job.state],
    )


def _spilled(job: Job, extra: sql.Composable) -> sql.SQL:
    value = sql.SQL("({} -> {})").format(extra, sql.Literal(job.field)).as_string(None)
    return sql.SQL(spilled_sql(value, job.type))


def _trigger(job: Job) -> sql.Identifier:
    return sql.Identifier(f"flex_wider{job.beside}")


def _names(job: Job) -> dict[str, sql.Composable]:
    """What the statements name."""
    return {
        "table": job.table,
        "field": sql.Identifier(job.field),
        "extra": sql.Identifier(OVERFLOW),
        "key": sql.Literal(job.field),
    }
