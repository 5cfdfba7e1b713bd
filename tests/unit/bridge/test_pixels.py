"""Pictures: what changed between two gives the second, and never more than a picture."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.frame import DEFAULT_LIMIT, KEYFRAME, Frame, FrameType
from appliance.bridge.pixels import Picture, apply_delta, delta
from appliance.errors import ApplianceError

HD = 1920 * 1080

pixel = st.sampled_from([b"\0\0\0\xff", b"\xff\0\0\xff", b"\0\0\0\0"]) | st.binary(min_size=4, max_size=4)
runs = st.lists(st.tuples(pixel, st.integers(1, 9)), max_size=12)


def picture(parts: list[tuple[bytes, int]]) -> bytes:
    return b"".join(value * times for value, times in parts)


def code_of(previous: bytes, payload: bytes) -> str:
    with pytest.raises(ApplianceError) as caught:
        apply_delta(previous, payload)
    return caught.value.code


@given(runs, runs)
def test_a_delta_applied_gives_the_new_picture(one: list[tuple[bytes, int]], other: list[tuple[bytes, int]]) -> None:
    size = max(len(picture(one)), len(picture(other)))
    previous, now = picture(one).ljust(size, b"\0"), picture(other).ljust(size, b"\0")
    payload = delta(previous, now)
    assert apply_delta(previous, payload) == now
    assert len(payload) <= size + 2


@given(st.binary(max_size=80), st.integers(0, 20))
def test_any_payload_gives_a_picture_of_the_same_size_or_is_refused(payload: bytes, pixels: int) -> None:
    try:
        assert len(apply_delta(bytes(4 * pixels), payload)) == 4 * pixels
    except ApplianceError as error:
        assert error.code == "SIG308"


def test_the_tokens_are_as_written() -> None:
    black = bytes(4 * 8)
    now = bytearray(black)
    now[8:12], now[12:16] = b"\1\2\3\4", b"\5\6\7\x08"
    now[20:32] = b"\xaa\xbb\xcc\xdd" * 3
    # SAME 2; LITERAL 3 (the lone unchanged pixel between costs the same either way); REPEAT 3.
    assert delta(black, bytes(now)) == bytes.fromhex("0200 0380 01020304 05060708 00000000 0340 aabbccdd")


def test_what_did_not_change_is_nothing() -> None:
    assert delta(b"\1\2\3\4" * 99, b"\1\2\3\4" * 99) == b""
    assert delta(b"", b"") == b""


@pytest.mark.parametrize("pixels", [16382, 16383, 16384, 32767, 50000])
def test_runs_longer_than_a_token_become_several(pixels: int) -> None:
    black, white = bytes(4 * pixels), b"\xff" * 4 * pixels
    noise = np.random.default_rng(1).bytes(4 * pixels)
    for now in (white, noise, black[: 4 * (pixels - 1)] + b"\1\2\3\4"):
        assert apply_delta(black, delta(black, now)) == now


@pytest.mark.parametrize(
    "payload",
    [
        "00",  # half a token
        "0000",  # no pixels
        "0040ffffffff",
        "0080",
        "01c0ffffffff",  # an unknown token
        "0500",  # over the end
        "0540ffffffff",
        "0400 0100",
        "0140ffffff",  # cut short
        "02800000000000",
        "ff3f",
    ],
)
def test_what_cannot_be_read_is_refused(payload: str) -> None:
    assert code_of(bytes(16), bytes.fromhex(payload)) == "SIG308"


def test_pictures_of_two_sizes_have_no_delta() -> None:
    for one, other in ((bytes(8), bytes(12)), (bytes(7), bytes(7))):
        with pytest.raises(ApplianceError) as caught:
            delta(one, other)
        assert caught.value.code == "SIG308"


def test_a_full_hd_picture_takes_a_moment() -> None:
    black = bytes(4 * HD)
    now = bytearray(black)
    now[4_000_000:4_240_000] = np.random.default_rng(1).bytes(240_000)
    began = time.perf_counter()
    payload = delta(black, bytes(now))
    assert apply_delta(black, payload) == bytes(now)
    assert time.perf_counter() - began < 2.0  # measured 0.05 s alone on a core
    assert len(payload) < 241_000


def test_a_picture_over_the_frame_limit_is_begun_with_a_keyframe_delta() -> None:
    now = b"\xff" * 4 * HD
    payload = delta(bytes(4 * HD), now)
    assert len(now) > DEFAULT_LIMIT > len(payload)
    copy = Picture()
    copy.take(Frame(FrameType.PIXELS_DELTA, payload, KEYFRAME, width=1920, height=1080))
    assert copy.data == now


def refused(copy: Picture, frame: Frame) -> str:
    before = (copy.width, copy.height, copy.data)
    with pytest.raises(ApplianceError) as caught:
        copy.take(frame)
    assert (copy.width, copy.height, copy.data) == before
    return caught.value.code


def test_a_copy_keeps_what_it_has_when_a_frame_does_not_fit() -> None:
    copy = Picture(limit=400)
    assert refused(copy, Frame(FrameType.PIXELS_DELTA, b"", width=2, height=1)) == "SIG305"
    copy.take(Frame(FrameType.PIXELS, b"\1" * 8, width=2, height=1))
    assert refused(copy, Frame(FrameType.PIXELS_DELTA, b"", width=1, height=2)) == "SIG305"
    assert refused(copy, Frame(FrameType.PIXELS_DELTA, b"\0\0", width=2, height=1)) == "SIG308"
    assert refused(copy, Frame(FrameType.PIXELS, b"\1" * 9, width=2, height=1)) == "SIG308"
    assert refused(copy, Frame(FrameType.PIXELS, b"", width=0, height=1)) == "SIG308"
    assert refused(copy, Frame(FrameType.PIXELS_DELTA, b"", KEYFRAME, width=65535, height=65535)) == "SIG302"
