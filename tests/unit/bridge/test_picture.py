"""A picture that changes, as frames."""

from __future__ import annotations

import asyncio
import random

from appliance.bridge.frame import KEYFRAME, FrameType
from appliance.bridge.picture import KEPT, PictureFeed, PictureFlow
from appliance.bridge.pixels import Picture, delta

SIZE = (16, 8)


def picture(seed: int, changed: int = 6) -> bytes:
    """A black picture with some pixels lit."""
    chance = random.Random(seed)
    raw = bytearray(SIZE[0] * SIZE[1] * 4)
    for _ in range(changed):
        at = chance.randrange(SIZE[0] * SIZE[1]) * 4
        raw[at : at + 4] = chance.randbytes(4)
    return bytes(raw)


def flow_of(feed: PictureFeed, **more: bool) -> PictureFlow:
    return PictureFlow(feed, lambda: None, **more)


def test_first_the_whole_picture_then_what_changed() -> None:
    feed = PictureFeed(*SIZE)
    flow, mine = flow_of(feed), Picture()
    assert flow.take() is None
    kinds = []
    for seed in range(20):
        feed.show(picture(seed))
        frame = flow.take()
        assert frame is not None
        kinds.append((frame.type, frame.flags))
        mine.take(frame)
        assert mine.data == picture(seed)
        assert flow.take() is None
    assert kinds == [(FrameType.PIXELS, KEYFRAME)] + [(FrameType.PIXELS_DELTA, 0)] * 19


def test_one_that_is_behind_gets_one_change_and_one_too_far_behind_the_whole() -> None:
    feed, flows = PictureFeed(*SIZE), {}
    for seed in range(KEPT + 1):
        feed.show(picture(seed))
        flows[seed] = flow_of(feed)
        flows[seed].take()
    feed.show(picture(99))
    frames = {seed: flow.take() for seed, flow in flows.items()}
    for seed, frame in frames.items():
        assert frame is not None
        behind = KEPT + 1 - seed
        assert frame.type == (FrameType.PIXELS_DELTA if behind < KEPT else FrameType.PIXELS)
        mine = Picture()
        mine.width, mine.height, mine.data = *SIZE, picture(seed)
        mine.take(frame)
        assert mine.data == picture(99)


def test_a_receiver_that_lost_count_gets_the_whole() -> None:
    feed = PictureFeed(*SIZE)
    feed.show(picture(1))
    flow = flow_of(feed)
    flow.take()
    flow.again()
    frame = flow.take()
    assert frame is not None
    assert (frame.type, frame.payload) == (FrameType.PIXELS, picture(1))


def test_a_whole_picture_may_come_packed() -> None:
    for feed, packed in ((PictureFeed(*SIZE), True), (PictureFeed(*SIZE, frame_limit=100), False)):
        feed.show(picture(3))
        frame = flow_of(feed, packed=packed).take()
        assert frame is not None
        assert (frame.type, frame.flags) == (FrameType.PIXELS_DELTA, KEYFRAME)
        mine = Picture()
        mine.take(frame)
        assert mine.data == picture(3)


def test_a_change_that_is_larger_than_the_picture_is_not_sent() -> None:
    feed = PictureFeed(*SIZE)
    noise = [random.Random(seed).randbytes(SIZE[0] * SIZE[1] * 4) for seed in range(2)]
    feed.show(noise[0])
    flow = flow_of(feed)
    flow.take()
    feed.show(noise[1], delta(noise[0], noise[1]))
    frame = flow.take()
    assert frame is not None
    assert frame.type == FrameType.PIXELS


def test_the_same_bytes_are_made_once_for_all() -> None:
    feed = PictureFeed(*SIZE)
    feed.show(picture(1))
    flows = [flow_of(feed) for _ in range(3)]
    assert len({id(flow.take()) for flow in flows}) == 1
    feed.show(picture(2), delta(picture(1), picture(2)))
    assert len({id(flow.take()) for flow in flows}) == 1


def test_the_same_picture_again_is_no_news() -> None:
    feed = PictureFeed(*SIZE)
    assert feed.show(picture(1))
    assert not feed.show(picture(1))
    assert feed.version == 1


async def test_waiting_ends_with_the_next_picture() -> None:
    feed = PictureFeed(*SIZE)
    flow = flow_of(feed)
    waiting = asyncio.create_task(flow.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.show(picture(1))
    await asyncio.wait_for(waiting, 1)
    flow.take()
    waiting = asyncio.create_task(flow.wait())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    waiting.cancel()
