"""What a screen says to the box: AUDIO frames from the first to the one without samples, and the words it is told.

    AUDIO KEYFRAME, samples  ──►  begins, and the box makes ready
    AUDIO samples            ──►  ...
    AUDIO no samples         ──►  ends
                             ◄──  CONTROL heard {text, sure, others}, or error

One utterance at a time: a new beginning ends the one before, also while that is being listened to.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Protocol

import msgspec

from appliance.bridge.frame import KEYFRAME, Frame, FrameType, control
from appliance.bridge.members import Member
from appliance.bridge.sound import SAMPLE, read_sound
from appliance.errors import ApplianceError
from appliance.types import UTTERANCE_S

RATES: Final = (8_000, 48_000)
CHANNELS: Final = 2


class Said(msgspec.Struct, frozen=True):
    """An utterance: signed 16-bit little-endian samples, channels interleaved."""

    samples: bytes
    rate: int
    channels: int


def frames_of(said: Said) -> Iterator[Frame]:
    """The frames of an utterance, half a second each, and the one that ends it.

    >>> [len(frame.payload) for frame in frames_of(Said(bytes(20_000), 16_000, 1))]
    [16000, 4000, 0]
    """
    step = said.rate // 2 * SAMPLE * said.channels
    pieces = [said.samples[at : at + step] for at in range(0, len(said.samples), step)]
    for place, piece in enumerate([*pieces, b""]):
        yield Frame(FrameType.AUDIO, piece, 0 if place else KEYFRAME, width=said.rate // 100, height=said.channels)


class Understanding(Protocol):
    """What turns sound into words."""

    async def ready(self, member: Member) -> None:
        """Somebody begins to speak: make ready, so that the words come at once afterwards."""
        ...

    async def hear(self, member: Member, said: Said) -> dict[str, Any]:
        """The keys of ``heard``.

        Raises:
            ApplianceError: it cannot be heard.
        """
        ...


class Ear:
    """Listens to one screen.

    Args:
        member: who speaks.
        understanding: what is asked for the words.
        tell: sends a frame to the screen.
    """

    def __init__(self, member: Member, understanding: Understanding, tell: Callable[[Frame], Awaitable[None]]) -> None:
        self._member, self._understanding, self._tell = member, understanding, tell
        self._pieces: list[bytes] | None = None
        self._size = 0
        self._rate = self._channels = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._hearing: asyncio.Task[None] | None = None

    def take(self, frame: Frame) -> None:
        """Take an AUDIO frame. One that makes no sense ends the utterance, of which the screen is told."""
        try:
            said = self._taken(frame)
        except ApplianceError as error:
            self._pieces = None
            self._soon(self._tell(control("error", **error.shape())))
            return
        if said is not None:
            self._hearing = self._soon(self._hear(said))

    def close(self) -> None:
        """The screen is gone."""
        for task in self._tasks:
            task.cancel()

    def _taken(self, frame: Frame) -> Said | None:
        sound = read_sound(frame)
        if sound.begins:
            self._begin(sound.rate, sound.channels)
        if self._pieces is None:  # the rest of what was given up
            return None
        if (sound.rate, sound.channels) != (self._rate, self._channels):
            raise ApplianceError("SIG308", "The sound changed its rate or its channels on the way.")
        if not sound.samples:
            pieces, self._pieces = self._pieces, None
            # A beginning without more is silence: whatever was said before is taken back.
            return None if sound.begins else Said(b"".join(pieces), self._rate, self._channels)
        self._pieces.append(sound.samples)
        self._size += len(sound.samples)
        if self._size > UTTERANCE_S * SAMPLE * self._rate * self._channels:
            raise ApplianceError(
                "LLM232", "That was too long to listen to.", {"seconds": UTTERANCE_S}, "Say it in a sentence."
            )
        return None

    def _begin(self, rate: int, channels: int) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            self._hearing = None
        if not RATES[0] <= rate <= RATES[1] or channels > CHANNELS:
            told = {"rate": rate, "channels": channels}
            raise ApplianceError("SIG308", "The box does not listen to sound of this kind.", told, "16,000 Hz, mono.")
        self._pieces, self._size, self._rate, self._channels = [], 0, rate, channels
        self._soon(self._ready())

    async def _ready(self) -> None:
        with contextlib.suppress(ApplianceError):  # told once it is asked for words
            await self._understanding.ready(self._member)

    async def _hear(self, said: Said) -> None:
        try:
            heard = control("heard", **await self._understanding.hear(self._member, said))
        except ApplianceError as error:
            heard = control("error", **error.shape())
        await self._tell(heard)

    def _soon(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
