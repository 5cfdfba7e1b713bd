"""The command: what it takes, what it writes, and that one benchmark that cannot run leaves the others theirs."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.report import Result


def test_every_benchmark_is_a_file() -> None:
    folder = Path(str(sys.modules["benchmarks.__main__"].__file__)).parent
    assert all((folder / f"{name}.py").exists() for name in BENCHMARKS)


def test_only_the_named_one_runs_and_its_numbers_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "numbers.json"
    assert main(["--only", "frames", "--count", "2", "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    assert [each["name"] for each in told["benchmarks"]] == ["frames"]
    assert told["machine"]["cores"] >= 1
    assert told["benchmarks"][0]["measures"][0]["n"] == 2
    assert "ratio" in capsys.readouterr().out


def test_one_that_cannot_run_leaves_the_others_their_numbers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(_: int) -> Result:
        raise RuntimeError("there is no browser here")

    broken = ModuleType("benchmarks.page")
    broken.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "benchmarks.page", broken)
    assert main(["--only", "page", "--only", "frames", "--count", "1"]) == 1
    out, problems = capsys.readouterr()
    assert "frames and fan-out" in out
    assert problems == "page: not measured: there is no browser here\n\n"


@pytest.mark.parametrize("words", [["--only", "nothing"], ["--count", "0"], ["--count", "many"]])
def test_words_it_does_not_know_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err
