"""``appliance update``: a signed bundle becomes the other system slot of a box that was installed from an image.

A bundle is a tar file that a vendor made with ``make image``: the root, its hashes, the unified kernel image,
SHA256SUMS and its signature. systemd-sysupdate checks the signature against the vendor's key in this image, writes the
slot that is not running, and names the new kernel last: until then the box starts as before, whatever happens. The new
system has three tries to be well; then the box starts the old one again. Nothing is ever fetched: a file is named, or a
stick is.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from appliance.errors import ApplianceError

SYSUPDATE: Final = Path("/usr/lib/systemd/systemd-sysupdate")
RELEASE: Final = Path("/etc/os-release")
SOURCE: Final = Path("/run/dreamstack/update")
"""Where the transfer definitions of the image look; a link to what was unpacked."""
UNPACKED: Final = Path("/var/lib/dreamstack/update")
KERNELS: Final = Path("/boot/EFI/Linux")
ENDING: Final = ".update"
LIMIT: Final = 4 * 1024**3
"""Bytes that a bundle's files may have together; a slot has half of that."""
SUMS: Final = "SHA256SUMS"
_MEMBER: Final = re.compile(r"SHA256SUMS(\.gpg)?|[A-Za-z0-9][A-Za-z0-9._+~-]*\.(raw|efi)")
_TOLD_CHARACTERS: Final = 1500


class System(NamedTuple):
    """What runs here: the image's name and its version, as in os-release."""

    image: str
    version: str


def this_system(release: Path = RELEASE) -> System:
    """What runs on this machine.

    Raises:
        ApplianceError: BRG420, it was not installed from an image.
    """
    fields = dict(line.partition("=")[::2] for line in release.read_text().splitlines() if "=" in line)
    image, version = (fields.get(name, "").strip("\"'") for name in ("IMAGE_ID", "IMAGE_VERSION"))
    if not image or not version:
        raise ApplianceError(
            "BRG420",
            "This machine was not installed from an image.",
            f"{release} names none",
            "Update its packages and the program instead: docs/how-to/provision-a-host.md",
        )
    return System(image, version)


def newest(folder: Path, image: str) -> Path:
    """The bundle for this image in a folder, such as a stick's; of several, that of the highest version.

    Raises:
        ApplianceError: BRG420, there is none.
    """
    found = sorted(folder.glob(f"{image}_*{ENDING}"), key=lambda file: order(_told_version(file, image)))
    if not found:
        raise ApplianceError("BRG420", f"There is no update for {image} in {folder}.", None, f"{image}_VERSION{ENDING}")
    return found[-1]


def install(bundle: Path) -> str:
    """Check a bundle and write it to the slot that is not running; returns the version. Safe to interrupt.

    Raises:
        ApplianceError: BRG420, it is no bundle, not for this image, or not newer; BRG421, it was not installed: its
            signature, the disk.
    """
    system = this_system()
    version = version_of(bundle.name, system)
    with _unpacked(bundle):
        _sysupdate(version, "list")  # reads what the bundle offers, and checks the signature of its sums
        _clear_torn(system.image, version)
        _sysupdate(version, "update", version)
    os.sync()  # FAT keeps no journal: a cut right after this must find the kernel whole
    return version


def _sysupdate(version: str, *words: str) -> None:
    done = subprocess.run(
        [SYSUPDATE, "--verify=yes", *words], capture_output=True, text=True, check=False, env=_plain()
    )
    if done.returncode:
        raise ApplianceError(
            "BRG421",
            f"The update to {version} was not installed; the box runs on as before.",
            done.stderr.strip()[-_TOLD_CHARACTERS:],
            "Take the file from the vendor again, or make room on the data partition.",
        )


def restart() -> int:
    """Restart the machine."""
    return subprocess.run(["/usr/bin/systemctl", "reboot"], check=False).returncode


