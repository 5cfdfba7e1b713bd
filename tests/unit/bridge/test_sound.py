"""What an AUDIO frame holds."""

from __future__ import annotations

import pytest

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.bridge.sound import Sound, read_sound
from appliance.errors import ApplianceError


def test_a_piece_of_sound_says_its_rate_and_channels() -> None:
    stereo = read_sound(Frame(FrameType.AUDIO, bytes(4 * 441), width=441, height=2))
    assert stereo == Sound(44100, 2, bytes(4 * 441), False)
    assert stereo.seconds() == 0.01


def test_the_first_piece_and_the_last() -> None:
    assert read_sound(Frame(FrameType.AUDIO, bytes(2), KEYFRAME, width=80, height=1)).begins
    assert read_sound(Frame(FrameType.AUDIO, b"", width=80, height=1)).samples == b""


@pytest.mark.parametrize(
    "frame",
    [
        Frame(FrameType.AUDIO, bytes(3), width=80, height=1),
        Frame(FrameType.AUDIO, bytes(6), width=80, height=2),
        Frame(FrameType.AUDIO, bytes(2), width=0, height=1),
        Frame(FrameType.AUDIO, bytes(2), width=80, height=0),
        Frame(FrameType.PIXELS, bytes(4), width=1, height=1),
    ],
)
def test_what_is_no_sound_is_refused(frame: Frame) -> None:
    with pytest.raises(ApplianceError, match="SIG308"):
        read_sound(frame)
