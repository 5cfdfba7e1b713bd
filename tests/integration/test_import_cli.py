"""`appliance import` against a running box, as a person uses it: through the door, with a real file."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.box import ROOT, Box, appliance, command, environment, running_box

STOCK = "Item No,units,price,since,expired\nG-01,500,1.50,2026-01-02,no\nG-02,0,2.25,2026-01-03,yes\n"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box("--demo", "none") as box:
        yield box


def rows(box: Box, path: str) -> list[dict[str, object]]:
    """Rows through PostgREST, which hears of a new collection a moment later."""
    until = time.monotonic() + 5
    while (answer := httpx.get(f"{box.url}/rest/{path}")).status_code == 404 and time.monotonic() < until:
        time.sleep(0.05)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()
    return found


def absent(box: Box, collection: str) -> bool:
    catalog = httpx.get(f"{box.url}/api/catalog").json()
    return collection not in [item["name"] for item in catalog["collections"]]


def large(folder: Path, rows: int = 400_000) -> Path:
    file = folder / "large.csv"
    with file.open("w") as out:
        out.write("n,text\n")
        out.writelines(f"{n},{'x' * 100}\n" for n in range(rows))
    return file


def test_a_dry_run_and_then_the_import(box: Box, tmp_path: Path) -> None:
    (file := tmp_path / "Stock list.csv").write_text(STOCK)
    dry = appliance("import", "--url", box.url, "--dry-run", str(file))
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.startswith("2 rows would be stored in stock_list (new).\n")
    assert dry.stdout.endswith("Nothing was written: this was a dry run.\n")
    assert absent(box, "stock_list")
    done = appliance("import", "--url", box.url, str(file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "2 rows stored in stock_list (new)."
    assert done.stdout.splitlines()[3].split() == ["Item", "No", "item_no", "text", "(new)", "2", "G-01,", "G-02"]
    assert rows(box, "stock_list?order=id") == [
        {"id": 1, "item_no": "G-01", "units": 500, "price": 1.5, "since": "2026-01-02", "expired": False},
        {"id": 2, "item_no": "G-02", "units": 0, "price": 2.25, "since": "2026-01-03", "expired": True},
    ]


def test_documents_into_a_named_collection(box: Box, tmp_path: Path) -> None:
    (file := tmp_path / "export.jsonl").write_text('{"a": 1}\n{"a": 2, "b": {"c": 3}}\n')
    done = appliance("import", str(file), "--collection", "visits", DREAMSTACK_URL=box.url)
    assert done.returncode == 0, done.stderr
    assert rows(box, "visits?order=id") == [{"id": 1, "a": 1, "b": None}, {"id": 2, "a": 2, "b": {"c": 3}}]


def test_a_bad_line_is_named_and_may_be_left_out(box: Box, tmp_path: Path) -> None:
    (file := tmp_path / "bad.csv").write_text("a,b\n1,2\n3\n")
    done = appliance("import", "--url", box.url, str(file))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "PGF140: Line 3 cannot be read; nothing was stored. (It has 1 cell; the first line has 2.)",
        "  fix: Correct the file, or leave such lines out: --skip-bad (over HTTP skip_bad=true)",
    ]
    assert absent(box, "bad")
    done = appliance("import", "--url", box.url, "--skip-bad", str(file))
    assert done.returncode == 0
    assert done.stdout.endswith("\n1 line left out:\n  line 3: It has 1 cell; the first line has 2.\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere.csv"], "PGF140"),
        (["README.md"], "PGF140"),
        (["README.md", "--format", "csv", "--encoding", "klingon"], "BRG410"),
        (["README.md", "--format", "csv", "--role", "wall"], "PGF106"),
        (["README.md", "--format", "csv", "--role", "admin"], "BRG402"),
        (["README.md", "--format", "csv", "--collection", "No name"], "PGF105"),
        (["README.md", "--format", "csv", "--url", "http://127.0.0.1:9"], "SCR501"),
    ],
)
def test_what_is_refused_is_told_in_two_lines(box: Box, words: list[str], code: str) -> None:
    done = appliance("import", "--url", box.url, *words)
    assert done.returncode == 1
    first, second = done.stderr.strip().splitlines()
    assert first.startswith(f"{code}: ")
    assert second.startswith("  fix: ")


def test_cancelled_with_ctrl_c_leaves_nothing(box: Box, tmp_path: Path) -> None:
    # Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
    heard = ["env", "--default-signal=INT"]
    words = heard + command("import", "--url", box.url, "--collection", "cut", str(large(tmp_path, 1_500_000)))
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Sending ")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().endswith("Cancelled; nothing of the file is kept.\n")
        assert process.wait(10) == 130
    assert absent(box, "cut")
    assert list((box.data / "import").iterdir()) == []
    assert box.health()[0] == 200


def test_a_terminal_sees_a_bar(box: Box, tmp_path: Path) -> None:
    ours, its = pty.openpty()
    words = command("import", "--url", box.url, "--collection", "shown", str(large(tmp_path)))
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stderr=its, stdout=subprocess.DEVNULL) as process:
        os.close(its)
        seen = b""
        with suppress(OSError):  # the terminal's other end is closed
            while piece := os.read(ours, 4096):
                seen += piece
        assert process.wait(60) == 0
    os.close(ours)
    drawn = seen.decode().replace("\x1b[K", "").split("\r")
    assert any(line.startswith("Sending [█") and " MB of 43 MB" in line for line in drawn)
    assert any(line.startswith("Storing [█") and "of 400,000 rows" in line for line in drawn)
    assert any(line.startswith("Finishing 400,000 rows") for line in drawn)
    assert rows(box, "shown?select=id.count()") == [{"count": 400_000}]


def test_by_upload_through_the_door(box: Box) -> None:
    answer = httpx.post(f"{box.url}/flex/uploaded/import", content=STOCK, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert (told[-1]["event"], told[-1]["report"]["rows"]) == ("done", 2)
