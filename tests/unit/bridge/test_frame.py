"""The frame codec: what is encoded is decoded, and what cannot be read is told by code."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.frame import (
    HEADER_SIZE,
    INPUT,
    KEYFRAME,
    Decoder,
    Frame,
    FrameType,
    control,
    decode,
    encode,
    input_frame,
)
from appliance.errors import ApplianceError

frames = st.builds(
    Frame,
    type=st.integers(0, 255),
    payload=st.binary(max_size=4000),
    flags=st.sampled_from([0, INPUT, KEYFRAME, INPUT | KEYFRAME]),
    seq=st.integers(0, 65535),
    timestamp=st.integers(0, 2**32 - 1),
    width=st.integers(0, 65535),
    height=st.integers(0, 65535),
)


def code_of(raw: bytes, limit: int = 1000) -> str:
    with pytest.raises(ApplianceError) as caught:
        decode(raw, limit)
    return caught.value.code


def header(flags: int = 0, length: int = 0) -> bytes:
    return struct.pack("<BBHIHHI", 0x31, flags, 0, 0, 0, 0, length)


@given(frames, st.booleans())
def test_what_is_encoded_is_decoded(frame: Frame, deflate: bool) -> None:
    assert decode(encode(frame, deflate=deflate)) == frame


def test_the_header_is_little_endian_and_16_bytes() -> None:
    raw = encode(Frame(FrameType.PIXELS, b"abc", KEYFRAME, 0x0102, 0x03040506, 0x0708, 0x090A))
    assert raw == bytes.fromhex("010202010605040308070a0903000000") + b"abc"


@given(st.lists(frames, max_size=6), st.integers(1, 700))
def test_frames_arrive_in_any_pieces(sent: list[Frame], size: int) -> None:
    raw = b"".join(encode(frame) for frame in sent)
    decoder = Decoder()
    got = [frame for at in range(0, len(raw), size) for frame in decoder.feed(raw[at : at + size])]
    assert got == sent


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(raw: bytes) -> None:
    try:
        frame = decode(raw, 200)
    except ApplianceError as error:
        assert error.code.startswith("SIG3")
    else:
        assert len(frame.payload) <= 200


def test_what_is_wrong_has_a_code() -> None:
    assert code_of(b"short") == "SIG300"
    assert code_of(header(length=3) + b"ab") == "SIG300"
    assert code_of(header(length=1) + b"ab") == "SIG300"
    assert code_of(header(flags=0x08)) == "SIG301"
    assert code_of(header(length=1001)) == "SIG302"
    assert code_of(header(flags=0x04, length=3) + b"abc") == "SIG304"


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeezer.compress(bytes(50_000_000)) + squeezer.flush()
    assert code_of(header(flags=0x04, length=len(bomb)) + bomb, 60_000) == "SIG302"


def test_a_cut_deflate_payload_is_refused() -> None:
    whole = encode(Frame(0x30, b"x" * 5000), deflate=True)[HEADER_SIZE:]
    assert code_of(header(flags=0x04, length=len(whole) - 2) + whole[:-2], 10_000) == "SIG304"


def test_control_and_input_are_json_objects() -> None:
    assert control("ping", t=3).json() == {"type": "ping", "t": 3}
    assert input_frame("ask", question="?").flags == INPUT
    for payload in (b"[1]", b"{", b"\xff", b""):
        with pytest.raises(ApplianceError) as caught:
            Frame(FrameType.CONTROL, payload).json()
        assert caught.value.code == "SIG303"
