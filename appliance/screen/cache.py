"""What a screen last showed, on its own disk: shown with its age while the box is away.

>>> save(path, Held(ticket, "9f3c", 41, {"beds.free": 7}, at=1_764_000_000.0))  # doctest: +SKIP
>>> load(path).signals  # doctest: +SKIP
{'beds.free': 7}
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import msgspec

from appliance.screen.ticket import Ticket


class Held(msgspec.Struct, frozen=True):
    """A stream as a screen holds it.

    Attributes:
        box: whose it is.
        epoch, version: as of bitstream; what the screen resumes with.
        signals: names and values.
        at: when they were last known to be true, seconds since 1970.
    """

    box: Ticket
    epoch: str | None
    version: int | None
    signals: dict[str, Any]
    at: float


def load(path: Path) -> Held | None:
    """What was saved, or None where there is nothing that can be read. Blocks on the disk."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Held)
    except (OSError, msgspec.DecodeError):
        return None


def save(path: Path, held: Held) -> None:
    """Replace what was saved, all or nothing; only the owner may read it. Blocks on the disk.

    Raises:
        OSError: the disk refuses.
    """
    write(path, msgspec.json.encode(held))


def write(path: Path, body: bytes, *, settled: bool = False) -> None:
    """Replace a file, all or nothing, also where several do at once; only the owner may read it. Blocks on the disk.

    Which of several is the last is for them to settle.

    Args:
        path: the file; its folder is made.
        body: all that it holds from now on.
        settled: whether to wait until the disk has it, so that a loss of power does not take it back.

    Raises:
        OSError: the disk refuses.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            if settled:
                file.flush()
                os.fsync(handle)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
