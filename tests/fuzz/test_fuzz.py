"""What reads bytes from others, fuzzed for a short while; ``make fuzz`` goes on for a million inputs."""

from __future__ import annotations

import importlib.util
import platform
import re
import subprocess
import sys
import trace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from tests.fuzz import targets
from tests.fuzz.targets import one_input, seeds

SECONDS = 20


# The engine's package is for x86_64 alone. Elsewhere the tests below it still feed the targets.
if importlib.util.find_spec("atheris") or platform.machine() == "x86_64":

    def test_no_input_breaks_what_reads_it(tmp_path: Path) -> None:
        options = [f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/"]
        ran = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", *options], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        told = {name: int(number) for name, number in re.findall(r"stat::(\w+): +(\d+)", ran.stderr)}
        print(f"\n{told['number_of_executed_units']} inputs, {told['peak_rss_mb']} MB at most")
        assert told["number_of_executed_units"] > 2_000
        assert told["new_units_added"] > 5, "it is led by coverage"
        assert told["peak_rss_mb"] < 500
        assert list(tmp_path.iterdir()) == []

    def test_a_fault_ends_the_fuzzing_with_the_input_that_shows_it(tmp_path: Path) -> None:
        program = (
            "from appliance.bridge import sound\n"
            "def broken(frame):\n    raise IndexError('planted')\n"
            "from tests.fuzz import targets\n"
            "targets.read_sound = broken\n"
            "import runpy, sys\n"
            f"sys.argv = ['engine', '-runs=100000', '-seed=1', '-artifact_prefix={tmp_path}/', '{tmp_path}/corpus']\n"
            "runpy.run_module('tests.fuzz.engine', run_name='__main__')\n"
        )
        (corpus := tmp_path / "corpus").mkdir()
        for n, seed in enumerate(seeds()):
            (corpus / str(n)).write_bytes(seed)
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert ran.returncode != 0
        assert "IndexError: planted" in ran.stderr + ran.stdout
        assert [path for path in tmp_path.iterdir() if path.name.startswith("crash-")] != []


@given(st.binary(max_size=400))
def test_any_input_is_taken_or_refused(data: bytes) -> None:
    one_input(data)


def test_the_seeds_reach_all_that_is_fuzzed() -> None:
    tracer = trace.Trace(count=0, trace=0, countfuncs=1)
    for seed in seeds():
        tracer.runfunc(one_input, seed)
    called = {name.rpartition(".")[2] for file, _, name in tracer.results().calledfuncs if "appliance" in file}
    wanted = {"feed", "decode", "payload_length", "_inflate", "json", "take", "apply_delta", "_token", "read_sound"}
    assert wanted | {"sync", "diff"} <= called


def test_only_the_box_s_own_error_is_allowed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(data: bytes) -> None:
        raise ApplianceError("SIG300", "No.")

    def broken(data: bytes) -> None:
        raise IndexError("planted")

    monkeypatch.setattr(targets, "TARGETS", (refused, broken))
    one_input(b"\0\0")
    with pytest.raises(IndexError):
        one_input(b"\1\0")
