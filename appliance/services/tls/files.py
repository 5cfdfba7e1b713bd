"""Files of keys and certificates: whole or not at all, one writer at a time, readable by whom they are for."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.errors import ApplianceError

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: a second process waits here, and then finds what the first has written.

    Raises:
        ApplianceError: BRG416, the folder cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / ".tls.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        raise unusable(folder, error.strerror or str(error)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write(path: Path, content: bytes, mode: int) -> None:
    """Put `content` in the place of what is there; a loss of power leaves the old or the new, never a part.

    Raises:
        ApplianceError: BRG416, it cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
        _settle(path.parent)
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from None


def read_private(path: Path) -> bytes | None:
    """What a file holds that only its owner may read, None where there is none; its rights are put right.

    Raises:
        ApplianceError: BRG416, it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != PRIVATE:
                os.fchmod(file.fileno(), PRIVATE)
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from None


def unusable(path: Path, details: str) -> ApplianceError:
    """BRG416 for this file."""
    return ApplianceError(
        "BRG416",
        f"The certificate file {path} cannot be used.",
        details,
        "Put it back from a backup; or move it away, start again, and trust the new one on every device.",
    )


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
