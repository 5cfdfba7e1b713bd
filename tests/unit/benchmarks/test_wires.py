"""The benchmark's wires: what one end writes the other reads, in any pieces."""

from __future__ import annotations

import pytest

from appliance.bridge import Decoder, FrameType, control, encode
from appliance.bridge.transports.websocket import message_head
from benchmarks.wires import WIRES, Bitstream, Mqtt, Nats, masked, payload_of, step_of


def _as_server(wire: str, payload: bytes) -> bytes:
    """The news as a server sends it."""
    if wire == "bridge":
        raw = Bitstream().publish(payload)
        at = 2 + 4 + (0 if raw[1] & 0x7F < 126 else 2 if raw[1] & 0x7F == 126 else 8)
        return message_head(len(raw) - at) + raw[at:]
    if wire == "nats":
        return f"MSG bench 1 {len(payload)}\r\n".encode() + payload + b"\r\n"
    return Mqtt().publish(payload)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("size", [40, 100, 300, 20_000, 70_000])
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_news_are_read_in_any_pieces(wire: str, size: int, piece: int) -> None:
    raw = b"".join(_as_server(wire, payload_of(step, size)) for step in (1, 23, 456))
    if piece == 1 and size > 1000:
        raw = raw[:2000]
    rest, steps, reader = bytearray(), [], WIRES[wire]()
    for at in range(0, len(raw), piece):
        rest += raw[at : at + piece]
        steps += [step_of(payload) for kind, payload in reader.split(rest) if kind == "news"]
    assert steps == ([1, 23, 456] if size <= 300 or piece > 1 else [])


def test_the_bridge_takes_what_a_source_writes() -> None:
    raw = Bitstream().publish(payload_of(7, 60))
    assert raw[:2] == bytes([0x82, 0x80 | (len(raw) - 6)])
    (frame,) = Decoder().feed(raw[6:])
    assert frame.type == FrameType.SIGNAL_DIFF
    assert frame.json()["n"] == 7
    assert frame.json()["$"] == {"a": "wall"}


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_message_of_a_client_says_its_length(size: int) -> None:
    raw = masked(bytes(size))
    length = raw[1] & 0x7F
    if length >= 126:
        length = int.from_bytes(raw[2:4] if length == 126 else raw[2:10], "big")
    assert length == size
    assert raw[1] & 0x80


def test_what_is_no_news_is_named_and_answered() -> None:
    wire = Bitstream()
    said = encode(control("subscribed"))
    rest = bytearray(b"HTTP/1.1 101 x\r\na: b\r\n\r\n" + message_head(len(said)) + said + b"\x89\x01z")
    units = list(wire.split(rest))
    assert [kind for kind, _ in units] == ["upgraded", "subscribed", "ping"]
    assert wire.answer(units[2]) == b"\x8a\x81\0\0\0\0z"
    assert wire.answer(units[1]) == b""
    assert Nats().answer(("PING", b"")) == b"PONG\r\n"


def test_the_small_words_of_the_peers() -> None:
    assert list(Mqtt().split(bytearray(b"\x20\x02\0\0\x90\x03\0\1\0"))) == [("connack", b"\0\0"), ("suback", b"\0\1\0")]
    assert [kind for kind, _ in Nats().split(bytearray(b"INFO {}\r\nPONG\r\nPI"))] == ["INFO", "PONG"]


def test_a_payload_has_its_number_and_about_its_size() -> None:
    assert step_of(payload_of(123, 200)) == 123
    assert 190 <= len(payload_of(123, 200)) <= 205
    assert step_of(b'{"other":1}') == -1
