"""Debian 13 as an archive of files, made from the mirror this machine is configured with, and kept for the day."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SUITE: Final = "trixie"
PACKAGES: Final = ("systemd", "systemd-sysv", "dbus", "python3", "python3-apt", "ca-certificates", "iproute2")


def base() -> Path:
    """The archive; made when today's is not there yet."""
    assert os.geteuid() == 0, "only root can make a root file system"
    assert shutil.which("mmdebstrap"), "mmdebstrap is missing: apt-get install mmdebstrap"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dreamstack-appliance" / "debian"
    made = cache / f"{SUITE}-{date.today():%Y%m%d}.tar"
    if not made.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{SUITE}-*.tar"):
            old.unlink()
        draft = made.with_suffix(".new.tar")
        mirror = subprocess.run([ROOT / "scripts" / "mirror.sh", SUITE], capture_output=True, text=True, check=False)
        assert mirror.returncode == 0, mirror.stderr
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(draft), "-"]
        done = subprocess.run(command, input=mirror.stdout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        draft.rename(made)
    return made
