"""``appliance archive``: one process serves a folder, others list and fetch over Iroh."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.bridge.archive import Archive
from tests.unit.bridge.past import counted

ROOT = Path(__file__).resolve().parents[3]


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "appliance", "archive", *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environ)


@contextmanager
def serving(tmp_path: Path, folder: Path) -> Iterator[list[str]]:
    """A peer that serves a folder; gives the words that lead to it."""
    command = [sys.executable, "-m", "appliance", "archive", "serve", str(folder)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        text = process.stdout.readline() + process.stdout.readline()
        found = re.search(r"--from (\S+) --key (\S+)", text)
        assert found, text
        try:
            yield ["--from", found[1], "--key", found[2]]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0


def test_any_peer_that_has_it_serves_it_on(tmp_path: Path) -> None:
    path = counted(tmp_path / "first" / "main" / "staff", 200)
    [item] = Archive([tmp_path / "first"]).items("admin")
    with serving(tmp_path, tmp_path / "first") as first:
        listed = run(tmp_path, "list", *first)
        assert item.hash in listed.stdout, listed.stderr
        got = run(tmp_path, "get", item.hash, "--out", "second", *first)
        assert got.returncode == 0, got.stderr
    with serving(tmp_path, tmp_path / "second") as second:
        got = run(tmp_path, "get", item.hash.upper(), "--out", "third", *second)
        assert got.returncode == 0, got.stderr
        assert (tmp_path / "third" / f"{item.hash}.seg").read_bytes() == path.read_bytes()
        missing = run(tmp_path, "get", "0" * 64, *second)
        assert (missing.returncode, "BRG463" in missing.stderr) == (1, True)
        wrong = run(tmp_path, "list", *second[:3], "not the key")
        assert (wrong.returncode, "BRG401" in wrong.stderr) == (1, True)


@pytest.mark.parametrize(("words", "code"), [(["get", "nonsense"], "BRG410"), (["list", "--from", "x"], "SCR504")])
def test_faults(tmp_path: Path, words: list[str], code: str) -> None:
    told = run(tmp_path, *words)
    assert (told.returncode, code in told.stderr) == (1, True)
