"""The health check of containers: it is well when the part says so, and never hangs or tells a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.box import ROOT, environment


class Part(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        known = self.path == "/health" and self.headers["Authorization"] == "Bearer t"
        self.send_response(self.status if known else 401)
        self.end_headers()
        self.wfile.write(b'{"status": "said"}')

    def log_message(self, format: str, *args: object) -> None:
        pass


def asked(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance.services.alive"],
        cwd=ROOT,
        env=environment(DREAMSTACK_RUNTIME_FILE=str(file)),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def told(folder: Path, port: int, part: str = "llm") -> Path:
    file = folder / part / "runtime.json"
    file.parent.mkdir()
    keys = {"staff": "t"} if part == "gateway" else {}  # the door knows people, not parts
    token = "another" if part == "gateway" else "t"
    runtime = {f"{part}_url": f"http://127.0.0.1:{port}", "token": token, "keys": keys}
    runtime["settings"] = {"data": str(folder)}
    file.write_text(json.dumps(runtime))
    return file


@pytest.mark.parametrize("part", ["llm", "gateway"])
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_a_part_is_as_well_as_it_says(
    tmp_path: Path, part: str, status: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Part, "status", status)
    with HTTPServer(("127.0.0.1", 0), Part) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        done = asked(told(tmp_path, server.server_port, part))
        thread.join(20)
    assert (done.returncode, "said" in done.stderr) == (code, True)


def test_a_part_that_is_not_there_is_not_well(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Part) as server:
        port = server.server_port
    done = asked(told(tmp_path, port))
    assert done.returncode == 1 and "ConnectionRefused" in done.stderr and "Traceback" not in done.stderr
    assert asked(tmp_path / "none").returncode == 1
