"""Two builds of the same input, side by side: what differs, by stage and by file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SCRATCH: Final = ("scratch", "logs", "sandbox", "layer", "wheelhouse")
SHOWN: Final = 40


def differences(first: Path, second: Path) -> Iterator[str]:
    """A sentence for each file of a stage that differs between two builds of a target."""
    for stage in sorted({path.name for folder in (first, second) for path in folder.iterdir()} - set(SCRATCH)):
        if not stage.endswith(".inputs"):
            yield from (f"{stage}: {told}" for told in _between(first / stage, second / stage))


def _between(first: Path, second: Path) -> Iterator[str]:
    ours, theirs = _contents(first), _contents(second)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            yield f"{name} is in the first only"
        elif name not in ours:
            yield f"{name} is in the second only"
        elif ours[name] != theirs[name]:
            yield f"{name} differs: {_how(ours[name], theirs[name])}"


def _how(first: tuple[str, ...], second: tuple[str, ...]) -> str:
    words = ("kind and rights", "owner", "content")
    return ", ".join(word for word, one, other in zip(words, first, second, strict=True) if one != other)


def _contents(place: Path) -> dict[str, tuple[str, ...]]:
    """Of each file under a place: kind and rights, owner, and a checksum of what is in it."""
    if not place.is_dir():
        return {place.name: _state(place)} if place.exists() else {}
    found = {}
    for folder, names, files in os.walk(place):
        for name in (*names, *files):
            path = Path(folder) / name
            found[str(path.relative_to(place))] = _state(path)
    return found


def _state(path: Path) -> tuple[str, ...]:
    told = path.lstat()
    content = ""
    if path.is_symlink():
        content = str(path.readlink())
    elif path.is_file():
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{told.st_mode:o}", f"{told.st_uid}:{told.st_gid}", content
