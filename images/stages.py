"""The stages from Debian packages to a disk; each is kept, and made again only when what it is made of has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from images import builder
from images.builder import ROOT, WORK
from images.mirror import Mirror
from images.target import Target

MKOSI: Final = ROOT / "images" / "mkosi"
EPOCH: Final = 1767225600
"""The time of every file of an image, unless ``SOURCE_DATE_EPOCH`` names another: 2026-01-01."""

COMPILER: Final = (
    "/usr/lib/*/libLLVM*",
    "/usr/lib/*/libz3.so*",
    "/usr/lib/postgresql/*/lib/bitcode",
    "/usr/lib/postgresql/*/lib/llvmjit*",
)
"""PostgreSQL's: it is off (jit), and a third of a box's root. What draws on a screen (Mesa) cannot do without it."""


class Build(NamedTuple):
    """What all stages need to know."""

    target: Target
    version: str
    image_id: str
    mirror: Mirror
    tag: str
    epoch: int

    @property
    def folder(self) -> Path:
        """Where this target's stages are kept."""
        return WORK / self.target.name

    @property
    def name(self) -> str:
        """What the files of this image are called, without their endings."""
        return f"{self.image_id}_{self.version}"


def packages(build: Build) -> Path:
    """The tree of Debian packages, before Ansible."""
    made = build.folder / "packages"
    kernel = [f"--package={name}" for name in (build.target.kernel, *build.target.packages)]
    inputs = _fingerprint([MKOSI / "base"], repr((build.target, build.epoch, build.tag)))
    return _kept("packages", made, inputs, lambda: _mkosi(build, "base", "packages", kernel))


def base(build: Build, tree: Path, wheels: Path, variables: Iterable[str] = (), roles: Path | None = None) -> Path:
    """The tree of a box or a screen: packages, provisioned by Ansible.

    Args:
        build: what is built.
        tree: of the stage before.
        wheels: the folder with all Python parts.
        variables: Ansible's, each as ``--extra-vars`` takes it.
        roles: a folder with roles that run last, in the order of their names.
    """
    made = build.folder / "base"
    words = [f"dreamstack_kind={build.target.kind}", f"dreamstack_wheelhouse={wheels}"]
    words += [*build.target.variables, *variables]
    sources = [ROOT / "ansible", ROOT / "images" / "provision", wheels / "SHA256SUMS", *([roles] if roles else [])]
    inputs = _fingerprint(sources, repr(words) + _told(tree))
    apt = build.folder / "build.sources"

    def make() -> None:
        apt.write_text(build.mirror.sources(), encoding="utf-8")
        command = ["images/provision", str(tree), str(made), str(apt), str(roles or "")]
        for word in words:
            command += ["--extra-vars", word]
        environ = {"SOURCE_DATE_EPOCH": str(build.epoch), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
        builder.run(build.tag, command, build.folder / "logs" / "base.log", environ, [roles] if roles else ())

    return _kept("base", made, inputs, make)


def initrd(build: Build) -> Path:
    """What starts before the root is there."""
    made = build.folder / "initrd.cpio.zst"
    inputs = _fingerprint([MKOSI / "initrd"], repr((build.epoch, build.tag, build.target.mkosi)))
    return _kept("initrd", made, inputs, lambda: _mkosi(build, "initrd", "initrd", ["--incremental=yes"]))


def disk(build: Build, tree: Path, start: Path, extra: Iterable[Path] = (), command_line: str = "") -> Path:
    """The disk, and the parts of it that an update consists of, in one folder.

    Args:
        build: what is built.
        tree: of the stage before.
        start: the initrd.
        extra: trees laid over it.
        command_line: further words for the kernel.
    """
    out = build.folder / "disks" / build.version
    layers = list(extra)
    inputs = _fingerprint([MKOSI / "disk", *layers], repr(build[:3]) + _told(tree) + _told(start) + command_line)
    words = [f"--image-id={build.image_id}", f"--image-version={build.version}", f"--base-tree={tree}"]
    words += [f"--initrd={start}", f"--seed={_seed(build)}", *(f"--extra-tree={layer}" for layer in layers)]
    words += [f"--kernel-command-line={command_line}"] if command_line else []
    words += [f"--remove-files={path}" for path in (COMPILER if build.target.kind == "box" else ())]
    return _kept(f"disk {build.version}", out, inputs, lambda: _mkosi(build, "disk", build.name, words, out))


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _mkosi(build: Build, stage: str, output: str, words: list[str], folder: Path | None = None) -> None:
    """Run mkosi on one of the configurations; the output appears whole, or not at all."""
    sandbox, scratch = build.folder / "sandbox", build.folder / "scratch"
    out = scratch / "out"
    shutil.rmtree(out, ignore_errors=True)
    for path in (sandbox / "etc/apt/sources.list.d", scratch / "work", out, WORK / "packages", WORK / "kept"):
        path.mkdir(parents=True, exist_ok=True)
    (sandbox / "etc/apt/sources.list.d/mkosi.sources").write_text(build.mirror.sources(), encoding="utf-8")
    command = ["mkosi", f"--directory={MKOSI / stage}", f"--output={output}", f"--output-directory={out}"]
    command += [f"--architecture={build.target.mkosi}", f"--workspace-directory={scratch / 'work'}", "--force"]
    command += [f"--package-cache-dir={WORK / 'packages'}", f"--cache-directory={WORK / 'kept'}"]
    command += [f"--sandbox-tree={sandbox}", f"--source-date-epoch={build.epoch}", *words, "build"]
    environ = {"SOURCE_DATE_EPOCH": str(build.epoch), "TMPDIR": str(scratch / "work")}
    builder.run(build.tag, command, build.folder / "logs" / f"mkosi-{stage}.log", environ)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        out.rename(folder)
    else:
        _keep(out, build.folder)


def _keep(out: Path, folder: Path) -> None:
    for made in out.iterdir():
        old = folder / made.name
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        made.replace(old)


def _kept(what: str, made: Path, inputs: str, make: Callable[[], object]) -> Path:
    """Make `made` unless it was made of the same inputs."""
    told = made.with_name(f"{made.name}.inputs")
    if made.exists() and told.exists() and told.read_text(encoding="utf-8") == inputs:
        return made
    began = time.monotonic()
    print(f"  {what:<14}", end=" ", flush=True)
    told.unlink(missing_ok=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    make()
    told.write_text(inputs, encoding="utf-8")
    print(f"ready ({time.monotonic() - began:.0f} s)", flush=True)
    return made


def _told(made: Path) -> str:
    return made.with_name(f"{made.name}.inputs").read_text(encoding="utf-8")


def _seed(build: Build) -> str:
    """Identifiers of partitions come from what is built, not from chance."""
    raw = hashlib.sha256(f"{build.name} {build.target.architecture}".encode()).hexdigest()
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-8{raw[17:20]}-{raw[20:32]}"


def _fingerprint(paths: Iterable[Path], words: str) -> str:
    """What files hold, how they may be used, and `words`."""
    digest = hashlib.sha256(words.encode())
    for path in paths:
        for file in sorted([path, *path.rglob("*")] if path.is_dir() else [path]):
            if "__pycache__" in file.parts:
                continue
            digest.update(f"{file} {file.lstat().st_mode}".encode())
            if file.is_symlink():
                digest.update(os.readlink(file).encode())
            elif file.is_file():
                digest.update(file.read_bytes())
    return digest.hexdigest()
