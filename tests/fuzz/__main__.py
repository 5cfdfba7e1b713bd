"""Coverage-guided fuzzing: ``python -m tests.fuzz -runs=1000000``; the options are libFuzzer's.

What it finds is left in ``test-results/``; ``python -m tests.fuzz test-results/fuzz-crash-...`` runs it again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import seeds

RESULTS = Path("test-results")


def main() -> int:
    """Start the engine on a corpus of its own; its exit status."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for n, seed in enumerate(seeds()):
            Path(folder, f"{n:04}").write_bytes(seed)
        again = any(not each.startswith("-") for each in sys.argv[1:])
        told = [f"-artifact_prefix={RESULTS}/fuzz-", *sys.argv[1:], *([] if again else [folder])]
        return subprocess.run([sys.executable, "-m", "tests.fuzz.engine", *told], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
