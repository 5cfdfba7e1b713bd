"""A round of tests: what fails once more fails, and what the machine did is named."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

SCRIPT: Final = Path(__file__).resolve().parents[3] / "scripts" / "tests.sh"
LATE: Final = """
from pathlib import Path

def test_late():
    seen = Path(__file__).with_name("seen")
    once = seen.exists()
    seen.touch()
    assert once

def test_sound():
    Path(__file__).with_name("sound").open("a").write("run\\n")
"""


def round_of(tests: str, folder: Path, workers: int = 0) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_it.py").write_text(tests, encoding="utf-8")
    words = [str(SCRIPT), folder.name, "-c", str(folder / "pytest.ini"), f"-n{workers}", str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


def test_what_passes_by_itself_passes_and_is_named(tmp_path: Path) -> None:
    done = round_of(LATE, tmp_path, workers=1)
    assert done.returncode == 0, done.stdout
    assert "passed by themselves:\ntest_it.py::test_late" in done.stdout
    assert (tmp_path / "sound").read_text() == "run\n", "what passed is not run again"


@pytest.mark.parametrize(
    "tests",
    [
        pytest.param("def test_wrong():\n    assert False\n", id="fails twice"),
        pytest.param("import nothing_of_this_name\n", id="cannot be read"),
        pytest.param("", id="has no test"),
        pytest.param(
            LATE.replace("def test_late()", "import pytest\n@pytest.mark.parametrize('n', range(13))\ndef test_late(n)")
            .replace('"seen"', 'f"seen{n}"'),
            id="much fails once",
        ),
    ],
)  # fmt: skip
def test_what_fails_fails(tests: str, tmp_path: Path) -> None:
    done = round_of(tests, tmp_path)
    assert done.returncode != 0, done.stdout
    assert "passed by themselves" not in done.stdout


def test_a_round_that_passes_is_run_once(tmp_path: Path) -> None:
    done = round_of("def test_right():\n    pass\n", tmp_path)
    assert done.returncode == 0
    assert "Once more" not in done.stdout
