"""The backups that lie in the box: made, tried, taken away. Each is a file that ``appliance restore`` takes."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.screen import cache
from appliance.services.admin.programs import run_command, run_module
from appliance.services.backup.sealing import MAGIC

if TYPE_CHECKING:
    from appliance.services.admin.jobs import Report
    from appliance.services.gateway import Gateway

__all__ = ["Backups"]

SUFFIX: Final = ".backup"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,120}\.backup")


class Backups:
    """The folder of them.

    Args:
        gateway: whose box.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._data = gateway.settings.data
        self.folder = self._data / "backups"
        self._drills = self.folder / "drills.json"

    @property
    def possible(self) -> bool:
        """Whether this process may read all that a backup holds."""
        return self._gateway.runtime.profile == "embedded"

    def check_possible(self) -> None:
        """Raise where it may not.

        Raises:
            ApplianceError: BRG489.
        """
        if not self.possible:
            raise ApplianceError(
                "BRG489",
                "On this box the parts have users of their own, and the door may not read what is others'.",
                None,
                "At the box: appliance backup /media/usb",
            )

    def all(self) -> list[dict[str, Any]]:
        """Those there are, the newest first. Blocks on the disk."""
        drills = self._told_drills()
        files = sorted(self.folder.glob(f"*{SUFFIX}"), key=lambda file: -file.stat().st_mtime)
        return [self._told(file, drills.get(file.name)) for file in files if _NAME.fullmatch(file.name)]

    def _told(self, file: Path, drilled: dict[str, Any] | None) -> dict[str, Any]:
        at = file.stat()
        with file.open("rb") as opened:
            sealed = opened.read(len(MAGIC)) == MAGIC
        made = datetime.fromtimestamp(at.st_mtime, UTC).isoformat(timespec="seconds")
        return {"name": file.name, "bytes": at.st_size, "made_at": made, "sealed": sealed, "drill": drilled}

    def path(self, name: str) -> Path:
        """The file of this name. Blocks on the disk.

        Raises:
            ApplianceError: BRG487, there is none.
        """
        path = self.folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise ApplianceError("BRG487", "There is no such backup.", name[:130], "GET /api/admin/backups lists them.")
        return path

    def remove(self, name: str) -> None:
        """Take one away. Blocks on the disk.

        Raises:
            ApplianceError: BRG487, there is none.
        """
        self.path(name).unlink()

    async def make(self, report: Report, passphrase: str, recordings: bool, models: bool) -> dict[str, Any]:
        """Make one; what it is called and how large it is.

        Raises:
            ApplianceError: as ``appliance backup``.
        """
        report.tell("The database is copied, and the files that make this box this box.")
        await asyncio.to_thread(self.folder.mkdir, 0o700, exist_ok=True)
        words = ["backup", str(self.folder), "--data", str(self._data)]
        words += ["--recordings"] * recordings + ["--models"] * models
        words += ["--passphrase-file", "/dev/stdin"] if passphrase else []
        said = await run_command(*words, given=passphrase)
        name = Path(said.partition(": ")[0]).name
        return next(each for each in await asyncio.to_thread(self.all) if each["name"] == name)

    async def drill(self, report: Report, name: str, passphrase: str) -> dict[str, Any]:
        """Restore one beside the box and count its rows.

        Raises:
            ApplianceError: as ``appliance restore``.
        """
        report.tell("It is restored beside the box, and its rows are counted.")
        settings = self._gateway.settings
        given = {name: getattr(settings, name) for name in ("postgres_bin", "postgres_user")}
        file = await asyncio.to_thread(self.path, name)
        wanted = {"file": str(file), "passphrase": passphrase, "folder": str(self._data), "settings": given}
        told = await run_module("appliance.services.backup.drill", wanted)
        kept = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "ok": told["ok"], "took_s": told["took_s"]}
        drills = await asyncio.to_thread(self._told_drills)
        await asyncio.to_thread(cache.write, self._drills, msgspec.json.encode(drills | {name: kept}))
        return {"name": name, **told}

    def _told_drills(self) -> dict[str, dict[str, Any]]:
        try:
            return msgspec.json.decode(self._drills.read_bytes(), type=dict[str, dict[str, Any]])
        except (OSError, msgspec.DecodeError):
            return {}
