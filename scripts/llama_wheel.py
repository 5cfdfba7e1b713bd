"""The llama-cpp-python wheel: built once from its source, then kept for every checkout of this user.

There is no ready wheel that fits: one made for the newest processors stops on the older ones, and one made for
"this machine" stops where a virtual machine shows an instruction it does not carry out (docs/adr/0002). So the
wheel is built here, with the few instruction sets named in `OPTIONAL` and no others.

    python3 scripts/llama_wheel.py find  CACHE           # prints the wheel's path, or exits with 1
    python3 scripts/llama_wheel.py build CACHE PYTHON    # builds it with that Python's pip; shows how far it is

Needs nothing but the standard library: it also runs before the virtual environment exists.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TextIO

REQUIREMENTS: Final = Path(__file__).resolve().parent.parent / "requirements" / "llama.txt"

OPTIONAL: Final = {
    "GGML_SSE42": "sse4_2",
    "GGML_AVX": "avx",
    "GGML_AVX2": "avx2",
    "GGML_FMA": "fma",
    "GGML_F16C": "f16c",
    "GGML_BMI2": "bmi2",
}
"""CMake options of llama.cpp on x86_64, and the flag in /proc/cpuinfo that each one needs."""

_STEP: Final = re.compile(r"^\s*\[(\d+)/(\d+)\]\s")


def cpu_flags(cpuinfo: str) -> frozenset[str]:
    """The instruction sets in the text of /proc/cpuinfo that every processor of the machine has."""
    lines = [set(line.partition(":")[2].split()) for line in cpuinfo.splitlines() if line.startswith("flags")]
    return frozenset(set.intersection(*lines)) if lines else frozenset()


def cmake_options(machine: str, flags: Iterable[str]) -> list[str]:
    """The CMake options for this kind of machine; never more than the baseline of docs/adr/0002."""
    options = ["-DGGML_NATIVE=OFF", "-DLLAVA_BUILD=OFF"]
    if machine == "x86_64":
        has = set(flags)
        options += [f"-D{option}={'ON' if flag in has else 'OFF'}" for option, flag in OPTIONAL.items()]
    return options


def cache_key(requirement: str, machine: str, options: list[str], libc: str) -> str:
    """A folder name for one wheel: another source, machine, C library or option makes another name."""
    found = re.search(r"^llama-cpp-python==(\S+)", requirement, re.MULTILINE)
    version = found.group(1) if found else "unknown"
    digest = hashlib.sha256("\n".join([requirement, *options]).encode()).hexdigest()[:12]
    return f"llama-cpp-python-{version}-{machine}-{libc}-{digest}"


def this_machine() -> tuple[str, list[str]]:
    """The cache key and the CMake options of the machine this runs on."""
    machine = platform.machine()
    options = cmake_options(machine, cpu_flags(Path("/proc/cpuinfo").read_text(encoding="utf-8")))
    return cache_key(REQUIREMENTS.read_text(encoding="utf-8"), machine, options, "".join(platform.libc_ver())), options


def find(folder: Path) -> Path | None:
    """The wheel in a cache folder, or None when there is none or its content is not what was built."""
    for wheel in folder.glob("*.whl"):
        told = wheel.with_suffix(".sha256")
        if told.exists() and told.read_text(encoding="utf-8").strip() == _sha256(wheel):
            return wheel
    return None


def keep(wheel: Path, folder: Path) -> Path:
    """Puts a wheel and its checksum into a cache folder, whole or not at all; gives the kept path."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".keeping-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        copy = made / wheel.name
        shutil.copy2(wheel, copy)
        copy.with_suffix(".sha256").write_text(_sha256(copy) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return folder / wheel.name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Progress:
    """Shows how far a build is: one line that moves on a terminal, else a line about every tenth.

    Args:
        out: where to write.
        every: percent between two lines where `out` is no terminal.
    """

    def __init__(self, out: TextIO, every: int = 10) -> None:
        self._out = out
        self._every = every
        self._terminal = out.isatty()
        self._started = time.monotonic()
        self._told = -every
        self._step, self._steps = 0, 0

    def read(self, line: str) -> None:
        """Takes a line of the build's output; ninja's begin with ``[step/steps]``."""
        if found := _STEP.match(line):
            self._step, self._steps = int(found.group(1)), int(found.group(2))

    def show(self) -> None:
        """Writes how far it is, when there is something new to say."""
        percent = 100 * self._step // self._steps if self._steps else 0
        line = f"  {'llama-cpp-python':24} building {percent:3d} %, {self._elapsed()}"
        if self._terminal:
            self._out.write(f"\r{line} ")
        elif percent >= self._told + self._every:
            self._told = percent - percent % self._every
            self._out.write(f"{line}\n")
        self._out.flush()

    def end(self, word: str) -> None:
        """Writes the last line."""
        line = f"  {'llama-cpp-python':24} {word} ({self._elapsed()})"
        self._out.write(f"\r{line:60}\n" if self._terminal else f"{line}\n")
        self._out.flush()

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes} min {seconds:2d} s" if minutes else f"{seconds} s"


def build(folder: Path, python: Path, options: list[str], log: Path) -> Path | None:
    """Builds the wheel into a cache folder; gives its path, or None when the build failed (the log tells why)."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
        made = _pip_wheel(Path(scratch), python, options, log)
        return keep(made, folder) if made else None


def _pip_wheel(scratch: Path, python: Path, options: list[str], log: Path) -> Path | None:
    environment = os.environ | {
        "CMAKE_ARGS": " ".join(options),
        "PATH": f"{python.absolute().parent}:{os.environ['PATH']}",
        "TMPDIR": str(scratch),
    }
    # Without pip's cache: it may hold a wheel of this very source that was built with other options.
    command = [str(python), "-m", "pip", "wheel", "-v", "--no-cache-dir", "--no-deps", "--no-build-isolation"]
    command += ["--no-binary", "llama-cpp-python", "--require-hashes", "-r", str(REQUIREMENTS), "-w", str(scratch)]
    progress = Progress(sys.stdout)
    # In a session of its own, so that whatever it started can be stopped with it.
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        _follow(process, log, progress)
    wheel = next(scratch.glob("*.whl"), None) if process.returncode == 0 else None
    progress.end("built" if wheel else "failed")
    return wheel


def _follow(process: subprocess.Popen[str], log: Path, progress: Progress) -> None:
    """Copies a build's output into the log until it ends, and keeps the progress line moving meanwhile."""
    lines = process.stdout
    assert lines is not None

    def copy() -> None:
        with log.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(line)
                file.flush()
                progress.read(line)

    reader = threading.Thread(target=copy, daemon=True)
    reader.start()
    try:
        while reader.is_alive():
            progress.show()
            reader.join(0.5)
    except KeyboardInterrupt:
        # ninja's jobs are in process groups of their own; it passes the signal on to them and ends after them.
        os.killpg(process.pid, signal.SIGTERM)
        reader.join(10)
        raise


def main(arguments: list[str]) -> int:
    """``find CACHE`` or ``build CACHE PYTHON``; gives the exit code."""
    action, cache = arguments[0], Path(arguments[1])
    key, options = this_machine()
    folder = cache / "wheels" / key
    if action == "build":
        log = cache / "logs" / "llama-cpp-python-build.log"
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if build(folder, Path(arguments[2]), options, log) is None:
            print("".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-30:]), file=sys.stderr)
            print(f"The llama-cpp-python wheel could not be built. The whole log: {log}", file=sys.stderr)
            return 1
        return 0
    wheel = find(folder)
    if wheel:
        print(wheel)
    return 0 if wheel else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
