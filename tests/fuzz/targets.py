"""What is fuzzed: all that reads bytes from others. Only an ApplianceError may come out, and nothing may grow."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from appliance.bridge.frame import JSON_TYPES, Decoder, Frame, FrameType, decode
from appliance.bridge.pixels import Picture, apply_delta
from appliance.bridge.signals import Copy
from appliance.bridge.sound import read_sound
from appliance.errors import ApplianceError

LIMIT = 65_536
VECTORS = Path(__file__).parents[1] / "vectors"


class Receiver:
    """All that a receiver does with frames; keeps what it made of those before."""

    def __init__(self) -> None:
        self.copy, self.picture = Copy(), Picture(LIMIT)

    def take(self, frame: Frame) -> None:
        """Take a frame; what cannot be used is an ApplianceError."""
        assert len(frame.payload) <= LIMIT
        said = frame.json() if frame.type in JSON_TYPES else {}
        if frame.type == FrameType.SIGNAL_SYNC:
            self.copy.sync(said)
        elif frame.type == FrameType.SIGNAL_DIFF:
            self.copy.diff(said)
        elif frame.type in (FrameType.PIXELS, FrameType.PIXELS_DELTA):
            self.picture.take(frame)
            assert len(self.picture.data) == self.picture.width * self.picture.height * 4 <= LIMIT
        elif frame.type == FrameType.AUDIO:
            read_sound(frame)


def stream(data: bytes) -> None:
    """Frames from a stream, cut into pieces; the first byte says how long these are."""
    size, decoder, receiver = data[0] + 1, Decoder(LIMIT), Receiver()
    for at in range(1, len(data), size):
        for frame in decoder.feed(data[at : at + size]):
            receiver.take(frame)


def messages(data: bytes) -> None:
    """Two frames whose header fits, so that what reads payloads is reached: the second meets what the first left."""
    receiver, half = Receiver(), len(data) // 2
    for part in (data[:half], data[half:]):
        if len(part) < 6:
            continue
        kind, flags, width, height = struct.unpack_from("<BBHH", part)
        head = struct.pack("<BBHIHHI", kind, flags & 7, 0, 0, width, height, len(part) - 6)
        try:
            receiver.take(decode(head + part[6:], LIMIT))
        except ApplianceError:
            continue


def whole(data: bytes) -> None:
    """One frame and nothing more."""
    Receiver().take(decode(data, LIMIT))


def change(data: bytes) -> None:
    """A change of a picture of up to 255 pixels."""
    picture = bytes(range(256)) * 4
    size = 4 * data[0]
    assert len(apply_delta(picture[:size], data[1:])) == size


TARGETS = (stream, messages, whole, change)


def one_input(data: bytes) -> None:
    """One input: its first byte chooses what reads the rest."""
    if len(data) > 1:
        try:
            TARGETS[data[0] % len(TARGETS)](data[1:])
        except ApplianceError:
            return


def seeds() -> Iterator[bytes]:
    """What to start from: the vectors of the specification, for each target."""
    for name in ("frames", "signals", "pictures", "sound"):
        for vector in json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["vectors"]:
            raws = [bytes.fromhex(step["bytes"]) for step in vector.get("steps", [vector])]
            yield bytes((0, 9)) + b"".join(raws)
            yield from (bytes((2,)) + raw for raw in raws)
            yield from (bytes((3, 4)) + raw[16:] for raw in raws if raw[0] == FrameType.PIXELS_DELTA)
            if len(raws) > 1:
                yield bytes((1,)) + b"".join(raw[:2] + raw[8:12] + raw[16:] for raw in raws[:2])
