"""The receiver for microcontrollers under real MicroPython: the vectors of the specification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.bridge.frame import HEADER_SIZE
from tests.micropython.machine import RECEIVER, Machine, machine
from tests.vectors.make import HERE

DEFLATE, JSON, PIXELS = 0x04, (0x30, 0x31, 0xF0), (0x01, 0x02)
LIMIT = 32768
NEED_SYNC = {"type": "need_sync"}


@pytest.fixture(scope="module")
def micropython() -> Iterator[Machine]:
    with machine() as running:
        yield running


def vectors(name: str) -> list[Any]:
    told = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(each, id=each["name"]) for each in told["vectors"]]


def said(sent: list[str]) -> list[dict[str, Any]]:
    """The JSON of frames that the receiver sent."""
    return [json.loads(bytes.fromhex(frame)[HEADER_SIZE:]) for frame in sent]


def test_it_is_micropython(micropython: Machine) -> None:
    told = micropython.run("import sys, json\nprint(json.dumps(list(sys.implementation[0:2])))")
    assert told == ["micropython", [1, 27, 0, ""]]


def test_it_has_60_lines() -> None:
    assert len((RECEIVER / "receiver.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("vector", vectors("frames"))
def test_frames(micropython: Machine, vector: dict[str, Any], size: int) -> None:
    micropython.call("begin", vector.get("limit", LIMIT))
    told = micropython.call("feed", vector["bytes"].replace(" ", ""), size)
    pictures_fit = all(frame["width"] * frame["height"] * 4 <= LIMIT for frame in vector["frames"])
    if not pictures_fit:
        assert told["error"] == "SIG302"
    elif vector.get("inflates"):
        assert told["error"] == "SIG304", "it inflates nothing"
    else:
        taken = [frame for frame in vector["frames"] if frame["type"] in (*JSON, *PIXELS)]
        assert told["error"] == (None if vector.get("cut") else vector.get("error"))
        assert [kind for kind, _ in told["seen"]] == [frame["type"] for frame in taken]
        for (kind, content), frame in zip(told["seen"], taken, strict=True):
            assert frame["payload"] == content if kind in PIXELS else frame["json"] == json.loads(content)
        if vector.get("cut") or not vector.get("error"):
            assert (told["waits"] > 0) == bool(vector.get("cut")), "only a frame that is not whole waits"


@pytest.mark.parametrize("vector", vectors("signals"))
def test_signals(micropython: Machine, vector: dict[str, Any]) -> None:
    micropython.call("begin", LIMIT, vector["have"])
    for step in vector["steps"]:
        told = micropython.call("feed", step["bytes"].replace(" ", ""))
        assert (told["error"], told["signals"]) == (None, step["values"])
        assert told["at"] == [step["e"], step["v"]]
        assert said(told["sent"]) == ([NEED_SYNC] if step.get("asks") else [])


@pytest.mark.parametrize("vector", vectors("pictures"))
def test_pictures(micropython: Machine, vector: dict[str, Any]) -> None:
    micropython.call("begin", vector.get("limit", 4096))
    for step in vector["steps"]:
        told = micropython.call("feed", step["bytes"].replace(" ", ""))
        if step.get("error") == "SIG302":
            assert told["error"] == "SIG302"
        elif "error" in step:
            assert said(told["sent"]) == [NEED_SYNC]
        else:
            assert (told["error"], told["sent"], told["size"]) == (None, [], [step["width"], step["height"]])
            assert micropython.call("pixels") == "".join(pixel * times for pixel, times in step["pixels"])


@pytest.mark.parametrize("vector", vectors("sound"))
def test_sound_is_skipped(micropython: Machine, vector: dict[str, Any]) -> None:
    micropython.call("begin", LIMIT)
    told = micropython.call("feed", vector["bytes"].replace(" ", ""))
    assert (told["error"], told["seen"], told["waits"]) == (None, [], 0)


def test_it_subscribes_with_what_it_has_and_answers_pings(micropython: Machine) -> None:
    hello = "f0000000 00000000 00000000 10000000" + b'{"type":"hello"}'.hex()
    ping = "f0000000 00000000 00000000 15000000" + b'{"type":"ping","t":7}'.hex()
    subscribe = {"type": "subscribe", "stream": "main", "e": None, "v": None}
    micropython.call("begin", LIMIT)
    told = micropython.call("feed", (hello + ping).replace(" ", ""), 3)
    assert said(told["sent"]) == [subscribe, {"type": "pong", "t": 7}]
    micropython.call("begin", LIMIT, {"e": "9f3c01aa", "v": 41, "values": {"a": 1}})
    told = micropython.call("feed", hello.replace(" ", ""))
    assert said(told["sent"]) == [subscribe | {"e": "9f3c01aa", "v": 41}]


def test_an_input_has_its_flag(micropython: Machine) -> None:
    micropython.call("begin", LIMIT)
    micropython.run("program.screen.send(0x40, type='set', values={'set.wall.lamp': 1})")
    sent = micropython.run("import json\nprint(json.dumps(program.sent))")
    assert bytes.fromhex(sent[0])[:2] == b"\x40\x01"
    assert said(sent) == [{"type": "set", "values": {"set.wall.lamp": 1}}]
