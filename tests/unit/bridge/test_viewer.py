"""The page that a stream carries."""

from __future__ import annotations

import asyncio

import pytest

from appliance.bridge import Streams, control, encode
from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.bridge.sources import writer
from appliance.bridge.transports.memory import pair
from appliance.bridge.viewer import VIEWER_LIMIT, ViewerFlow, check_viewer
from appliance.errors import ApplianceError


def test_the_page_is_sent_once() -> None:
    flow = ViewerFlow(b"<p>")
    assert flow.take() == Frame(FrameType.APP, b"<p>", KEYFRAME)
    flow.again()
    assert flow.take() is None


@pytest.mark.parametrize(("page", "code"), [(b" " * (VIEWER_LIMIT + 1), "SIG302"), (b"\xff\xfe", "SIG303")])
def test_what_is_no_page_is_refused(page: bytes, code: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        check_viewer(page)
    assert caught.value.code == code


async def test_a_source_brings_its_stream_a_viewer_and_takes_it_back() -> None:
    box, source = pair()
    stream = Streams().open("ward")
    task = asyncio.create_task(writer.run(box, "s", stream, writer.Inputs()))
    await source.send(encode(Frame(FrameType.APP, b"<p>Ward</p>"), deflate=True))
    await source.send(encode(control("ping")))
    await asyncio.wait_for(source.receive(), 2)
    carried = stream.viewer
    await source.send(encode(Frame(FrameType.APP)))
    await source.send(encode(control("ping")))
    await asyncio.wait_for(source.receive(), 2)
    assert (carried, stream.viewer) == (b"<p>Ward</p>", None)
    await source.close()
    await asyncio.wait_for(task, 2)
