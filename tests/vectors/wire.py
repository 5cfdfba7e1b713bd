"""Frames as bytes and as what they mean, from the specification alone: none of the product's code is used here."""

from __future__ import annotations

import json
import struct
from typing import Any

APP, PIXELS, DELTA, AUDIO, SYNC, DIFF, INPUT, CONTROL = 0x00, 0x01, 0x02, 0x10, 0x30, 0x31, 0x40, 0xF0
FROM_SCREEN, KEYFRAME, DEFLATE = 1, 2, 4
LIMIT = 4 * 1024 * 1024
Json = dict[str, Any]

# Raw deflate of the texts beside them, so that the bytes do not depend on anybody's zlib.
WARD = '{"ward":"Cardiology, Cardiology, Cardiology"}'
WARD_DEFLATED = bytes.fromhex("ab562a4f2c4a51b25272065299f939f9e9953a0ad8d94ab500")
THOUSAND_X_DEFLATED = bytes.fromhex("aba81805a360140c770000")
PAGE = "<!doctype html><title>Beds</title>"


def stored(plain: bytes) -> bytes:
    """Raw deflate of one stored block (RFC 1951, 3.2.4)."""
    return b"\x01" + struct.pack("<HH", len(plain), len(plain) ^ 0xFFFF) + plain


def raw(
    kind: int,
    payload: bytes | Json | str = b"",
    flags: int = 0,
    *,
    seq: int = 0,
    at: int = 0,
    size: tuple[int, int] = (0, 0),
    length: int | None = None,
) -> bytes:
    """A frame as it travels."""
    body = payload if isinstance(payload, bytes) else text(payload).encode()
    told = len(body) if length is None else length
    return struct.pack("<BBHIHHI", kind, flags, seq, at, *size, told) + body


def text(value: Json | str) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def meaning(
    kind: int,
    value: Json | bytes,
    flags: int = 0,
    *,
    seq: int = 0,
    at: int = 0,
    size: tuple[int, int] = (0, 0),
) -> Json:
    """What a frame says, inflated."""
    head = {"type": kind, "flags": flags, "seq": seq, "timestamp": at, "width": size[0], "height": size[1]}
    return head | ({"payload": value.hex()} if isinstance(value, bytes) else {"json": value})


def hexed(data: bytes) -> str:
    """Header and payload apart, so that a person can read them."""
    return f"{data[:16].hex(' ', 4)} {data[16:].hex()}".strip()


def good(name: str, kind: int, payload: Json | bytes, flags: int = 0, **more: Any) -> Json:
    """One frame that can be read, and that is written just so."""
    return {
        "name": name,
        "bytes": hexed(raw(kind, payload, flags, **more)),
        "frames": [meaning(kind, payload, flags, **more)],
        "encodes": True,
    }


def bad(name: str, data: bytes, error: str, before: list[Json] | None = None, **more: Any) -> Json:
    """Bytes that end in an error, after the frames of `before`."""
    return {"name": name, "bytes": hexed(data), "frames": before or [], "error": error, **more}
