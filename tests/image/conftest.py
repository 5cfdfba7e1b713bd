"""The images under test, and one machine that all tests of this folder use in their order.

``make test-image`` builds them first (see `built`); the tests are about one box's life and so build upon each other.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import ROOT
from tests.image.machine import Machine, stick

RESULTS = ROOT / "test-results" / "image"
SPOILT = {
    "usr/lib/systemd/system/dreamstack-bridge.service.d/spoilt.conf": "[Service]\nExecStart=\nExecStart=/bin/false\n",
}
"""What is wrong with the update that must not stay: the bridge does not start."""


def built(version: str, *more: str) -> None:
    """Build that version into dist/; what is there already is kept."""
    command = [sys.executable, "-m", "images", "build", "nuc", "--version", version, *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="session")
def first() -> Path:
    """The disk of the version that is installed in the factory."""
    built("0.1.0", "--update-only")
    return ROOT / "build" / "image" / "nuc" / "disks" / "0.1.0" / "dreamstack-nuc_0.1.0.raw"


@pytest.fixture(scope="session")
def good() -> Path:
    """An update that is well."""
    built("0.1.1", "--update-only")
    return ROOT / "dist" / "dreamstack-nuc_0.1.1.update"


@pytest.fixture(scope="session")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An update that starts, and whose bridge does not."""
    tree = ROOT / "build" / "image" / "nuc" / "spoilt"
    for name, content in SPOILT.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)
    built("0.1.2", "--update-only", "--extra", str(tree))
    return ROOT / "dist" / "dreamstack-nuc_0.1.2.update"


@pytest.fixture(scope="session")
def machine(first: Path, good: Path, spoilt: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with a new disk, and two more disks that each hold an update; it is off."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    machine = Machine(tmp_path_factory.mktemp("machine"), first, RESULTS / "serial.log")
    machine.sticks = [stick(machine.folder, good), stick(machine.folder, spoilt)]
    try:
        yield machine
    finally:
        machine.cut()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured on the way."""
    measured = RESULTS / "measured.json"
    if measured.exists():
        terminalreporter.write_line(f"measured: {measured.read_text(encoding='utf-8')}")
