"""``appliance replay`` against what a box answers, and the faults it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from appliance.bridge.recordings import Recordings
from appliance.cli import main
from tests.unit.bridge.past import T0, counted


@contextmanager
def box(folder: Path) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A door with one recording; gives its address and what was asked."""
    past, asked = Recordings(folder), list[tuple[str, dict[str, Any]]]()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(where.query).items()}
            asked.append((where.path, query))
            if where.path.endswith("/frames"):
                self._send(200, b"".join(past.frames("main", "staff", int(query["from"]), int(query["to"]))))
            elif where.path.endswith("/at"):
                found = past.state_at("main", "staff", int(query["t"]))
                self._send(200, json.dumps({"t": found.t, "known": True, "signals": found.values}).encode())
            else:
                one = {"stream": "main", "role": "staff", "first": T0, "last": T0 + 5_000, "bytes": 1_500_000}
                fork = {"name": "what-if", "stream": "main", "t": T0, "role": "staff"}
                self._send(200, json.dumps({"recordings": [one], "forks": [fork]}).encode())

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, said))
            if said["name"] == "taken":
                error = {"code": "BRG462", "message": "A stream has this name already.", "details": None, "hint": None}
                self._send(409, json.dumps(error).encode())
            else:
                self._send(201, json.dumps({**said, "signals": 8}).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    counted(tmp_path / "main" / "staff", 50)
    return tmp_path


def test_it_lists_shows_a_moment_replays_and_forks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with box(folder) as (url, asked):
        assert main(["replay", "--url", url]) == 0
        assert "1.5" in (listed := capsys.readouterr().out) and "fork what-if" in listed
        assert main(["replay", "--url", url, "--at", str(T0 + 2_000)]) == 0
        assert "n  20" in capsys.readouterr().out
        assert main(["replay", "--url", url, "--from", str(T0), "--to", str(T0 + 3_000), "--speed", "max"]) == 0
        assert asked[-1] == ("/api/recordings/main/frames", {"from": str(T0), "to": str(T0 + 3_000)})
        assert main(["replay", "--url", url, "--from", "2001-01-01T00:00Z", "--speed", "max"]) == 0, (
            "from the beginning"
        )
        assert main(["replay", "--url", url, "--at", str(T0), "--fork", "new"]) == 0
        assert "The stream new goes on from" in capsys.readouterr().out
        assert asked[-1] == ("/api/recordings/main/fork", {"t": T0, "name": "new"})
        assert main(["replay", "--url", url, "--at", str(T0), "--fork", "taken"]) == 1
        assert "BRG462" in capsys.readouterr().err


def test_a_file_needs_no_box(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [path] = folder.rglob("*.seg")
    assert main(["replay", "--file", str(path), "--speed", "max"]) == 0
    assert main(["replay", "--file", str(folder / "none.seg")]) == 1
    assert "BRG461" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--at", "noon"], "BRG466"),
        (["--from", "14:00", "--speed", "0"], "BRG410"),
        (["--speed", "fast"], "BRG410"),
        (["--fork", "x"], "BRG466"),
        ([], "SCR501"),
        (["--from", "1m"], "SCR501"),
    ],
)
def test_faults(words: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--url", "http://127.0.0.1:9", *words]) == 1
    assert code in capsys.readouterr().err
