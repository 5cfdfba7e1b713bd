"""``appliance update``: a signed bundle becomes the other system slot of a box that was installed from an image.

A bundle is a tar file that a vendor made with ``make image``: the root, its hashes, the unified kernel image,
SHA256SUMS and its signature. systemd-sysupdate checks the signature against the vendor's key in this image, writes the
slot that is not running, and names the new kernel last: until then the box starts as before, whatever happens. The new
system has three tries to be well; then the box starts the old one again. Nothing is ever fetched: a file is named, or a
stick is.
"""

from __future__ import annotations

import filecmp
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
    """The bundle for this image in a folder, such as a stick's; of several, the last by name.

    Raises:
        ApplianceError: BRG420, there is none.
    """
    found = sorted(folder.glob(f"{image}_*{ENDING}"))
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
    version = _version(bundle, system)
    with _unpacked(bundle):
        _clear_torn(system.image, version)
        done = subprocess.run(
            [SYSUPDATE, "--verify=yes", "update", version], capture_output=True, text=True, check=False, env=_plain()
        )
    if done.returncode:
        raise ApplianceError(
            "BRG421",
            f"The update to {version} was not installed; the box runs on as before.",
            done.stderr.strip()[-_TOLD_CHARACTERS:],
            "Take the file from the vendor again, or make room on the data partition.",
        )
    os.sync()  # FAT keeps no journal: a cut right after this must find the kernel whole
    return version


def restart() -> int:
    """Restart the machine."""
    return subprocess.run(["/usr/bin/systemctl", "reboot"], check=False).returncode


def _version(bundle: Path, system: System) -> str:
    found = re.fullmatch(rf"{re.escape(system.image)}_([A-Za-z0-9.+~-]+){re.escape(ENDING)}", bundle.name)
    if not found:
        raise ApplianceError(
            "BRG420", f"{bundle.name} is no update for this box.", None, f"It is called {system.image}_VERSION{ENDING}."
        )
    if found[1] == system.version:
        raise ApplianceError("BRG420", f"This box runs {system.version} already.", str(bundle), None)
    return found[1]


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
    """Remove a kernel of this version that a power cut left with its name but not whole: it counts as installed."""
    name = re.compile(rf"{re.escape(image)}_{re.escape(version)}(\+\d+(-\d+)?)?\.efi")
    whole = UNPACKED / f"{image}_{version}.efi"
    for kernel in [path for path in KERNELS.glob("*.efi") if name.fullmatch(path.name)]:
        if not whole.exists() or not filecmp.cmp(kernel, whole, shallow=False):
            kernel.unlink()


def _unpack(bundle: Path) -> None:
    """Only the files a bundle has: nothing in it chooses where it goes, and what it holds is checked afterwards."""
    try:
        with tarfile.open(bundle) as archive:
            for member in archive:
                if not member.isreg() or not _MEMBER.fullmatch(member.name):
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
