"""Running PostgreSQL and PostgREST as an unprivileged user when the box itself is started as root.

PostgreSQL refuses to run as root. The box then starts it as `settings.postgres_user` (made when missing,
else ``nobody``). When a folder on the way to the programs or the data is closed to that user (a virtual
environment under ``/root``, a private temporary folder), the program is started through ``setpriv`` with one
capability, CAP_DAC_READ_SEARCH, so that nobody has to open a private folder to the world.

    >>> command = Account().command("postgres", ("/usr/bin/postgres", "-D", "/data"), {})  # ourselves
    >>> command.argv
    ('/usr/bin/postgres', '-D', '/data')
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROBE: Final = """
for path; do
  test -x "$path" && { test -d "$path" || test -r "$path"; } || { echo "$path"; exit 1; }
done
"""


class Command(msgspec.Struct, frozen=True):
    """A program to start: `env` is its whole environment; `uid` and `gid` say whom to run it as (None: ourselves)."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    uid: int | None = None
    gid: int | None = None

    def options(self) -> dict[str, Any]:
        """Keyword arguments for ``subprocess.Popen`` and ``asyncio.create_subprocess_exec``."""
        options: dict[str, Any] = {"env": self.env, "cwd": self.cwd}
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options


class Account(msgspec.Struct, frozen=True):
    """Whom the database programs run as.

    Attributes:
        uid, gid: the user, or None when the box is not root and runs them as itself.
        through: the ``setpriv`` words that start a program where plain permissions do not suffice, else empty.
    """

    uid: int | None = None
    gid: int | None = None
    through: tuple[str, ...] = ()

    def command(self, name: str, argv: tuple[str, ...], env: dict[str, str]) -> Command:
        """`argv` run as this account, from ``/`` (a folder everybody may read)."""
        whole = {"PATH": _PATH, "LC_ALL": "C", **env}
        if self.through:
            return Command(name, (*self.through, *argv), whole, "/")
        return Command(name, argv, whole, "/", self.uid, self.gid)

    def own(self, path: Path) -> None:
        """Give `path` to this account."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1, follow_symlinks=False)

    def owner(self) -> int:
        """The user id that files of this account have."""
        return os.geteuid() if self.uid is None else self.uid


def choose(user: str, paths: tuple[Path, ...]) -> Account:
    """The account to run as, proved able to read and run or enter every one of `paths`.

    Args:
        user: the unprivileged user's name, used only when we are root.
        paths: programs and folders.

    Raises:
        ApplianceError: PGF108, a path is closed to it; the hint names the fix.
    """
    if os.geteuid() != 0:
        return Account()
    entry = _entry(user)
    plain = Account(entry.pw_uid, entry.pw_gid)
    if _closed_path(plain, paths) is None:
        return plain
    capable = Account(entry.pw_uid, entry.pw_gid, _setpriv(entry))
    closed = _closed_path(capable, paths) if capable.through else _closed_path(plain, paths)
    if closed is not None:
        raise ApplianceError(
            "PGF108",
            f"The user {entry.pw_name}, whom PostgreSQL runs as, cannot reach {closed}.",
            closed,
            f"Open it and the folders above it (chmod o+rx {closed}), or install the box where every user may read.",
        )
    return capable


def _entry(user: str) -> pwd.struct_passwd:
    for attempt in (user, None, "nobody"):
        if attempt is None:
            _create(user)
            attempt = user
        try:
            return pwd.getpwnam(attempt)
        except KeyError:
            continue
    raise ApplianceError(
        "PGF108", f"There is no user {user} to run PostgreSQL as.", None, f"Run: useradd --system {user}"
    )


def _create(user: str) -> None:
    useradd = shutil.which("useradd", path=_PATH)
    if useradd:
        told = ("--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
        subprocess.run((useradd, *told, user), capture_output=True, check=False)


def _setpriv(entry: pwd.struct_passwd) -> tuple[str, ...]:
    program = shutil.which("setpriv", path=_PATH)
    if program is None:
        return ()
    # no_setuid_fixup: access(2), which PostgreSQL asks before it runs its own programs, ignores the
    # capabilities of a process that is not root unless this bit is set.
    # pdeathsig: the kernel forgets the caller's wish that a program ends with its parent when the user changes.
    return (
        program,
        "--pdeathsig=TERM",
        f"--reuid={entry.pw_uid}",
        f"--regid={entry.pw_gid}",
        "--clear-groups",
        "--no-new-privs",
        "--securebits=+no_setuid_fixup",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        "--",
    )


def _closed_path(account: Account, paths: tuple[Path, ...]) -> str | None:
    """The first path the account cannot read and run or enter, tried for real."""
    command = account.command("probe", ("/bin/sh", "-c", _PROBE, "probe", *map(str, paths)), {})
    done = subprocess.run(command.argv, capture_output=True, text=True, check=False, **command.options())
    if done.returncode == 0:
        return None
    return done.stdout.strip() or str(paths[0])
