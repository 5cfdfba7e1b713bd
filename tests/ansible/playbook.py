"""Running the playbook, and what it says it did."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = ROOT / "ansible"
PROGRAM = ROOT / "build" / "ansible" / "bin" / "ansible-playbook"
RUN_S = 1500


class Told(NamedTuple):
    """Its last lines: how many tasks changed something, and all it wrote."""

    changed: int
    output: str


def run(command: list[str | Path], **more: str) -> Told:
    """Run it to its end; it has to succeed."""
    told = {"ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "ANSIBLE_PLAYBOOK": str(PROGRAM), "ANSIBLE_NOCOLOR": "1"}
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=ANSIBLE,
        env=os.environ | told | {"PATH": path} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    recap = re.findall(r"changed=(\d+)\s+unreachable=0\s+failed=0", done.stdout)
    assert len(recap) == 1, done.stdout[-3000:]
    return Told(int(recap[0]), done.stdout)


def what_changed(told: Told) -> list[str]:
    """The tasks that changed something, by name."""
    tasks = re.split(r"^(?:TASK|RUNNING HANDLER) ", told.output, flags=re.MULTILINE)
    return [task.partition("]")[0].lstrip("[") for task in tasks if re.search(r"^changed:", task, re.MULTILINE)]
