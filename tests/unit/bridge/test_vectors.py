"""The vectors of the specification, run by the box's own code; ``tests/vectors/README.md`` says what they hold."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.bridge import Copy, Decoder, Frame, FrameType, Member, Session, Streams, encode
from appliance.bridge.frame import DEFAULT_LIMIT, HEADER_SIZE, JSON_TYPES, decode
from appliance.bridge.pixels import Picture
from appliance.bridge.sound import read_sound
from appliance.bridge.sources.screens import Screens, SetLimits
from appliance.bridge.sources.writer import Inputs
from appliance.bridge.transports import ConnectionLost
from appliance.bridge.transports.memory import pair
from appliance.errors import HTTP_STATUS, ApplianceError
from appliance.types import Signal
from tests.vectors.make import HERE, written

Vector = dict[str, Any]


def vectors(name: str) -> list[Any]:
    told = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(each, id=each["name"]) for each in told["vectors"]]


def read(data: bytes, limit: int, size: int) -> tuple[list[Frame], str | None]:
    """The frames of a byte stream that comes in pieces of `size`, and the code of what ends it."""
    decoder, frames = Decoder(limit), []
    try:
        for at in range(0, len(data), size):
            for frame in decoder.feed(data[at : at + size]):
                if frame.type in JSON_TYPES:
                    frame.json()
                frames.append(frame)
    except ApplianceError as error:
        return frames, error.code
    return frames, None


def meaning(frame: Frame, told: Vector) -> Vector:
    said = {name: getattr(frame, name) for name in ("type", "flags", "seq", "timestamp", "width", "height")}
    content = {"json": frame.json()} if "json" in told else {"payload": frame.payload.hex()}
    return said | content | ({"skip": True} if frame.type not in set(FrameType) else {})


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("vector", vectors("frames"))
def test_frames(vector: Vector, size: int) -> None:
    data, limit = bytes.fromhex(vector["bytes"]), vector.get("limit", DEFAULT_LIMIT)
    frames, code = read(data, limit, size)
    assert [meaning(*each) for each in zip(frames, vector["frames"], strict=True)] == vector["frames"]
    assert code == (None if vector.get("cut") else vector.get("error"))


@pytest.mark.parametrize("vector", [each for each in vectors("frames") if each.values[0].get("cut")])
def test_what_is_cut_short_is_an_error_where_no_more_can_come(vector: Vector) -> None:
    data = bytes.fromhex(vector["bytes"])
    for told in vector["frames"]:
        data = data[HEADER_SIZE + len(msgspec.json.encode(told["json"])) :]
    with pytest.raises(ApplianceError, match=vector["error"]):
        decode(data)


@pytest.mark.parametrize("vector", [each for each in vectors("frames") if each.values[0].get("encodes")])
def test_frames_are_written_just_so(vector: Vector) -> None:
    [told] = vector["frames"]
    payload = msgspec.json.encode(told["json"]) if "json" in told else bytes.fromhex(told["payload"])
    head = {name: told[name] for name in ("type", "flags", "seq", "timestamp", "width", "height")}
    assert encode(Frame(payload=payload, **head)) == bytes.fromhex(vector["bytes"])


@pytest.mark.parametrize("vector", vectors("signals"))
def test_signals(vector: Vector) -> None:
    copy, have = Copy(), vector["have"]
    copy.sync(have["values"] | {"$": {"e": have["e"], "v": have["v"]}})
    for step in vector["steps"]:
        assert take_signals(copy, decode(bytes.fromhex(step["bytes"]))) == step.get("asks")
        assert {"e": copy.epoch, "v": copy.version, "values": copy.values} == {
            key: step[key] for key in ("e", "v", "values")
        }


def take_signals(copy: Copy, frame: Frame) -> str | None:
    """Apply a frame; what a receiver asks for then."""
    if frame.type == FrameType.CONTROL:
        return "need_sync" if frame.json()["type"] == "gap" else None
    try:
        (copy.sync if frame.type == FrameType.SIGNAL_SYNC else copy.diff)(frame.json())
    except ApplianceError as error:
        assert error.code == "SIG305"
        return "need_sync"
    return None


@pytest.mark.parametrize("vector", vectors("pictures"))
def test_pictures(vector: Vector) -> None:
    picture = Picture(vector.get("limit", 4096))
    for step in vector["steps"]:
        frame = decode(bytes.fromhex(step["bytes"]))
        if "error" in step:
            with pytest.raises(ApplianceError, match=step["error"]):
                picture.take(frame)
        else:
            picture.take(frame)
            pixels = b"".join(bytes.fromhex(pixel) * times for pixel, times in step["pixels"])
            assert (picture.width, picture.height, picture.data) == (step["width"], step["height"], pixels)


@pytest.mark.parametrize("vector", vectors("sound"))
def test_sound(vector: Vector) -> None:
    frame = decode(bytes.fromhex(vector["bytes"]))
    if "error" in vector:
        with pytest.raises(ApplianceError, match=vector["error"]):
            read_sound(frame)
    else:
        sound = read_sound(frame)
        told = {"rate": sound.rate, "channels": sound.channels, "samples": sound.samples.hex(), "begins": sound.begins}
        assert told == {key: vector[key] for key in told}


@pytest.mark.parametrize("vector", vectors("box"))
async def test_box(vector: Vector) -> None:
    streams = Streams()
    streams.open("main").write("box", [Signal("beds.free", 7)])
    box, screen = pair()
    member, write = Member("tablet", "staff"), Screens(SetLimits()).set
    session = asyncio.create_task(Session(box, streams, "Box", Inputs().hear, member, write=write).run())
    await screen.receive()  # the hello
    for each in vector["send"]:
        await screen.send(bytes.fromhex(each))
    answers: list[dict[str, Any]] = []
    while len(answers) < len(vector["answers"]):
        frame = await asyncio.wait_for(screen.receive(), 2)
        if frame.type == FrameType.CONTROL:
            answers.append(frame.json())
    for answer, told in zip(answers, vector["answers"], strict=True):
        assert {key: answer.get(key) for key in told} == told
        assert answer["type"] != "ack" or answer.keys() == told.keys()
    if vector["closes"]:
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(screen.receive(), 2)
    if "after" in vector:
        assert streams.open("main").view("staff").values == {"beds.free": 7} | vector["after"]
    with contextlib.suppress(ConnectionLost):
        await screen.close()
    await asyncio.wait_for(session, 2)


def test_the_files_are_as_the_specification_was_read() -> None:
    for name, content in written().items():
        assert (HERE / name).read_text(encoding="utf-8") == content, "run: python -m tests.vectors.make"


@pytest.mark.parametrize("name", sorted(written()))
def test_no_two_vectors_have_one_name(name: str) -> None:
    names = [each.id for each in vectors(name.removesuffix(".json"))]
    assert len(set(names)) == len(names) > 5


def test_the_readme_names_every_file_and_key() -> None:
    text = (HERE / "README.md").read_text()
    files = {path.name for path in HERE.glob("*.json")}
    assert files == set(re.findall(r"^## `(\w+\.json)`", text, re.MULTILINE)) == set(written())
    keys = {key for name in files for each in vectors(Path(name).stem) for key in every_key(each.values[0])}
    assert {key for key in keys if f"`{key}`" not in text} == set()


def every_key(vector: Vector) -> set[str]:
    parts = [
        vector,
        *vector.get("steps", []),
        *vector.get("frames", []),
        *([vector["have"]] if "have" in vector else []),
    ]
    return {key for part in parts for key in part}


def test_every_type_and_every_code_of_frames_has_a_vector() -> None:
    told = [each.values[0] for each in vectors("frames")]
    assert {frame["type"] for each in told for frame in each["frames"]} >= set(FrameType)
    text = "".join(path.read_text() for path in HERE.glob("*.json"))
    assert {code for code in HTTP_STATUS if re.match(r"SIG3(0\d|10)", code)} - set(
        re.findall(r"SIG3\d\d", text)
    ) == set()
