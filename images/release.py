"""A disk becomes what a vendor ships: compressed, as an update, listed, with checksums that are signed."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from images import vendor
from images.mirror import Refused
from images.stages import Build

SUMS: Final = "SHA256SUMS"
_BLOCK: Final = 4096
_CHUNK: Final = 1 << 20


def image(build: Build, disk: Path, dist: Path) -> Path:
    """The disk as one compressed file, to be written to a machine."""
    dist.mkdir(parents=True, exist_ok=True)
    made = dist / f"{build.image_id}-{build.version}.raw.zst"
    scratch = made.with_suffix(".new")
    source = disk / f"{build.name}.raw"
    _checked(["zstd", "--quiet", "--force", "-12", "-T0", "--long=26", "-o", str(scratch), str(source)])
    return scratch.replace(made)


def update(build: Build, disk: Path, dist: Path, key: Path) -> Path:
    """The same system as a signed update: a tar file that ``appliance update`` takes.

    Its bytes follow from the disk's alone, besides the signature's.
    """
    dist.mkdir(parents=True, exist_ok=True)
    scratch = dist / f".{build.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        parts = [_trimmed(part, scratch) for part in _parts(build, disk)]
        sums = scratch / SUMS
        sums.write_text(checksums(parts), encoding="utf-8")
        made = dist / f"{build.name}.update"
        _pack(made, [sums, vendor.sign(key, sums), *parts], build.epoch)
    finally:
        shutil.rmtree(scratch)
    return made


def sign(dist: Path, files: Iterable[Path], key: Path) -> Path:
    """Checksums of the files, signed; lines of other files in the folder are kept."""
    sums = dist / SUMS
    new = {line.partition("  ")[2]: line for line in checksums(files).splitlines()}
    old = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    kept = {line.partition("  ")[2]: line for line in old if (dist / line.partition("  ")[2]).exists()}
    sums.write_text("".join(f"{line}\n" for _, line in sorted((kept | new).items())), encoding="utf-8")
    return vendor.sign(key, sums)


def checksums(files: Iterable[Path]) -> str:
    """Lines as sha256sum reads them, in the order of the names."""
    return "".join(f"{_sha256(file)}  {file.name}\n" for file in sorted(files, key=lambda each: each.name))


def _parts(build: Build, disk: Path) -> list[Path]:
    patterns = (f"{build.name}.efi", f"{build.name}.root-*-verity.*.raw", f"{build.name}.root-*.raw")
    found = sorted({path for pattern in patterns for path in disk.glob(pattern)})
    if len(found) != 3:
        raise Refused(f"{disk} does not have a kernel, a root and its hashes, but {[path.name for path in found]}.")
    return found


def _trimmed(part: Path, folder: Path) -> Path:
    """A copy without the empty blocks at its end: a slot is larger than what is in it."""
    copy = folder / part.name
    shutil.copyfile(part, copy)
    if part.suffix == ".raw":
        with copy.open("r+b") as file:
            size = end = file.seek(0, 2)
            while end and not any(_read(file, max(0, end - _BLOCK), min(end, _BLOCK))):
                end -= _BLOCK
            if end < size:
                file.truncate(max(end, _BLOCK))
    return copy


def _read(file: io.BufferedRandom, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def _pack(made: Path, files: list[Path], epoch: int) -> None:
    scratch = made.with_suffix(".new")
    with tarfile.open(scratch, "w", format=tarfile.GNU_FORMAT) as archive:
        for file in files:
            member = tarfile.TarInfo(file.name)
            member.size, member.mtime, member.mode = file.stat().st_size, epoch, 0o644
            with file.open("rb") as content:
                archive.addfile(member, content)
    scratch.replace(made)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{command[0]} failed: {done.stderr.strip()}")
