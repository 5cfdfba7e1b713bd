"""Programs that run for a job end with it, and so does what they started."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from appliance.services.admin.programs import run_module

PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen(["sleep", "300"])
pathlib.Path({told!r}).write_text(str(child.pid))
time.sleep(300)
"""


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_what_a_cancelled_program_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "pid"
    (tmp_path / "long_work.py").write_text(PARENT.format(told=str(told)))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    work = asyncio.create_task(run_module("long_work", {}))
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(lambda: told.exists() and told.read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        child = int(await asyncio.to_thread(told.read_text))
        assert await asyncio.to_thread(runs, child)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        while await asyncio.to_thread(runs, child):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