def version_of(name: str, system: System) -> str:
    """The version that a bundle of this name brings.

    Raises:
        ApplianceError: BRG420, it is not for this box, or not newer than what runs.
    """
    version = _told_version(Path(name), system.image)
    if not version:
        raise ApplianceError(
            "BRG420", f"{name} is no update for this box.", None, f"It is called {system.image}_VERSION{ENDING}."
        )
    if version == system.version:
        raise ApplianceError("BRG420", f"This box runs {version} already.", name, None)
    if order(version) <= order(system.version):
        raise ApplianceError(
            "BRG420",
            f"This box runs {system.version}, which is not older than {version}.",
            name,
            "To go back, hold the space bar while the box starts, and choose the version before.",
        )
    return version


def order(version: str) -> list[tuple[int, int, str]]:
    """What versions are sorted by: their numbers as numbers; ``~`` comes before the end, as systemd has it.

    >>> sorted(["0.10.0", "0.9.0", "0.9.0+1", "0.9.0~rc1"], key=order)
    ['0.9.0~rc1', '0.9.0', '0.9.0+1', '0.10.0']
    """
    parts = re.findall(r"\d+|[A-Za-z]+|~", version)
    return [(3, int(part), "") if part.isdigit() else (0 if part == "~" else 2, 0, part) for part in parts] + [
        (1, 0, "")
    ]


def _told_version(bundle: Path, image: str) -> str:
    found = re.fullmatch(rf"{re.escape(image)}_([A-Za-z0-9.+~-]+){re.escape(ENDING)}", bundle.name)
    return found[1] if found else ""


@contextmanager
def _unpacked(bundle: Path) -> Iterator[None]:
    """The bundle's files where the image's transfer definitions look; gone afterwards."""
    shutil.rmtree(UNPACKED, ignore_errors=True)
    try:
        UNPACKED.mkdir(parents=True, mode=0o700)
        _unpack(bundle)
        SOURCE.parent.mkdir(parents=True, exist_ok=True)
        SOURCE.unlink(missing_ok=True)
        SOURCE.symlink_to(UNPACKED)
        yield
    finally:
        SOURCE.unlink(missing_ok=True)
        shutil.rmtree(UNPACKED, ignore_errors=True)


def _clear_torn(image: str, version: str) -> None:
    """Remove a kernel of this version that a power cut left with its name but not whole: it counts as installed.

    Only where the bundle has the whole one, by the sums whose signature was checked: else nothing takes its place.
    """
    name = re.compile(rf"{re.escape(image)}_{re.escape(version)}(\+\d+(-\d+)?)?\.efi")
    whole = UNPACKED / f"{image}_{version}.efi"
    if not whole.exists() or not _is_summed(whole):
        return
    for kernel in [path for path in KERNELS.glob("*.efi") if name.fullmatch(path.name)]:
        if not filecmp.cmp(kernel, whole, shallow=False):
            kernel.unlink()


def _is_summed(file: Path) -> bool:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return f"{digest}  {file.name}" in (UNPACKED / SUMS).read_text(errors="replace").splitlines()


def _unpack(bundle: Path) -> None:
    """Only the files a bundle has: nothing in it chooses where it goes, and what it holds is checked afterwards."""
    left = LIMIT
    try:
        with tarfile.open(bundle, "r:") as archive:  # as it is made: what is compressed may have any size
            for member in archive:
                left -= member.size
                if not member.isreg() or member.issparse() or left < 0 or not _MEMBER.fullmatch(member.name):
                    raise ApplianceError("BRG420", f"{bundle.name} is no update.", f"member {member.name!r}", None)
                source = archive.extractfile(member)
                assert source is not None  # it is a regular file
                with (UNPACKED / member.name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
    except (OSError, tarfile.TarError) as error:
        raise ApplianceError(
            "BRG420", f"{bundle} cannot be read.", str(error), "Copy it anew, or make room on the data partition."
        ) from None


def _plain() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
