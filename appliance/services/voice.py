"""The box's voice: a sentence spoken by ``espeak-ng``, as samples that any small speaker can play.

    >>> samples = await Voice("en").speak("7 beds are free.")  # doctest: +SKIP
    >>> len(samples) / 2 / RATE                                 # doctest: +SKIP
    1.58

The program gets the sentence on its standard input, so that no word of it can be an option; it has a time limit, and
what it writes is bounded. It writes 22,050 samples a second, which the 100 steps of a frame's width cannot say: the
samples are brought to 16,000, which is all that a voice needs.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import OrderedDict
from typing import Final

import numpy as np

from appliance.errors import ApplianceError
from appliance.llm.listening.sound import resample

PROGRAM: Final = "espeak-ng"
RATE: Final = 16_000
CHANNELS: Final = 1
KEPT: Final = 8
SECONDS_LIMIT: Final = 120
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,40}")
_HEADER: Final = 44


class Voice:
    """Speaks; keeps the last few sentences, so that one told to many screens is spoken once.

    Args:
        name: a voice of the program, such as ``en`` or ``de``.
        limit: characters of a text that are spoken; the rest is left out.
        timeout_s: seconds the program may take.
    """

    def __init__(self, name: str = "en", limit: int = 600, timeout_s: float = 10.0) -> None:
        self._name, self._limit, self._timeout_s = name, limit, timeout_s
        self._spoken: OrderedDict[str, bytes] = OrderedDict()
        self._mouths = asyncio.Semaphore(2)
        self._program: str | None = None

    async def find(self) -> str | None:
        """The program that speaks, or None where this machine has none; it may be installed while the box runs."""
        if self._program is None:
            self._program = await asyncio.to_thread(shutil.which, PROGRAM)
        return self._program

    async def speak(self, text: str) -> bytes:
        """The text as PCM: 16 bits, signed, little-endian, one channel, 16,000 samples a second.

        Raises:
            ApplianceError: BRG411, there is no voice on this machine; BRG453, it failed.
        """
        said = speakable(text)[: self._limit]
        async with self._mouths:
            if said not in self._spoken:
                self._spoken[said] = await self._say(said)
                while len(self._spoken) > KEPT:
                    self._spoken.popitem(last=False)
            self._spoken.move_to_end(said)
            return self._spoken[said]

    async def _say(self, text: str) -> bytes:
        if not text:
            return b""
        program = await self.find()
        if program is None:
            raise no_voice()
        if not _NAME.fullmatch(self._name):
            raise ApplianceError("BRG453", "The setting speech_voice names no voice.", self._name[:80])
        process = await asyncio.create_subprocess_exec(
            program, "-v", self._name, "-b", "1", "--stdin", "--stdout",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._timeout_s):
                wave, told = await process.communicate(text.encode())
        except TimeoutError:
            raise ApplianceError("BRG453", "The voice took too long.", {"seconds": self._timeout_s}) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0 or len(wave) <= _HEADER:
            reason = told.decode(errors="replace").strip()[:200]
            raise ApplianceError("BRG453", "The voice failed.", reason, "Look at the setting speech_voice.")
        return await asyncio.to_thread(samples_of, wave)


def no_voice() -> ApplianceError:
    """What is told where the program is missing."""
    return ApplianceError("BRG411", "The box has no voice.", f"{PROGRAM} is not there", f"apt-get install {PROGRAM}")


def speakable(text: str) -> str:
    """The text on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def samples_of(wave: bytes) -> bytes:
    """A wave of one channel as samples at :data:`RATE`.

    The program writes to a pipe and so cannot know the length: what its header says of it is not read.
    """
    rate = int.from_bytes(wave[24:28], "little")
    heard = np.frombuffer(wave[_HEADER : len(wave) - (len(wave) - _HEADER) % 2], "<i2")[: SECONDS_LIMIT * rate]
    spoken = np.clip(resample(heard, rate, RATE), -32768, 32767)
    return np.asarray(spoken, np.dtype("<i2")).tobytes()
