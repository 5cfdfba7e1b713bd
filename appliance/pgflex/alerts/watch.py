"""Alerts: rules that are watched over the data, what fired, and who acknowledged it.

    alerts = Alerts(pool)
    rule = await alerts.declare({...}, "admin")        # see alert_rules
    feed.watch(alerts.mark)                            # a collection changed
    await alerts.run()                                 # evaluates what is marked, until cancelled
    await alerts.events("staff", "active")             # rows of the collection api.alerts
    await alerts.acknowledge(7, "Maria", "staff")

The database evaluates (migration 0008), in a transaction of its own that also saves how far of the feed the rule
has seen: no writer waits for an alert, and each crossing is told once, whatever is killed when. A rule that cannot
be evaluated any more stops with its reason; the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import dict_row

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.alerts.rules import Declared, Rule, make_rule, read_rule
from appliance.pgflex.database import Connection, Pool, act_as, transaction
from appliance.pgflex.fields import write_json
from appliance.types import FieldType, RoleName

__all__ = ["Alerts"]

SWEEP_S: Final = 30.0
"""How often every rule is evaluated though nothing says it has to: rules on quiet collections keep up with the feed."""
REST_S: Final = (0.002, 1.0)
"""Least and longest rest between two rounds; in between twice what the last one took, so that writers come first."""
RETRY_S: Final = 0.5
EVALUATION_TIMEOUT: Final = "5min"
EVENTS_LIMIT: Final = 1000
WHO_LIMIT: Final = 100

_LEVEL: Final = "select level from flex.roles where name = %s"
_RULES: Final = """
select a.id, a.name, a.collection, a.declared, a.audience, a.direction, a.threshold, a.clear_at, a.enabled, a.problem,
       a.created, (select count(*) from flex.alert_states s where s.alert = a.id) as active
from flex.alerts a
where (%(which)s::bigint is null or a.id = %(which)s)
  and (a.audience = 'wall' or %(level)s = 'admin' or a.audience = %(level)s)
order by a.id
"""
_EVENTS: Final = """
select id, rule, alert, collection, subject, value, threshold, message, state, fired_at, cleared_at, acknowledged_at,
       audience
from api.alerts where %(state)s::text is null or state = %(state)s
order by id desc limit %(limit)s
"""
_WHO: Final = "acknowledged_by, audience"
"""What a wall is not told."""
_MADE: Final = """
update flex.alerts set scan = %(scan)s, walk = %(walk)s, watched = %(watched)s, direction = %(direction)s,
  threshold = %(threshold)s, clear_at = %(clear_at)s, message = %(message)s
where id = %(which)s
"""
_DECLARE: Final = """
insert into flex.alerts
  (name, collection, declared, audience, scan, walk, watched, direction, threshold, clear_at, message)
values (%(name)s, %(collection)s, %(declared)s, %(audience)s, %(scan)s, %(walk)s, %(watched)s, %(direction)s,
  %(threshold)s, %(clear_at)s, %(message)s)
