"""PostgreSQL and PostgREST without an administrator: made, started and mended by the box itself.

Everything blocks; only the supervisor (before it starts its children), ``appliance prepare`` and tests call it.

    cluster = prepare(settings)                      # folders, passwords, initdb on the first start
    start(postgres_command(cluster, settings))       # the caller runs and watches the processes
    bootstrap(cluster)                               # waits, makes the database, migrates
    start(postgrest_command(cluster, settings, port=54321, secret=secret))

The data folder holds ``postgres/`` (the cluster, private to the user PostgreSQL runs as), ``keys/`` (passwords,
private to us), ``run/`` (the socket) and ``lock``, which one box at a time holds. PostgreSQL listens on a unix
socket only.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from psycopg.conninfo import make_conninfo

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.pgflex.programs import find_postgres_bin, find_postgrest, postgres_version
from appliance.pgflex.server import (
    DATABASE,
    SUPERUSER,
    External,
    bootstrap,
    folder_faults,
    no_room,
    postgrest_options,
    stored_passwords,
    wait_ready,
    write_private,
)
from appliance.pgflex.unprivileged import Account, Command, choose

__all__ = [
    "DATABASE",
    "Cluster",
    "Command",
    "bootstrap",
    "find_postgres_bin",
    "find_postgrest",
    "postgres_command",
    "postgrest_command",
    "prepare",
    "recover",
    "release",
    "running",
    "wait_ready",
]

SOCKET: Final = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT: Final = 100
FIRST_START_BYTES: Final = 200 * 1024 * 1024
LATER_START_BYTES: Final = 50 * 1024 * 1024
_ORPHANS_STOP_S: Final = 20.0

POSTGRES_OPTIONS: Final[dict[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "wal_level": "logical",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    # A reader of the log that went away must not fill the disk.
    "max_slot_wal_keep_size": "1GB",
    # An abandoned transaction would hold the change feed back for everybody.
    "idle_in_transaction_session_timeout": "60s",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A request that was refused is told to whoever asked, and its rows have no place in a log.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m ",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "jit": "off",
}
"""Settings of a small box, given on the command line so that the cluster holds no configuration of ours."""


class Cluster(msgspec.Struct, frozen=True):
    """A prepared PostgreSQL cluster.

    Attributes:
        data: the cluster's folder, ``<settings.data>/postgres``.
        socket_dir: the folder of its unix socket.
        bin_dir: the folder of its programs.
        account: whom its programs run as.
        passwords: of the roles ``dreamstack`` (superuser), ``authenticator`` (PostgREST) and ``flex`` (data service).
        lock: an open file descriptor; while it is open no other box uses the data folder.
    """

    data: Path
    socket_dir: Path
    bin_dir: Path
    account: Account
    passwords: dict[str, str]
    lock: int

    def dsn(self, role: str, dbname: str = DATABASE) -> str:
        """The connection string of one of the roles with a password."""
        return make_conninfo(
            host=str(self.socket_dir), port=5432, user=role, password=self.passwords[role], dbname=dbname
        )


def prepare(settings: Settings) -> Cluster:
    """Make everything that has to be there before PostgreSQL starts; safe to interrupt and to repeat.

    Raises:
        ApplianceError: PGF107 (no room), PGF108 (the folder cannot be used, or another box uses it),
            BRG411 (a program is missing or too old).
    """
    bin_dir = find_postgres_bin(settings)
    postgrest = find_postgrest(settings)
    with folder_faults(settings.data):
        _make_data_folder(settings.data)
        _check_space(settings.data)
        lock = _lock(settings.data)
    try:
        with folder_faults(settings.data):
            programs = (bin_dir / "postgres", bin_dir / "initdb", postgrest)
            account = choose(settings.postgres_user, (*programs, settings.data))
            run = _private_folder(settings.data / "run", account)
            cluster = Cluster(
                settings.data / "postgres",
                _socket_dir(run, account),
                bin_dir,
                account,
                stored_passwords(settings.data),
                lock,
            )
            _init(cluster)
            recover(cluster)
        return cluster
    except BaseException:
        os.close(lock)
        raise


def release(cluster: Cluster) -> None:
    """Let another box use the data folder; call it once PostgreSQL has stopped."""
    os.close(cluster.lock)


def running(data: Path) -> External | None:
    """The PostgreSQL of the box that runs on a data folder, to connect to; None where none holds the folder."""
    try:
        with (data / "lock").open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        passwords = stored_passwords(data)
    where = make_conninfo(host=str(_socket_path(data / "run")), port=5432)
    return External(make_conninfo(where, user=SUPERUSER, password=passwords[SUPERUSER]), where, passwords)


def postgres_command(cluster: Cluster, settings: Settings) -> Command:
    """How PostgreSQL is started. SIGINT stops it cleanly, at once."""
    options = {"unix_socket_directories": str(cluster.socket_dir), "port": "5432"} | POSTGRES_OPTIONS
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    argv = (str(cluster.bin_dir / "postgres"), "-D", str(cluster.data), *words)
    return cluster.account.command("postgres", argv, {})


def postgrest_command(cluster: Cluster, settings: Settings, port: int, secret: str) -> Command:
    """How PostgREST is started: on loopback, schema ``api``, and no role for requests without a token.

    It listens on the TCP port `port` of 127.0.0.1; `secret`, at least 32 characters, signs the tokens.
    """
    options = postgrest_options(cluster, "127.0.0.1", port, secret)
    env = {f"PGRST_{name.upper().replace('-', '_')}": value for name, value in options.items()}
    return cluster.account.command("postgrest", (str(find_postgrest(settings)),), env)


def recover(cluster: Cluster) -> None:
    """Clear what a killed PostgreSQL left behind; call it before every start of PostgreSQL, never while it runs.

    Processes of this cluster that outlived their box are stopped first. Only when none is left is a stale
    ``postmaster.pid`` removed: PostgreSQL would trust it when its process id has been given to another program.

    Raises:
        ApplianceError: PGF108, old processes do not stop.
    """
    until = time.monotonic() + _ORPHANS_STOP_S
    told = signal.SIGINT
    while orphans := _processes_in(cluster.data):
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, told)
        if time.monotonic() > until:
            raise ApplianceError(
                "PGF108",
                "Another PostgreSQL runs on this data folder and does not stop.",
                f"process {orphans[0]}",
                "Stop it.",
            )
        time.sleep(0.1)
        if time.monotonic() > until - _ORPHANS_STOP_S / 2:
            told = signal.SIGQUIT
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def _make_data_folder(data: Path) -> None:
    """Make `data` and what is missing above it. As root others may pass through it; nothing is taken from a folder."""
    for parent in reversed(data.parents):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o755)
    with suppress(FileExistsError):
        data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        data.chmod(stat.S_IMODE(data.stat().st_mode) | 0o011)


def _check_space(data: Path) -> None:
    needed = LATER_START_BYTES if (data / "postgres").exists() else FIRST_START_BYTES
    free = shutil.disk_usage(data).free
    if free < needed:
        raise no_room(data, f"{free // 2**20} MB free, {needed // 2**20} MB needed")


def _lock(data: Path) -> int:
    handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ApplianceError(
            "PGF108",
            f"The data folder {data} is already in use by another box.",
            None,
            "Stop the other one, or choose another folder: appliance up --data DIR",
        ) from None
    except OSError:
        os.close(handle)
        raise
    return handle


def _new(data: Path) -> Path:
    """Where a cluster is made; it gets its name only when it is whole."""
    return data / "postgres.new"


def _private_folder(path: Path, account: Account) -> Path:
    """`path` as a folder that only `account` may enter.

    Raises:
        ApplianceError: PGF108, somebody else owns it.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        account.own(path)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.owner() or found.st_mode & 0o077:
        raise ApplianceError(
            "PGF108",
            f"{path} is not a private folder of the user PostgreSQL runs as.",
            f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):o}",
            f"Remove {path} and start again.",
        )
    return path


