"""MicroPython as a process: takes code, gives back what it prints.

with machine() as micropython:
    assert micropython.run("print(1 + 1)") == 2
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
PACKAGES = HERE.parent / "integration" / "node"
RECEIVER = HERE.parents[1] / "receivers" / "micropython"
FILES = [RECEIVER / "receiver.py", RECEIVER / "websocket.py", HERE / "program.py"]


class Machine:
    """A running MicroPython with the receiver's files on it."""

    def __init__(self, process: subprocess.Popen[str], told: IO[str], code: IO[str]) -> None:
        self._process, self._told, self._code = process, told, code
        self.run("import program")

    def run(self, code: str) -> Any:
        """Run code; the JSON it prints, or None."""
        self._code.write(json.dumps(code) + "\n")
        self._code.flush()
        line = self._told.readline()
        assert line, f"MicroPython ended with {self._process.wait(5)}"
        result = json.loads(line)
        assert result["error"] is None, result["error"]
        return json.loads(result["printed"]) if result["printed"] else None

    def call(self, name: str, *given: Any) -> Any:
        """Call a function of the program with plain values; the JSON it prints."""
        return self.run(f"program.{name}({', '.join(map(repr, given))})")


@contextmanager
def machine() -> Iterator[Machine]:
    """MicroPython while it runs."""
    assert (PACKAGES / "node_modules" / "@micropython").is_dir(), "run: make setup (scripts/setup.sh test)"
    command = ["node", str(HERE / "machine.mjs"), str(PACKAGES), *map(str, FILES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield Machine(process, process.stdout, process.stdin)
        finally:
            process.kill()
