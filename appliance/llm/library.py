"""The library: the models a box holds besides the shipped one, which of them is in use, and the catalog of others.

The catalog (``models/catalog.toml``) is a list to choose from; nothing of it is shipped or fetched. What was added
lies in the data folder, ``models/<name>.gguf``, with what is known of it in ``models/models.json``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from appliance.config import shipped_models
from appliance.errors import ApplianceError

__all__ = ["SHIPPED_NAME", "Entry", "Held", "Library", "catalog", "fits", "machine_ram_gb"]

SHIPPED_NAME: Final = "shipped"
"""The name under which the small model alone is chosen."""
CATALOG: Final = shipped_models() / "catalog.toml"
_BOX_GB: Final = 1.0
"""What the rest of the box wants of the memory."""
_PIECE: Final = 1 << 20
_HINT: Final = "appliance model list shows what there is."


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the catalog; sizes in units of 10^9 bytes."""

    name: str
    title: str
    licence: str
    file: str
    family: str
    size_gb: float
    ram_gb: float
    context: int
    sha256: str = ""


class Held(msgspec.Struct, frozen=True):
    """A model in the data folder."""

    name: str
    file: str
    sha256: str
    bytes: int
    family: str
    context: int
    ram_gb: float
    licence: str = ""


class _Index(msgspec.Struct):
    used: str = ""
    models: list[Held] = []


class Library:
    """The models of one box.

    Args:
        data: the data folder.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "models"

    def held(self) -> tuple[Held, ...]:
        """What was added, in that order.

        Raises:
            ApplianceError: PGF108, the list cannot be read.
        """
        return tuple(self._read().models)

    def used(self) -> Held | None:
        """The larger model that is in use."""
        index = self._read()
        return next((held for held in index.models if held.name == index.used), None)

    def find(self, name: str) -> Held:
        """A model that was added.

        Raises:
            ApplianceError: LLM220, there is none of this name.
        """
        found = next((held for held in self.held() if held.name == name), None)
        if found is None:
            listed = next((entry for entry in catalog() if entry.name == name), None)
            hint = f"Copy {listed.file} to this machine, then: appliance model add {listed.file}" if listed else _HINT
            raise ApplianceError("LLM220", f"The box holds no model {name[:80]}.", None, hint)
        return found

    def path(self, held: Held) -> Path:
        """Where a model's file is."""
        return self.folder / held.file

    def use(self, name: str) -> Held | None:
        """Choose the larger model; :data:`SHIPPED_NAME` chooses none.

        Raises:
            ApplianceError: LLM220, there is none of this name.
        """
        chosen = None if name == SHIPPED_NAME else self.find(name)
        index = self._read()
        index.used = chosen.name if chosen else ""
        self._write(index)
        return chosen

    def add(self, source: Path, name: str, family: str, context: int) -> Held:
        """Copy a file that was found to load into the data folder.

        Raises:
            ApplianceError: LLM221, another model has this name, or it is not the file of the catalog;
                PGF107, there is no room for it; LLM208, it cannot be read.
        """
        entry, size = entry_of(source), _size(source)
        name = name or (entry.name if entry else default_name(source))
        if name == SHIPPED_NAME or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
            raise ApplianceError("LLM221", f"A model cannot be called {name[:80]!r}.", None, "Give it another: --name.")
        free = shutil.disk_usage(_existing(self.folder)).free
        if free < size:
            raise ApplianceError("PGF107", "There is no room for the model.", {"bytes": size, "free": free})
        file = f"{name}.gguf"
        sha256 = self._copy(source, file, self._expected(name, entry))
        held = Held(name, file, sha256, size, family, context, _ram_gb(size, entry), entry.licence if entry else "")
        index = self._read()
        index.models = [*(other for other in index.models if other.name != name), held]
        self._write(index)
        return held

    def _expected(self, name: str, entry: Entry | None) -> str:
        """The checksum that a file of this name has to have; empty where any will do."""
        there = next((held for held in self.held() if held.name == name), None)
        return there.sha256 if there else entry.sha256 if entry else ""

    def _copy(self, source: Path, name: str, expected: str) -> str:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.folder / f".{name}.{os.getpid()}"
        try:
            digest = _copied(source, fresh)
            if expected and digest != expected:
                raise ApplianceError(
                    "LLM221",
                    "This is another file than the one the box knows by this name.",
                    {"sha256": digest, "expected": expected},
                    "Copy it again, or give it a name of its own: --name.",
                )
            os.replace(fresh, self.folder / name)
        except OSError as error:
            raise ApplianceError("LLM221", "The model cannot be copied.", f"{source}: {error}", None) from None
        finally:
            fresh.unlink(missing_ok=True)
        return digest

    def _read(self) -> _Index:
        file = self.folder / "models.json"
        try:
            return msgspec.json.decode(file.read_bytes(), type=_Index)
        except (FileNotFoundError, NotADirectoryError):
            return _Index()
        except (OSError, msgspec.DecodeError) as error:
            raise ApplianceError(
                "PGF108",
                "The list of models cannot be read.",
                f"{file}: {error}",
                "Move the file away; add them again.",
            ) from None

    def _write(self, index: _Index) -> None:
        fresh = self.folder / f"models.json.{os.getpid()}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=2))
            os.replace(fresh, self.folder / "models.json")
        except OSError as error:
            raise ApplianceError("PGF108", "The data folder cannot be written.", str(error), None) from None


def catalog() -> tuple[Entry, ...]:
    """The models that are listed, the smallest first."""
    entries = msgspec.convert(tomllib.loads(CATALOG.read_text(encoding="utf-8"))["model"], type=list[Entry])
    return tuple(sorted(entries, key=lambda entry: entry.ram_gb))


def entry_of(file: Path) -> Entry | None:
    """The entry of the catalog that a file is, by its name."""
    return next((entry for entry in catalog() if entry.file.casefold() == file.name.casefold()), None)


def default_name(file: Path) -> str:
    """A model's name, made of its file's."""
    return re.sub(r"[^a-z0-9._-]+", "-", file.stem.casefold()).strip("-._")[:60] or "model"


def machine_ram_gb() -> float:
    """The memory of this machine, in units of 10^9 bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def fits(ram_gb: float) -> bool:
    """Whether a model fits this machine beside the rest of the box."""
    return ram_gb + _BOX_GB <= machine_ram_gb()


def _ram_gb(size: int, entry: Entry | None) -> float:
    """What a model needs: as the catalog says, else its file, a quarter more and half a gigabyte."""
    return entry.ram_gb if entry else round(size * 1.25 / 1e9 + 0.5, 1)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise ApplianceError("LLM208", "The model file cannot be read.", f"{file}: {error.strerror}", None) from None


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _copied(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while piece := read.read(_PIECE):
            digest.update(piece)
            write.write(piece)
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest()