def _socket_dir(run: Path, account: Account) -> Path:
    """`run`, or where its path is too long for a socket, a folder under the temporary one with a stable name."""
    path = _socket_path(run)
    return run if path == run else _private_folder(path, account)


def _socket_path(run: Path) -> Path:
    if len(os.fsencode(run / SOCKET)) <= SOCKET_PATH_LIMIT:
        return run
    named = hashlib.sha256(os.fsencode(run.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dreamstack-{named}"


def _init(cluster: Cluster) -> None:
    """Make the cluster on the first start; on later ones check that these programs can run it."""
    if cluster.data.exists():
        _check_version(cluster)
        return
    new, password = _new(cluster.data.parent), cluster.data.parent / "run" / "password"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    cluster.account.own(new)
    write_private(password, cluster.passwords[SUPERUSER].encode())
    cluster.account.own(password)
    try:
        _run_initdb(cluster, new, password)
    finally:
        password.unlink(missing_ok=True)
    new.rename(cluster.data)
    _sync_folder(cluster.data.parent)


def _run_initdb(cluster: Cluster, target: Path, password: Path) -> None:
    argv = (
        str(cluster.bin_dir / "initdb"),
        f"--pgdata={target}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--encoding=UTF8",
        "--auth=scram-sha-256",
        "--data-checksums",
        *_locale(postgres_version(cluster.bin_dir)),
    )
    command = cluster.account.command("initdb", argv, {})
    done = subprocess.run(command.argv, capture_output=True, text=True, check=False, **command.options())
    if done.returncode == 0:
        return
    problem = done.stderr.strip()[-2000:]
    if os.strerror(errno.ENOSPC) in problem:
        raise no_room(cluster.data.parent, problem)
    raise ApplianceError(
        "PGF108", f"PostgreSQL could not make its files in {target}.", problem, "Choose another folder."
    )


def _locale(version: int) -> tuple[str, ...]:
    # The builtin C.UTF-8 sorts and folds case alike on every machine, whatever its C library.
    if version >= 17:
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale=C.UTF-8",)


def _check_version(cluster: Cluster) -> None:
    made_by = (cluster.data / "PG_VERSION").read_text().strip()
    ours = str(postgres_version(cluster.bin_dir))
    if made_by != ours:
        raise ApplianceError(
            "PGF108",
            f"The data folder was made by PostgreSQL {made_by}; this is PostgreSQL {ours}.",
            str(cluster.data),
            f"Name a PostgreSQL {made_by} in the setting postgres_bin, or choose another data folder.",
        )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _processes_in(folder: Path) -> list[int]:
    """PostgreSQL processes whose working folder is `folder`: the server and all its workers stay there."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").samefile(folder) and (entry / "exe").readlink().name.startswith("postgres"):
                    found.append(int(entry.name))
    return found
