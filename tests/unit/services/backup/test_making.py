"""A backup that is ended halfway leaves nothing in the open, nor does one that a power cut ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from appliance.services.backup.making import in_use, sweep
from appliance.services.gateway import Gateway
from tests.unit.services.runtimes import runtime

ROOT = Path(__file__).resolve().parents[4]
LONG = """
import sys, time
from appliance import cli
from appliance.services.backup import command, making

def dump(server, programs, file):
    file.write_bytes(b"every row")
    print("dumping", flush=True)
    time.sleep(300)

class Box:
    from contextlib import contextmanager
    from appliance.config import load
    settings = load({"data": "/nowhere"}, environ={})

    @contextmanager
    def source(self):
        yield None

making.dump, making.client_programs = dump, lambda settings: None
command._box = lambda options: Box()
sys.exit(cli.main(["backup", sys.argv[1]]))
"""


def test_a_backup_that_is_told_to_end_takes_the_dump_away(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LONG, str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "dumping\n"
        assert [path.name for path in tmp_path.glob(".backup-*/*")] == ["database.dump"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_is_swept_away_but_nothing_that_goes_on(tmp_path: Path) -> None:
    left, going = tmp_path / ".backup-left", tmp_path / ".backup-going"
    for place in (left, going):
        place.mkdir()
        (place / "database.dump").write_bytes(b"every row")
    (tmp_path / ".box-1.backup.new").write_bytes(b"half of one")
    for other in ("box-1.backup", "drills.json", ".other.new"):
        (tmp_path / other).touch()
    with in_use(going):
        sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".backup-going", "box-1.backup", "drills.json", ".other.new"}
    sweep(tmp_path)
    assert not going.exists()
    sweep(tmp_path / "none")


def test_the_box_sweeps_as_it_starts(tmp_path: Path) -> None:
    place = tmp_path / "backups" / ".backup-left"
    place.mkdir(parents=True)
    Gateway(runtime(data=tmp_path)).load()
    assert not place.exists()
