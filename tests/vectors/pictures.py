"""Pictures and sound."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from tests.vectors.wire import AUDIO, DELTA, KEYFRAME, PIXELS, Json, hexed, raw

RED, BLUE, BLACK = bytes.fromhex("ff0000ff"), bytes.fromhex("0000ffff"), bytes.fromhex("000000ff")


def shows(data: bytes, size: tuple[int, int], pixels: bytes) -> Json:
    return {"bytes": hexed(data), "width": size[0], "height": size[1], "pixels": runs(pixels)}


def runs(pixels: bytes) -> list[list[Any]]:
    """Pixels as a list of [one pixel, how often]."""
    each = (pixels[at : at + 4].hex() for at in range(0, len(pixels), 4))
    return [[pixel, len(list(same))] for pixel, same in groupby(each)]


def spoils(data: bytes, error: str) -> Json:
    return {"bytes": hexed(data), "error": error}


def pictures() -> list[Json]:
    four, red4 = (2, 2), raw(PIXELS, RED * 4, KEYFRAME, size=(2, 2))
    flip = bytes(a ^ b for a, b in zip(RED, BLUE, strict=True))

    def change(tokens: str, flags: int = 0, size: tuple[int, int] = four) -> bytes:
        return raw(DELTA, bytes.fromhex(tokens), flags, size=size)

    begin = shows(red4, four, RED * 4)
    return [
        {"name": "a picture", "steps": [begin]},
        {
            "name": "another size",
            "steps": [begin, shows(raw(PIXELS, BLUE * 3, KEYFRAME, size=(3, 1)), (3, 1), BLUE * 3)],
        },
        {"name": "no change", "steps": [begin, shows(change(""), four, RED * 4)]},
        {"name": "same, then the rest by itself", "steps": [begin, shows(change("0300"), four, RED * 4)]},
        {"name": "repeat", "steps": [begin, shows(change("0440" + flip.hex()), four, BLUE * 4)]},
        {"name": "literal", "steps": [begin, shows(change("0280" + flip.hex() + "00000000"), four, BLUE + RED * 3)]},
        {
            "name": "all three, over the end of a row",
            "steps": [
                begin,
                shows(change("0100 0240" + flip.hex() + "0180" + RED.hex()), four, RED + BLUE * 2 + bytes(4)),
            ],
        },
        {
            "name": "one change after the other",
            "steps": [
                begin,
                shows(change("0140" + flip.hex()), four, BLUE + RED * 3),
                shows(change("0140" + flip.hex()), four, RED * 4),
            ],
        },
        {
            "name": "more pixels than one token holds",
            "steps": [
                shows(
                    change("ff7f" + BLACK.hex() + "0140" + RED.hex(), KEYFRAME, (128, 128)),
                    (128, 128),
                    BLACK * 16383 + RED,
                )
            ],
            "limit": 65536,
        },
        {
            "name": "the change of an all-zero picture",
            "steps": [begin, shows(change("0140" + RED.hex(), KEYFRAME), four, RED + bytes(12))],
        },
        {
            "name": "a keyframe of nothing is all zeros",
            "steps": [begin, shows(change("", KEYFRAME, (1, 3)), (1, 3), bytes(12))],
        },
        {"name": "a change before any picture", "steps": [spoils(change(""), "SIG305"), begin]},
        {"name": "a change of another size", "steps": [begin, spoils(change("", 0, (4, 1)), "SIG305"), begin]},
        *(
            {"name": f"a token that {what}", "steps": [begin, spoils(change(tokens), "SIG308"), begin]}
            for what, tokens in {
                "is half there": "04",
                "is unknown": "01c0ffffffff",
                "has no pixels": "0000",
                "repeats no pixels": "0040ffffffff",
                "reaches over the end": "0500",
                "repeats over the end": "0540ffffffff",
                "reaches over the end after another": "0300 0200",
                "repeats what is cut short": "0140ffffff",
                "is literal and cut short": "0280ffffffffffffff",
            }.items()
        ),
        {
            "name": "too few pixels",
            "steps": [begin, spoils(raw(PIXELS, RED * 3, KEYFRAME, size=four), "SIG308"), begin],
        },
        {
            "name": "too many pixels",
            "steps": [begin, spoils(raw(PIXELS, RED * 5, KEYFRAME, size=four), "SIG308"), begin],
        },
        {"name": "no width", "steps": [begin, spoils(raw(PIXELS, b"", KEYFRAME, size=(0, 2)), "SIG308"), begin]},
        {
            "name": "larger than the receiver takes",
            "steps": [spoils(change("", KEYFRAME, (65535, 65535)), "SIG302")],
            "limit": 65536,
        },
    ]


def sounds() -> list[Json]:
    def piece(samples: str, flags: int, rate: int, channels: int) -> Json:
        data = bytes.fromhex(samples)
        sound = {"rate": rate * 100, "channels": channels, "samples": samples, "begins": bool(flags & KEYFRAME)}
        return {"bytes": hexed(raw(AUDIO, data, flags, size=(rate, channels)))} | sound

    def wrong(samples: str, rate: int, channels: int) -> Json:
        return {"bytes": hexed(raw(AUDIO, bytes.fromhex(samples), size=(rate, channels))), "error": "SIG308"}

    return [
        {"name": "a sound begins"} | piece("0000ff7f0080", KEYFRAME, 220, 1),
        {"name": "it goes on, in stereo"} | piece("01000200", 0, 441, 2),
        {"name": "it ends"} | piece("", 0, 220, 1),
        {"name": "silence now"} | piece("", KEYFRAME, 220, 1),
        {"name": "half a sample"} | wrong("000000", 220, 1),
        {"name": "one channel of two"} | wrong("0000", 220, 2),
        {"name": "no rate"} | wrong("0000", 0, 1),
        {"name": "no channel"} | wrong("0000", 220, 0),
    ]
