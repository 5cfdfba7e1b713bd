"""The inputs of screens that are done, by their `ref`: one that comes again is not done again.

A screen that lost its connection sends again what it has no word of. So that this holds across a restart of the box,
the latest refs are kept on the disk.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from appliance.observation import logger
from appliance.screen.cache import write

REFS_KEPT: Final = 2000
REF_LENGTH: Final = 80
log = logger("assistant")


class Heard:
    """What was heard before.

    Args:
        file: where the refs of what is done are kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begun: set[str] = set()
        self._done: dict[str, None] = {}
        self._loaded = False
        self._using_file = asyncio.Lock()

    async def begin(self, ref: str) -> bool:
        """Whether this is to be done now; an input without a `ref` always is."""
        ref = ref[:REF_LENGTH]
        if not ref:
            return True
        await self._load()
        if ref in self._begun or ref in self._done:
            return False
        self._begun.add(ref)
        return True

    def is_done(self, ref: str) -> bool:
        """Whether it is done, and will be known to be so after a restart."""
        return ref[:REF_LENGTH] in self._done

    async def done(self, ref: str) -> None:
        """Keep that it is done."""
        ref = ref[:REF_LENGTH]
        if not ref or ref in self._done:
            return
        self._begun.discard(ref)
        self._done[ref] = None
        while len(self._done) > REFS_KEPT:
            self._done.pop(next(iter(self._done)))
        async with self._using_file:
            try:
                await asyncio.to_thread(write, self._file, msgspec.json.encode(list(self._done)))
            except OSError as error:
                log.warn("what screens have asked cannot be kept", file=self._file, reason=error)

    async def _load(self) -> None:
        """Take up what was done before the box was started anew."""
        async with self._using_file:
            if not self._loaded:
                self._done = dict.fromkeys(await asyncio.to_thread(_read, self._file)) | self._done
                self._loaded = True

    def give_up(self, ref: str) -> None:
        """It was begun and came to nothing: it may come again."""
        self._begun.discard(ref[:REF_LENGTH])


def _read(file: Path) -> list[str]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[str])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        log.warn("what screens have asked before cannot be read", file=file, reason=error)
        return []
