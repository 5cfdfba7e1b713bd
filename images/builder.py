"""The builder: a Debian 13 container with mkosi, ansible and tools for disks, made without a registry."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from images.mirror import RELEASE, Mirror, Refused

ROOT: Final = Path(__file__).resolve().parent.parent
WORK: Final = ROOT / "build" / "image"
PACKAGES: Final = (
    "ansible-core",
    "ca-certificates",
    "cpio",
    "cryptsetup-bin",
    "debian-archive-keyring",
    "dosfstools",
    "e2fsprogs",
    "erofs-utils",
    "gnupg",
    "kmod",
    "mkosi",
    "mtools",
    "openssl",
    "python3-debian",
    "python3-pefile",
    "python3-yaml",
    "qemu-user-static",
    "sbsigntool",
    "systemd-boot",
    "systemd-boot-efi",
    "systemd-container",
    "systemd-repart",
    "systemd-ukify",
    "xz-utils",
    "zstd",
)
CAPABILITIES: Final = ("SYS_ADMIN", "MKNOD", "SYS_CHROOT", "NET_ADMIN")
"""Whole privileges are not needed, and not to be had everywhere."""


def ensure(mirror: Mirror) -> str:
    """The builder's image, made if it is not there yet.

    Raises:
        Refused: Docker or mmdebstrap is missing, or the mirror does not serve it.
    """
    for program, package in (("docker", "docker.io"), ("mmdebstrap", "mmdebstrap")):
        if shutil.which(program) is None:
            raise Refused(f"{program} is missing: apt-get install {package}")
    tag = f"dreamstack-image-builder:{hashlib.sha256(repr(PACKAGES).encode()).hexdigest()[:12]}"
    if subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode == 0:
        return tag
    print("  builder: a Debian 13 with mkosi is made, once", flush=True)
    WORK.mkdir(parents=True, exist_ok=True)
    sources = WORK / "builder.sources"
    sources.write_text(mirror.sources("main"), encoding="utf-8")
    archive = WORK / "builder.tar"
    words = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE]
    _checked([*words, str(archive), str(sources)], "mmdebstrap could not make the builder")
    _checked(["docker", "import", str(archive), tag], "Docker could not take the builder")
    archive.unlink()
    return tag


def run(tag: str, words: Sequence[str], log: Path, environ: Mapping[str, str], mounts: Sequence[Path] = ()) -> None:
    """Run a program in the builder, in the checkout's own folder; what it says goes to `log`.

    ``BUILDER_OPTIONS`` may have further words for ``docker run``, such as limits.

    Raises:
        Refused: it failed; the end of what it said is in the sentence.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["docker", "run", "--rm", "--init", *(f"--cap-add={name}" for name in CAPABILITIES)]
    command += ["--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"]
    command += os.environ.get("BUILDER_OPTIONS", "").split()
    for path in (ROOT, *mounts):
        command += ["--volume", f"{path}:{path}"]
    for name, value in environ.items():
        command += ["--env", f"{name}={value}"]
    with log.open("wb") as out:
        done = subprocess.run(
            [*command, f"--workdir={ROOT}", tag, *words], stdout=out, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise Refused(f"{words[0]} failed; the whole log: {log}\n{_end_of(log)}")


def _end_of(log: Path, lines: int = 30) -> str:
    told = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    return "\n".join([line[:300] for line in told if line.strip() and "on block level" not in line][-lines:])


def _checked(command: Sequence[str], problem: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise Refused(f"{problem}:\n{done.stderr[-3000:]}")
