"""What is sealed is read by who knows the passphrase; everything else is refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.services.backup import sealing
from appliance.services.backup.sealing import Opener, Sealer

WORDS = "correct horse"
SIZES = (0, 1, 100, 101, 199, 200, 201, 1000)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces, and a key that costs little."""
    monkeypatch.setattr(sealing, "PIECE", 100)
    monkeypatch.setattr(sealing, "_LOG_N", 4)


def sealed(content: bytes, passphrase: str = WORDS) -> bytes:
    out = io.BytesIO()
    with Sealer(out, passphrase) as sealer:
        sealer.write(content)
    return out.getvalue()


def opened(content: bytes, passphrase: str = WORDS) -> bytes:
    return io.BufferedReader(Opener(io.BytesIO(content), passphrase), 64).read()


@pytest.mark.parametrize("size", SIZES)
def test_it_comes_back_as_it_was(size: int) -> None:
    content = bytes(index % 251 for index in range(size))
    assert opened(sealed(content)) == content


def test_pieces_of_any_size_may_be_written() -> None:
    out = io.BytesIO()
    with Sealer(out, "x") as sealer:
        for size in SIZES:
            sealer.write(b"y" * size)
    assert opened(out.getvalue(), "x") == b"y" * sum(SIZES)


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(ApplianceError, match="BRG471"):
        opened(sealed(b"rows"), "wrong horse")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 399), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    whole = bytearray(sealed(b"z" * 250))
    at %= len(whole)
    if len(sealing.MAGIC) + 16 == at:
        by = 1  # another cost; a large one would only take long
    whole[at] ^= by
    if bytes(whole[: len(sealing.MAGIC)]) != sealing.MAGIC:
        return  # not taken for a sealed file at all
    with pytest.raises(ApplianceError, match="BRG471"):
        opened(bytes(whole))


def test_no_piece_can_be_left_out_exchanged_or_cut_off() -> None:
    whole = sealed(b"a" * 100 + b"b" * 100 + b"c" * 50)
    begin, pieces = whole[: sealing._BEGIN], whole[sealing._BEGIN :]
    first, second, third = pieces[:116], pieces[116:232], pieces[232:]
    for changed in (second + third, first + third, second + first + third, first + second, first, b"", pieces[:-1]):
        with pytest.raises(ApplianceError, match="BRG471"):
            opened(begin + changed)


def test_a_cost_beyond_reason_is_refused_at_once() -> None:
    whole = bytearray(sealed(b"rows"))
    whole[len(sealing.MAGIC) + 16] = 60
    with pytest.raises(ApplianceError, match="BRG471"):
        opened(bytes(whole))
