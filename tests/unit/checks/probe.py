"""A probe for tests: each part says what a test puts in its mouth, or does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WELL: dict[str, dict[str, Any] | None] = {
    "pgflex": {"status": "ok", "database": "ok", "feed": {"live": True}},
    "postgrest": {},
    "llm": {"status": "ok", "state": "ready", "name": "ask", "error": None},
    "bridge": {"status": "ok", "screens": 3, "sources": ["assistant"], "recording": {"on": True}},
}


class SaidProbe:
    """What the parts say of themselves; a part that is not given does not answer."""

    def __init__(
        self, data: Path = Path("/"), *, door: dict[str, Any] | None = None, **said: dict[str, Any] | None
    ) -> None:
        self.data = data
        self._door = door
        self._said = WELL | said

    async def health(self, part: str) -> dict[str, Any] | None:
        return self._said[part]

    def certificate(self) -> dict[str, Any] | None:
        return self._door