returning id
"""
_STOP: Final = """
update flex.alerts set enabled = %(enabled)s, problem = %(problem)s, number = null where id = %(which)s
"""


class Alerts:
    """Declares rules, has them evaluated, and tells and acknowledges what fired.

    Args:
        pool: connections of the role that owns the collections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._watched: dict[int, str] = {}
        self._dirty: set[int] = set()
        self._more = asyncio.Event()
        self._log = logger("pgflex")

    # Rules -----------------------------------------------------------------------------------------------

    async def declare(self, body: Any, role: RoleName, dry_run: bool = False) -> dict[str, Any]:
        """Add a rule and evaluate it; tells the rule. A dry run only checks it, and tells it as it was read.

        Raises:
            ApplianceError: PGF117 (the declaration), PGF104 (no such collection), PGF106 (not as this role).
        """
        declared = read_rule(body)
        async with transaction(self._pool) as db:
            await _as_admin(db, role)
            rule = make_rule(declared, await _fields(db, declared.collection))
            if dry_run:
                return dict(msgspec.to_builtins(declared))
            await _history(db)
            row = await (await db.execute(_DECLARE, _values(declared, rule))).fetchone()
            assert row is not None
        self._watched[row[0]] = declared.collection
        await self.evaluate(row[0])
        return await self.get(row[0], role)

    async def rules(self, role: RoleName) -> list[dict[str, Any]]:
        """The rules a role may know of, each with how many alerts of it are active."""
        return await self._rules(role, None)

    async def get(self, which: int, role: RoleName) -> dict[str, Any]:
        """One rule.

        Raises:
            ApplianceError: PGF118, there is none, or not for this role.
        """
        found = await self._rules(role, which)
        if not found:
            raise _no_alert(which)
        return found[0]

    async def enable(self, which: int, enabled: bool, role: RoleName) -> dict[str, Any]:
        """Let a rule go on or stop it; what is active of a stopped rule is cleared.

        Raises:
            ApplianceError: PGF118 (no such rule), PGF117 (its fields are gone), PGF106 (not as this role).
        """
        async with transaction(self._pool) as db:
            await _as_admin(db, role)
            declared = await _declared(db, which)
            if enabled:
                rule = make_rule(declared, await _fields(db, declared.collection))
                await db.execute(_MADE, {**_values(declared, rule), "which": which})
            else:
                await db.execute("select flex.clear_alert(%s, null, clock_timestamp())", [which])
            await db.execute(_STOP, {"which": which, "enabled": enabled, "problem": None})
        if enabled:
            self._watched[which] = declared.collection
            await self.evaluate(which)
        else:
            self._watched.pop(which, None)
        return await self.get(which, role)

    async def delete(self, which: int, role: RoleName) -> None:
        """Remove a rule; what is active of it is cleared, its history stays.

        Raises:
            ApplianceError: PGF118 (no such rule), PGF106 (not as this role).
        """
        async with transaction(self._pool) as db:
            await _as_admin(db, role)
            await _declared(db, which)
            await db.execute("select flex.clear_alert(%s, null, clock_timestamp())", [which])
            await db.execute("delete from flex.alerts where id = %s", [which])
        self._watched.pop(which, None)

    async def _rules(self, role: RoleName, which: int | None) -> list[dict[str, Any]]:
        async with transaction(self._pool) as db:
            found = await _rows(db, _RULES, {"which": which, "level": await _level(db, role)})
        # As declared, and over it what the database holds: names, the value at which it is over, how it is.
        return [{**row.pop("declared"), **row} for row in found]

    # What fired ------------------------------------------------------------------------------------------

    async def events(self, role: RoleName, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Alerts that fired and that the role may see, the newest first; `state` active or cleared."""
        async with transaction(self._pool) as db:
            if not await _is_there(db):
                return []
            query = _EVENTS if await _level(db, role) == "wall" else _EVENTS.replace("audience", _WHO)
            await act_as(db, role)
            return await _rows(db, query, {"state": state, "limit": min(limit, EVENTS_LIMIT)})

    async def acknowledge(self, event: int, who: str, role: RoleName) -> dict[str, Any]:
        """Say that a person has seen an alert; the first one stays. Tells the alert.

        Raises:
            ApplianceError: PGF118 (no such alert for this role), PGF106 (a wall acknowledges nothing), PGF103.
        """
        who = " ".join(who.split())
        if len(who) > WHO_LIMIT or "\x00" in who:
            raise ApplianceError("PGF103", f"A name has at most {WHO_LIMIT} characters.", {"length": len(who)})
        async with transaction(self._pool) as db:
            if await _level(db, role) == "wall":
                raise ApplianceError("PGF106", "A wall acknowledges nothing.", {"role": role}, "Act as staff.")
            seen = await _is_there(db) and await _sees(db, event, role)
            if not seen:
                raise _no_alert(event)
            await db.execute(
                "update api.alerts set acknowledged_at = clock_timestamp(), acknowledged_by = %s "
                "where id = %s and acknowledged_at is null",
                [f"{who} ({role})" if who else role, event],
            )
            return (await _rows(db, "select * from api.alerts where id = %(event)s", {"event": event}))[0]

    # Watching --------------------------------------------------------------------------------------------

    def mark(self, collection: str | None = None) -> None:
        """Say that rows of a collection changed, or (None) that any may have."""
        touched = {which for which, name in self._watched.items() if collection in (None, name)}
        if touched or collection is None:
            self._dirty |= touched
            self._more.set()

    async def run(self) -> None:
        """Evaluate every rule once, then those whose collections change, until cancelled."""
        await self._begin()
        anyway, swept = True, time.monotonic()
        while True:
            began = time.monotonic()
            well = await self._round(anyway)
            anyway = anyway and not well
            least, longest = REST_S
            await asyncio.sleep(min(max(least, 2 * (time.monotonic() - began)), longest) if well else RETRY_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), SWEEP_S)
            if time.monotonic() - swept >= SWEEP_S:
                swept = time.monotonic()
                self.mark()

    async def _begin(self) -> None:
        """Find out which collections have rules, and mark them all."""
        while True:
            try:
                async with transaction(self._pool) as db:
                    found = await db.execute("select id, collection from flex.alerts where enabled")
                    self._watched = dict(await found.fetchall())
            except ApplianceError as error:
                self._log.warn("alerts wait", error=error.line())
                await asyncio.sleep(RETRY_S)
            else:
                return self.mark()

    async def _round(self, anyway: bool) -> bool:
        """Evaluate the marked rules; whether all could be."""
        self._more.clear()
        dirty, self._dirty = self._dirty, set()
        waits = set()
        for which in sorted(dirty):
            try:
                await self.evaluate(which, anyway)
            except ApplianceError as error:
                self._log.warn("an alert waits", alert=which, error=error.line())
                waits.add(which)
        if waits:
            self._dirty |= waits
            self._more.set()
        return not waits

    async def evaluate(self, which: int, anyway: bool = False) -> int:
        """Evaluate one rule now; how many alerts fired or cleared. A rule that is broken stops with its reason.

        Args:
            which: the rule's id.
            anyway: look at an aggregate though no field that matters changed.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        try:
            return await self._evaluated(which, anyway)
        except ApplianceError as error:
            if not _is_broken(error.__cause__):
                raise
            return await self._mend(which, error)

    async def _evaluated(self, which: int, anyway: bool) -> int:
        async with transaction(self._pool) as db:
            # A commit is walked as a whole, however many rows it wrote; nobody waits for it.
            await db.execute("select set_config('statement_timeout', %s, true)", [EVALUATION_TIMEOUT])
            row = await (await db.execute("select flex.evaluate_alert(%s, %s)", [which, anyway])).fetchone()
            return int(row[0]) if row else 0

    async def _mend(self, which: int, error: ApplianceError) -> int:
        """A field may have changed its type: make the rule anew, else stop it."""
        problem = error
        try:
            async with transaction(self._pool) as db:
                declared = await _declared(db, which)
                rule = make_rule(declared, await _fields(db, declared.collection))
                await db.execute(_MADE, {**_values(declared, rule), "which": which})
            return await self._evaluated(which, True)
        except ApplianceError as again:
            if again.status >= 500 and not _is_broken(again.__cause__):
                raise
            problem = again
        async with transaction(self._pool) as db:
            await db.execute("select flex.clear_alert(%s, null, clock_timestamp())", [which])
            await db.execute(_STOP, {"which": which, "enabled": False, "problem": _reason(problem)})
        self._watched.pop(which, None)
        self._log.warn("an alert cannot be watched any more", alert=which, reason=_reason(problem))
        return 0


def _is_broken(cause: BaseException | None) -> bool:
    """Whether the rule itself is at fault: what it names is gone or of another type, or it holds for too much."""
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return state is not None and (state[:2] in ("42", "22") or state == "54000")


def _reason(error: ApplianceError) -> str:
    cause = error.__cause__
    told = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return told or error.message


def _no_alert(which: int) -> ApplianceError:
    return ApplianceError("PGF118", f"There is no alert {which}.", {"id": which})


def _values(declared: Declared, rule: Rule) -> dict[str, Any]:
    told = {"name": declared.name, "collection": declared.collection, "audience": declared.audience}
    return {**msgspec.structs.asdict(rule), **told, "declared": write_json(declared), "watched": [*rule.watched]}


async def _rows(db: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    async with db.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, values)).fetchall()


