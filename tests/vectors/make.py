"""Writes the vectors beside it: ``python -m tests.vectors.make``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.vectors.box import box
from tests.vectors.frames import frames
from tests.vectors.pictures import pictures, sounds
from tests.vectors.signals import signals

HERE = Path(__file__).parent
ALL = {"frames": frames, "signals": signals, "pictures": pictures, "sound": sounds, "box": box}


def written() -> dict[str, str]:
    """Each file's name and content."""
    files = {}
    for name, make in ALL.items():
        lines = ",\n".join("  " + json.dumps(each, ensure_ascii=False) for each in make())
        files[f"{name}.json"] = f'{{"bitstream": 1, "vectors": [\n{lines}\n]}}\n'
    return files


if __name__ == "__main__":
    for name, content in written().items():
        (HERE / name).write_text(content, encoding="utf-8")
