"""The wires of the fan-out benchmark: the bitstream over WebSocket, MQTT 3.1.1 and NATS, each in as little as it takes.

All three are read the same way, so that no receiver costs more than another: bytes in, whole units out, and of a
payload only the step's number is looked for. Quality of service is 0 for MQTT; NATS has no other.

    >>> wire = Mqtt()
    >>> list(wire.split(bytearray(wire.publish(b'{"n":7,"s":"a"}'))))
    [('news', b'{"n":7,"s":"a"}')]
    >>> step_of(b'{"n":7,"s":"a"}')
    7
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from appliance.bridge.frame import HEADER, HEADER_SIZE, Frame, FrameType, control, encode

STREAM: Final = "bench"
_MARK: Final = b'"n":'

Unit = tuple[str, bytes]
"""What arrived: ``news`` and its payload, or the word for what a wire needs on its way."""


class Wire(Protocol):
    """One way to say things."""

    name: str

    def greeting(self, host: str, token: str, *, source: bool) -> list[tuple[bytes, str]]:
        """What to send after connecting, and the unit to wait for each time (empty: for none)."""
        ...

    def split(self, rest: bytearray) -> Iterator[Unit]:
        """The whole units at the beginning of `rest`, which are taken out of it."""
        ...

    def publish(self, payload: bytes) -> bytes:
        """What a source writes for one step."""
        ...

    def alive(self) -> bytes:
        """What a receiver says now and then to show that it is there; empty where nothing is asked."""
        ...

    def answer(self, unit: Unit) -> bytes:
        """What has to be said to a unit that is no news; mostly nothing."""
        ...


def payload_of(step: int, size: int) -> bytes:
    """A step as JSON of about `size` bytes; its number stands first and every signal of it is new."""
    filler = f"{step:08x}" * (max(0, size - 16) // 8)
    return msgspec.json.encode({"n": step, "s": filler})


def step_of(payload: bytes) -> int:
    """The number of the step that a payload is of; -1 where it has none."""
    at = payload.find(_MARK)
    if at < 0:
        return -1
    end = at + len(_MARK)
    while payload[end : end + 1].isdigit():
        end += 1
    return int(payload[at + len(_MARK) : end])


class Bitstream:
    """This project's wire: one WebSocket message holds one frame."""

    name = "bridge"

    def __init__(self, path: str = "/ws", role: str = "staff") -> None:
        self._path, self._role = path, role

    def greeting(self, host: str, token: str, *, source: bool) -> list[tuple[bytes, str]]:
        """A handshake; a receiver subscribes after it."""
        path = f"/source/bench?stream={STREAM}" if source else self._path
        asked = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {token}\r\nX-Role: {self._role}\r\n\r\n"
        ).encode()
        if source:
            return [(asked, "upgraded")]
        return [(asked, "hello"), (masked(encode(control("subscribe", stream=STREAM))), "subscribed")]

    def split(self, rest: bytearray) -> Iterator[Unit]:
        """Messages, and before them the answer to the handshake."""
        if rest.startswith(b"HTTP/"):
            end = rest.find(b"\r\n\r\n")
            if end < 0:
                return
            status = bytes(rest[9:12])
            del rest[: end + 4]
            yield ("upgraded" if status == b"101" else "refused", status)
        while len(rest) >= 2:
            length, at = rest[1], 2
            if length == 126:
                length, at = int.from_bytes(rest[2:4], "big"), 4
            elif length == 127:
                length, at = int.from_bytes(rest[2:10], "big"), 10
            if len(rest) < at + length:
                return
            opcode, raw = rest[0] & 0x0F, bytes(rest[at : at + length])
            del rest[: at + length]
            yield _message(opcode, raw)

    def publish(self, payload: bytes) -> bytes:
        """A SIGNAL_DIFF for everybody."""
        return masked(encode(Frame(FrameType.SIGNAL_DIFF, payload[:-1] + b',"$":{"a":"wall"}}')))

    def alive(self) -> bytes:
        """A ping, as every screen sends one."""
        return _PING

    def answer(self, unit: Unit) -> bytes:
        """The server's own ping wants a pong."""
        return masked(unit[1], 0x8A) if unit[0] == "ping" else b""