async def _level(db: Connection, role: RoleName) -> str:
    row = await (await db.execute(_LEVEL, [role])).fetchone()
    return str(row[0]) if row else "wall"


async def _as_admin(db: Connection, role: RoleName) -> None:
    if await _level(db, role) != "admin":
        raise ApplianceError("PGF106", "Alerts are declared by the admin.", {"role": role}, "Act as admin.")


async def _fields(db: Connection, collection: str) -> dict[str, tuple[str, FieldType]]:
    """The fields of a collection by name and, where that is no other's name, by label.

    Raises:
        ApplianceError: PGF104 (no such collection), PGF117 (one of the box's own).
    """
    row = await (await db.execute("select system from flex.collections where name = %s", [collection])).fetchone()
    if row is None:
        raise ApplianceError("PGF104", "There is no such collection.", collection, "GET /api/catalog lists them.")
    if row[0]:
        raise ApplianceError("PGF117", "The box's own collections have no alerts.", {"key": "collection"})
    found = await db.execute("select label, name, type from flex.fields where collection = %s", [collection])
    fields = await found.fetchall()
    return {label: (name, kind) for label, name, kind in fields} | {name: (name, kind) for _, name, kind in fields}


async def _declared(db: Connection, which: int) -> Declared:
    row = await (await db.execute("select declared from flex.alerts where id = %s for update", [which])).fetchone()
    if row is None:
        raise _no_alert(which)
    return read_rule(row[0])


async def _history(db: Connection) -> None:
    """See to it that there is the collection of what fired.

    Raises:
        ApplianceError: PGF116, somebody else's collection has its name.
    """
    await db.execute("select flex.make_alerts()")
    if not await _is_there(db):
        raise ApplianceError(
            "PGF116",
            "A collection named alerts is in the way: the box keeps there what fired.",
            {"collection": "alerts"},
            "Keep those documents under another name.",
        )


async def _is_there(db: Connection) -> bool:
    found = await db.execute("select from flex.collections where name = 'alerts' and system")
    return await found.fetchone() is not None


async def _sees(db: Connection, event: int, role: RoleName) -> bool:
    await act_as(db, role)
    found = await (await db.execute("select id from api.alerts where id = %s", [event])).fetchone()
    await db.execute("reset role")
    return found is not None
