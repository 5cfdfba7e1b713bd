"""A restore that the page of the first start asks for: the box stops, restores the backup and starts again.

The door leaves the wish in ``run/``; ``appliance up`` finds it there, as only it can stop all parts.

    leave(data, Wish(file, passphrase))       # by the gateway
    if is_wanted(data):                       # by the supervisor
        await box.stop()
        fulfil(settings)                      # what came of it is told at the next start
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.server import write_private
from appliance.services.admin import setup_code
from appliance.services.backup import embedded, restore

__all__ = ["Wish", "fulfil", "is_wanted", "leave", "outcome"]

WISH: Final = "run/restore.json"
OUTCOME: Final = "gateway/restored.json"
log = logger("box")


class Wish(msgspec.Struct, frozen=True):
    """The backup's file and what opens it."""

    file: str
    passphrase: str = ""


def leave(data: Path, wish: Wish) -> None:
    """Ask for it. Blocks on the disk."""
    (data / OUTCOME).unlink(missing_ok=True)
    write_private(data / WISH, msgspec.json.encode(wish))


def is_wanted(data: Path) -> bool:
    """Whether somebody asked. Blocks on the disk."""
    return (data / WISH).exists()


def outcome(data: Path) -> dict[str, Any] | None:
    """What came of the last one: ``state`` (running, done, failed), ``error``; None: there was none. Blocks."""
    if is_wanted(data):
        return {"state": "running", "error": None}
    try:
        return msgspec.json.decode((data / OUTCOME).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return None


def fulfil(settings: Settings) -> None:
    """Restore, while the box does not run; a fault is told, and the box is as it was. Blocks."""
    wish = msgspec.json.decode((settings.data / WISH).read_bytes(), type=Wish)
    told: dict[str, Any] = {"state": "done", "error": None}
    log.info("a backup is restored", file=wish.file)
    try:
        restore(embedded(settings), Path(wish.file), wish.passphrase, replace=True)
    except ApplianceError as error:
        log.error("the backup was not restored", reason=error.line())
        told = {"state": "failed", "error": error.shape()}
    else:
        if (settings.data / "keys" / "accounts.json").exists():
            setup_code.forget(settings.data)
    finally:
        (settings.data / WISH).unlink(missing_ok=True)
        Path(wish.file).unlink(missing_ok=True)
    (settings.data / OUTCOME).parent.mkdir(exist_ok=True)
    write_private(settings.data / OUTCOME, msgspec.json.encode(told))
