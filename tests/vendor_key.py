"""Vendor keys of tests: made, used, and gone with the agent that gpg leaves behind for each."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from images import vendor


@contextlib.contextmanager
def made(place: Path) -> Iterator[Path]:
    """A vendor's key in that folder, for as long as it is needed."""
    assert len(vendor.make(place)) == 40
    try:
        yield place
    finally:
        subprocess.run(["gpgconf", "--homedir", str(place), "--kill", "all"], check=True)