def _message(opcode: int, raw: bytes) -> Unit:
    if opcode == 2:
        kind = raw[0]
        if kind in (FrameType.SIGNAL_DIFF, FrameType.SIGNAL_SYNC):
            return "news", raw[HEADER_SIZE:]
        return _said(raw), raw
    return {9: "ping", 8: "closed"}.get(opcode, "other"), raw


def _said(raw: bytes) -> str:
    length = HEADER.unpack_from(raw)[-1]
    return str(msgspec.json.decode(raw[HEADER_SIZE : HEADER_SIZE + length]).get("type"))


def masked(raw: bytes, first: int = 0x82) -> bytes:
    """A client's message; the mask is zero, which the standard's arithmetic allows and which costs nothing."""
    size = len(raw)
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size <= 0xFFFF:
        head = struct.pack(">BBH", first, 0xFE, size)
    else:
        head = struct.pack(">BBQ", first, 0xFF, size)
    return head + b"\0\0\0\0" + raw


_PING: Final = masked(encode(control("ping", t=0)))


class Mqtt:
    """MQTT 3.1.1, QoS 0."""

    name = "mosquitto"

    def greeting(self, host: str, token: str, *, source: bool) -> list[tuple[bytes, str]]:
        """CONNECT without keepalive, and SUBSCRIBE."""
        client = _text(f"b{secrets.token_hex(8)}".encode())
        connect = _packet(0x10, _text(b"MQTT") + bytes([4, 2, 0, 0]) + client)
        subscribe = _packet(0x82, b"\0\1" + _text(STREAM.encode()) + b"\0")
        return [(connect, "connack")] if source else [(connect, "connack"), (subscribe, "suback")]

    def split(self, rest: bytearray) -> Iterator[Unit]:
        """Packets."""
        while len(rest) >= 2:
            length = shift = 0
            at = 1
            while True:
                if at >= len(rest):
                    return
                byte = rest[at]
                at += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            if len(rest) < at + length:
                return
            kind, raw = rest[0] >> 4, bytes(rest[at : at + length])
            del rest[: at + length]
            if kind == 3:
                yield "news", raw[2 + int.from_bytes(raw[:2], "big") :]
            else:
                yield {2: "connack", 9: "suback"}.get(kind, "other"), raw

    def publish(self, payload: bytes) -> bytes:
        """PUBLISH, QoS 0."""
        return _packet(0x30, _text(STREAM.encode()) + payload)

    def alive(self) -> bytes:
        """Nothing: keepalive is off."""
        return b""

    def answer(self, unit: Unit) -> bytes:
        """Nothing."""
        return b""


def _text(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw


def _packet(first: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, byte = left >> 7, left & 0x7F
        length.append(byte | (0x80 if left else 0))
        if not left:
            return bytes([first]) + bytes(length) + body


class Nats:
    """The NATS client protocol."""

    name = "nats"

    def greeting(self, host: str, token: str, *, source: bool) -> list[tuple[bytes, str]]:
        """CONNECT, SUB, and a PING to know that both were taken."""
        connect = b'CONNECT {"verbose":false,"pedantic":false}\r\n'
        subscribe = b"" if source else f"SUB {STREAM} 1\r\n".encode()
        return [(connect + subscribe + b"PING\r\n", "PONG")]

    def split(self, rest: bytearray) -> Iterator[Unit]:
        """Lines, and after a MSG line its payload."""
        while (end := rest.find(b"\r\n")) >= 0:
            if not rest.startswith(b"MSG "):
                word = bytes(rest[:end]).split(b" ", 1)[0]
                del rest[: end + 2]
                yield word.decode(), b""
                continue
            at = end + 2
            length = int(rest[rest.rfind(b" ", 0, end) + 1 : end])
            if len(rest) < at + length + 2:
                return
            raw = bytes(rest[at : at + length])
            del rest[: at + length + 2]
            yield "news", raw

    def publish(self, payload: bytes) -> bytes:
        """PUB."""
        return f"PUB {STREAM} {len(payload)}\r\n".encode() + payload + b"\r\n"

    def alive(self) -> bytes:
        """Nothing: the server asks."""
        return b""

    def answer(self, unit: Unit) -> bytes:
        """Its PING wants a PONG."""
        return b"PONG\r\n" if unit[0] == "PING" else b""


WIRES: Final[dict[str, type[Bitstream | Mqtt | Nats]]] = {"bridge": Bitstream, "mosquitto": Mqtt, "nats": Nats}
