"""Sound on the wire: what an AUDIO frame holds.

>>> from appliance.bridge.frame import KEYFRAME
>>> sound = read_sound(Frame(FrameType.AUDIO, bytes(8), KEYFRAME, width=220, height=1))
>>> sound.rate, sound.channels, sound.begins, sound.seconds()
(22000, 1, True, 0.00018181818181818183)
"""

from __future__ import annotations

from typing import Final

import msgspec

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.errors import ApplianceError

SAMPLE: Final = 2


class Sound(msgspec.Struct, frozen=True):
    """A piece of sound.

    Attributes:
        rate: samples a second, of each channel.
        channels: interleaved in `samples`.
        samples: signed 16-bit little-endian; none ends the sound.
        begins: it is a sound's first piece: what still plays ends there.
    """

    rate: int
    channels: int
    samples: bytes
    begins: bool

    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / (SAMPLE * self.channels * self.rate)


def read_sound(frame: Frame) -> Sound:
    """The sound of an AUDIO frame.

    Raises:
        ApplianceError: SIG308, no rate, no channel, or part of a sample.
    """
    rate, channels = frame.width * 100, frame.height
    if frame.type != FrameType.AUDIO or not rate or not channels or len(frame.payload) % (SAMPLE * channels):
        told = {"rate": rate, "channels": channels, "bytes": len(frame.payload)}
        raise ApplianceError("SIG308", "The sound cannot be read.", told)
    return Sound(rate, channels, frame.payload, bool(frame.flags & KEYFRAME))
