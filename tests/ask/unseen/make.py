"""Write the documents of every domain, and the gold rows of its questions, which its SQL reads from them.

The files are committed; this is run again only when a domain or a question is new:

    python -m tests.ask.unseen.make
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

import msgspec

from appliance.llm.training import unseen
from tests.ask.unseen import beekeepers, marina, mountain_rescue, recording_studio, seed_bank, tool_library
from tests.ask.unseen.gold import filled, loaded
from tests.ask.unseen.some import Documents

HERE: Final = Path(__file__).resolve().parent
DOMAINS: Final = {
    "beekeepers": beekeepers.documents,
    "marina": marina.documents,
    "mountain_rescue": mountain_rescue.documents,
    "recording_studio": recording_studio.documents,
    "seed_bank": seed_bank.documents,
    "tool_library": tool_library.documents,
}


def documents_of(name: str) -> Documents:
    """The documents of a domain, the same ones each time."""
    return DOMAINS[name](Random(name))


def main() -> None:
    for name in DOMAINS:
        held = documents_of(name)
        (HERE / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(held), indent=1) + b"\n")
        with loaded(held) as database:
            asked = [filled(database, each) for each in unseen.read_set(HERE / f"{name}.jsonl")]
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in asked)
        (HERE / f"{name}.jsonl").write_bytes(lines)


if __name__ == "__main__":
    main()
