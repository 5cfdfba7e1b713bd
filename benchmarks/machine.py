"""The machine that numbers are from, and whether it had something else to do."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec

HIGH_LOAD = 0.5
"""Running processes per core from which numbers say more about the neighbours than about the box."""


class Machine(msgspec.Struct, frozen=True):
    """Cores this process may use, the load of the last minute, and what they are."""

    cpu: str
    cores: int
    load: float
    python: str

    @property
    def busy(self) -> bool:
        """Whether others are using the machine too."""
        return self.load / self.cores > HIGH_LOAD

    def text(self) -> str:
        """One or two lines."""
        told = f"{self.cpu}, {self.cores} cores, load {self.load:.2f}, Python {self.python}"
        return f"{told}\nThe load is high: these numbers are provisional." if self.busy else told


def look() -> Machine:
    """This machine, now."""
    return Machine(
        _cpu(Path("/proc/cpuinfo")), len(os.sched_getaffinity(0)), round(os.getloadavg()[0], 2),
        platform.python_version(),
    )  # fmt: skip


def _cpu(file: Path) -> str:
    names = [line.partition(":")[2].strip() for line in file.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
