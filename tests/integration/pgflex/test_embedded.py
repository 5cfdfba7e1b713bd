"""The embedded cluster as real processes: who it runs as, what survives, and what is said when it cannot start."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from appliance.config import Settings, load
from appliance.errors import ApplianceError
from appliance.pgflex.embedded import (
    SOCKET_PATH_LIMIT,
    bootstrap,
    postgres_command,
    prepare,
    recover,
    release,
    wait_ready,
)
from appliance.pgflex.migrate import Migration, migrate, migrations
from tests.box import box_folder
from tests.integration.pgflex_box import Box, running_box, started, stopped

AS_ROOT = os.geteuid() == 0


def settings(data: Path, **given: object) -> Settings:
    return load({"data": data, **given}, environ={})


@contextmanager
def mounted(size: str) -> Iterator[Path]:
    """A small file system of its own."""
    with box_folder() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        yield box


def owner_of(process: subprocess.Popen[bytes]) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:")))


def test_cluster_is_private_and_checked(box: Box) -> None:
    assert (box.settings.data / "keys").stat().st_mode & 0o777 == 0o700
    assert (box.settings.data / "keys" / "postgres.json").stat().st_mode & 0o777 == 0o600
    assert box.cluster.data.stat().st_mode & 0o777 == 0o700
    assert owner_of(box.postgres) != 0
    assert not (box.settings.data / "run" / "password").exists()
    with psycopg.connect(box.admin_dsn) as db:
        told = {
            name: db.execute(f"show {name}").fetchone()[0]  # type: ignore[index]
            for name in ("wal_level", "data_checksums", "listen_addresses", "server_encoding", "password_encryption")
        }
    assert told == {
        "wal_level": "logical",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
    }


def test_a_wrong_password_is_refused(box: Box) -> None:
    for user in ("dreamstack", "authenticator", "flex"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=str(box.cluster.socket_dir), user=user, password="wrong", dbname="dreamstack")


def test_second_box_on_the_same_folder_is_refused(box: Box) -> None:
    with pytest.raises(ApplianceError, match=r"PGF108.*already in use"):
        prepare(box.settings)
    with psycopg.connect(box.dsn) as db:
        assert db.execute("select 1").fetchone() == (1,)


def test_bootstrap_again_changes_nothing(box: Box) -> None:
    bootstrap(box.cluster)
    assert migrate(box.admin_dsn) == []
    with psycopg.connect(box.dsn) as db:
        assert db.execute("select count(*) from flex.migrations").fetchone() == (len(migrations()),)


def test_newer_database_is_refused(box: Box) -> None:
    with pytest.raises(ApplianceError, match=r"PGF108.*newer"):
        migrate(box.admin_dsn, migrations()[:1])


def test_failed_migration_leaves_the_step_before(box: Box) -> None:
    bad = Migration(9999, "bad", "create table flex.half (a int); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(box.admin_dsn, (*migrations(), bad))
    with psycopg.connect(box.admin_dsn) as db:
        assert db.execute("select to_regclass('flex.half'), max(number) from flex.migrations").fetchone() == (
            None,
            len(migrations()),
        )


def test_the_three_roles_see_no_system_table(box: Box) -> None:
    with psycopg.connect(box.admin_dsn) as db:
        for role in ("wall", "staff", "admin", "authenticator"):
            seen = db.execute(
                "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
                " where nspname = 'flex' and relkind = 'r' and"
                " (has_schema_privilege(%(role)s, 'flex', 'usage') or has_table_privilege(%(role)s, c.oid, 'select'))",
                {"role": role},
            ).fetchall()
            assert seen == []
        powers = db.execute("select rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname = 'flex'")
        assert powers.fetchone() == (False, False, False)


@pytest.mark.parametrize("open_to_all", [True, False], ids=["open folder", "private folder"])
def test_starts_in_an_open_and_in_a_private_folder(open_to_all: bool) -> None:
    with box_folder() as folder:
        folder.chmod(0o755 if open_to_all else 0o700)
        chosen = settings(folder / "data")
        cluster = prepare(chosen)
        assert bool(cluster.account.through) == (AS_ROOT and not open_to_all)
        postgres = started(postgres_command(cluster, chosen))
        try:
            wait_ready(cluster)
            assert owner_of(postgres) == cluster.account.owner() != 0
        finally:
            stopped(postgres)
            release(cluster)


def test_long_path_takes_a_short_socket() -> None:
    with box_folder() as folder:
        chosen = settings(folder / ("long" * 30) / "data")
        cluster = prepare(chosen)
        postgres = started(postgres_command(cluster, chosen))
        try:
            wait_ready(cluster)
            assert len(str(cluster.socket_dir / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
            assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
        finally:
            stopped(postgres)
            release(cluster)
        again = prepare(chosen)
        assert again.socket_dir == cluster.socket_dir
        release(again)
        cluster.socket_dir.rmdir()


def test_short_socket_folder_of_somebody_else_is_refused() -> None:
    with box_folder() as folder:
        chosen = settings(folder / ("long" * 30) / "data")
        cluster = prepare(chosen)
        release(cluster)
        cluster.socket_dir.chmod(0o777)
        with pytest.raises(ApplianceError, match="PGF108"):
            prepare(chosen)
        cluster.socket_dir.rmdir()


def test_interrupted_first_start_is_done_again() -> None:
    with box_folder() as folder:
        chosen = settings(folder / "data")
        half = folder / "data" / "postgres.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("17")
        cluster = prepare(chosen)
        postgres = started(postgres_command(cluster, chosen))
        try:
            wait_ready(cluster)
        finally:
            stopped(postgres)
            release(cluster)
        assert not half.exists()


def test_orphans_of_a_killed_box_are_stopped_and_a_stale_lock_file_is_no_obstacle() -> None:
    with box_folder() as folder:
        chosen = settings(folder / "data")
        cluster = prepare(chosen)
        postgres = started(postgres_command(cluster, chosen))
        wait_ready(cluster)
        release(cluster)  # as when the supervisor is killed and PostgreSQL lives on
        cluster = prepare(chosen)
        assert postgres.wait(10) == 0
        for _ in range(2):
            postgres = started(postgres_command(cluster, chosen))
            wait_ready(cluster)
            postgres.send_signal(signal.SIGKILL)
            postgres.wait(10)
            # Another program of the same user may have been given the number meanwhile.
            lock = cluster.data / "postmaster.pid"
            lock.write_text(lock.read_text().replace(str(postgres.pid), "1", 1))
            recover(cluster)
        release(cluster)


def test_other_version_of_the_cluster_is_refused() -> None:
    with box_folder() as folder:
        chosen = settings(folder / "data")
        release(prepare(chosen))
        (folder / "data" / "postgres" / "PG_VERSION").write_text("16\n")
        with pytest.raises(ApplianceError, match=r"PGF108.*PostgreSQL 16"):
            prepare(chosen)


def test_a_given_folder_keeps_its_permissions() -> None:
    with box_folder() as folder:
        given = folder / "given"
        given.mkdir()
        given.chmod(0o1777)
        release(prepare(settings(given)))
        assert given.stat().st_mode & 0o7777 == 0o1777


def test_folder_that_is_a_file_is_refused() -> None:
    with box_folder() as folder:
        (folder / "file").write_text("")
        for data in (folder / "file", folder / "file" / "data"):
            with pytest.raises(ApplianceError, match="PGF108") as caught:
                prepare(settings(data))
            assert "--data" in str(caught.value.hint)


def test_read_only_folder_is_refused() -> None:
    with pytest.raises(ApplianceError, match="PGF108"):
        prepare(settings(Path("/proc/dreamstack")))


def test_too_little_room_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.pgflex.embedded.FIRST_START_BYTES", 2**60)
    with box_folder() as folder:
        with pytest.raises(ApplianceError, match="PGF107") as caught:
            prepare(settings(folder / "data"))
        assert f"{2**40} MB needed" in str(caught.value.details)
        assert [item.name for item in (folder / "data").iterdir()] == []


if AS_ROOT:  # who else may mount a small file system

    def test_small_disk_is_told() -> None:
        with mounted("size=64m") as folder, pytest.raises(ApplianceError, match="PGF107"):
            prepare(settings(folder / "data"))

    @pytest.mark.parametrize("files", [4, 60], ids=["folders", "initdb"])
    def test_room_that_runs_out_on_the_way_is_told(files: int) -> None:
        """A file system with bytes but no more files, so that the check before passes and the making fails."""
        with mounted(f"size=400m,nr_inodes={files}") as folder:
            with pytest.raises(ApplianceError, match="PGF107"):
                prepare(settings(folder / "data"))
            assert not (folder / "data" / "postgres").exists()


def test_closed_program_is_named_with_its_fix() -> None:
    with box_folder() as folder:
        folder.chmod(0o755)
        program = folder / "postgrest"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o700)
        chosen = settings(folder / "data", postgrest=str(program))
        if AS_ROOT:
            with pytest.raises(ApplianceError, match="PGF108") as caught:
                prepare(chosen)
            assert f"chmod o+rx {program}" in str(caught.value.hint)
        else:
            release(prepare(chosen))


def test_wait_ready_gives_up(box: Box) -> None:
    with box_folder() as folder:
        cluster = prepare(settings(folder / "data"))
        with pytest.raises(ApplianceError, match="PGF101"):
            wait_ready(cluster, 0.2)
        release(cluster)
