"""What comes from outside: named in ``images/artifacts.lock`` with its checksum, fetched once into ``images/cache/``.

Debian's packages are not in it: apt checks those itself. Nothing in the lock is an address; ``from`` says which
registry has it by that name: pypi, and the package it is taken out of where that is another; npm; or ``build`` for what
is compiled here from a source of pypi (whose checksum is in requirements/llama.txt, and which has none of its own: a
compiler's output is its machine's).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from images.builder import ROOT
from images.mirror import Refused
from scripts import listening_wheel, postgrest_binary
from scripts import wheelhouse as fetcher

LOCK: Final = ROOT / "images" / "artifacts.lock"
CACHE: Final = ROOT / "images" / "cache"
PROJECT: Final = "dreamstack_appliance-"
PROGRAM: Final = "bin/postgrest"
"""For arm64 it is the vendor's, whose checksum `make fetch` is told: no package of it could be had to pin it."""
_ORIGINS: Final = {"llama_cpp_python": "build", listening_wheel.NAME: "pypi moonshine-voice"}
"""What is not a wheel of PyPI as it is: compiled here, or taken out of another."""
_HEAD: Final = "# Written by: python -m images lock. Checked by: make fetch, make image.\n"


class Artifact(msgspec.Struct, frozen=True, rename={"origin": "from"}):
    """A file an image needs: ``file`` is its path in the cache's folder of the architecture."""

    name: str
    version: str
    architecture: str
    file: str
    origin: str
    sha256: str = ""


def read(lock: Path = LOCK) -> list[Artifact]:
    """All artifacts of the lock."""
    told = tomllib.loads(lock.read_text(encoding="utf-8"))
    return msgspec.convert(told.get("artifact", []), list[Artifact])


def of(architecture: str) -> list[Artifact]:
    """What the lock names for an architecture."""
    return [artifact for artifact in read() if artifact.architecture == architecture]


def fetch(architecture: str) -> list[str]:
    """Fill the cache for an architecture; returns what happened, a line each.

    Raises:
        Refused: it cannot be fetched, or a checksum differs.
    """
    fetched, cache = ROOT / "build" / "wheelhouse" / architecture, CACHE / architecture
    said = list(_filled(fetched, architecture))
    wanted = of(architecture)
    check(wanted, fetched)
    (cache / PROGRAM).parent.mkdir(parents=True, exist_ok=True)
    for artifact in wanted:
        shutil.copy2(fetched / artifact.file, cache / artifact.file)
    if (fetched / PROGRAM).is_file():
        shutil.copy2(fetched / PROGRAM, cache / PROGRAM)
    return [*said, f"images/cache/{architecture}: {len(wanted)} files, as images/artifacts.lock says"]


def whole(architecture: str) -> bool:
    """Whether the cache has all that the lock names for an architecture, as it says."""
    try:
        check(of(architecture), CACHE / architecture)
    except Refused:
        return False
    return True


def check(wanted: Iterable[Artifact], folder: Path) -> None:
    """See that each file is there and is what the lock says.

    Raises:
        Refused: one is missing or differs.
    """
    for artifact in wanted:
        file = folder / artifact.file
        if not file.is_file():
            raise Refused(f"{file} is missing: make fetch ARCH={artifact.architecture}")
        if artifact.sha256 and _sha256(file) != artifact.sha256:
            raise Refused(f"{file} is not what images/artifacts.lock says: its SHA-256 differs. Remove it: make fetch")


def wheelhouse(architecture: str, target: Path) -> Path:
    """The folder Ansible installs from: what the cache has, checked, and this project as it is now.

    Raises:
        Refused: the cache is not whole.
    """
    wanted = of(architecture)
    check(wanted, CACHE / architecture)
    shutil.rmtree(target, ignore_errors=True)
    (target / "bin").mkdir(parents=True)
    for artifact in wanted:
        shutil.copy2(CACHE / architecture / artifact.file, target / artifact.file)
    if (CACHE / architecture / PROGRAM).is_file():
        shutil.copy2(CACHE / architecture / PROGRAM, target / PROGRAM)
    try:
        made = fetcher.project(target)
    except fetcher.Refused as error:
        raise Refused(str(error)) from None
    made.replace(target / made.name)
    shutil.rmtree(target / "made")
    fetcher.write_sums(target)
    return target


def check_program(architecture: str) -> None:
    """See that a box can be built for an architecture: its lock has PostgREST, or the vendor gave it to ``make fetch``.

    Raises:
        Refused: neither; what to name is in the sentence.
    """
    locked = any(artifact.file == PROGRAM for artifact in of(architecture))
    if not locked and not (CACHE / architecture / PROGRAM).is_file():
        upper = architecture.upper()
        raise Refused(
            f"There is no PostgREST for {architecture} in a registry, and no box without it: name a release archive "
            f"and the SHA-256 of the program in it: make fetch ARCH={architecture} POSTGREST_TARBALL_{upper}=FILE "
            f"POSTGREST_SHA256_{upper}=..."
        )


def write_lock() -> int:
    """Write the lock from what lies in build/wheelhouse; the fetcher has checked it against requirements/."""
    found = [artifact for architecture in fetcher.ARCHITECTURES for artifact in _lying(architecture)]
    LOCK.write_text(_HEAD + "".join(_entry(artifact) for artifact in found), encoding="utf-8")
    print(f"  {LOCK.relative_to(ROOT)}: {len(found)} artifacts")
    return 0


def _filled(folder: Path, architecture: str) -> list[str]:
    try:
        return fetcher.fill(folder, fetcher.ARCHITECTURES[architecture], _user_cache())
    except fetcher.Refused as error:
        raise Refused(str(error)) from None


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dreamstack-appliance"


def _lying(architecture: str) -> Iterable[Artifact]:
    folder = ROOT / "build" / "wheelhouse" / architecture
    for wheel in sorted(folder.glob("*.whl")):
        if wheel.name.startswith(PROJECT):
            continue
        name, version = wheel.name.split("-")[:2]
        origin = _ORIGINS.get(name, "pypi")
        digest = "" if origin == "build" else _sha256(wheel)
        yield Artifact(name.replace("_", "-"), version, architecture, wheel.name, origin, digest)
    program = folder / "bin" / "postgrest"
    if program.exists():
        machine = fetcher.ARCHITECTURES[architecture].machine
        pin = postgrest_binary.PINS.get(machine)
        origin = f"npm {pin.package}" if pin else "a release archive of the vendor's choice"
        yield Artifact("postgrest", postgrest_binary.VERSION, architecture, "bin/postgrest", origin, _sha256(program))


def _entry(artifact: Artifact) -> str:
    told = msgspec.to_builtins(artifact)
    lines = [f'{name} = "{re.sub("[^ -~]", "", value)}"' for name, value in told.items() if value]
    return "\n[[artifact]]\n" + "\n".join(lines) + "\n"


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
