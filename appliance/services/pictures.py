"""Pictures for dumb screens: draws what a role sees of a stream, once per size, and feeds all who want it.

    subscribe {"stream": "main", "pixels": {"width": 800, "height": 480, "colors": "bw", "clock": true}}

Drawing happens in one thread of its own and only when something visible changed, at most every `picture_every_s`; the
event loop and the receivers' number have no part in its cost. A picture that nobody wants any more is no longer drawn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from appliance.bridge.picture import PictureFeed, PictureFlow
from appliance.bridge.pixels import delta
from appliance.bridge.stream import Stream
from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen.pictures import Look, Moment, Shape, draw, read_look
from appliance.types import Role

SIDE_LIMIT: Final = 8192
SIDE_LEAST: Final = 8
LOOK_S: Final = 1.0
"""How often the clock, and whether the answers are kept up, is looked at."""
GATHER_S: Final = 0.02
"""After a change that nobody sees; the one that is seen often follows at once."""
AWAY_S: Final = 3.0
"""An assistant that comes back within this time was not away."""
FIRST_S: Final = 15.0
FAILED: Final = "This picture could not be drawn."
log = logger("bridge")


class Wish(msgspec.Struct, frozen=True):
    """What a screen says of itself under ``pixels``.

    Attributes:
        clock: draw the time, so that a picture that is left behind can be told; it then changes every minute.
        packed: whole pictures come run-length encoded too.
    """

    width: int
    height: int
    colors: str = "full"
    clock: bool = False
    packed: bool = False


Key = tuple[Stream, Role, Shape, bool]
"""What a picture shows: a stream, as a role sees it, in a shape, with or without the time."""


class Place(msgspec.Struct, eq=False):
    """A picture that is kept: its feed, who draws it, and how many look."""

    feed: PictureFeed
    drawing: asyncio.Task[None]
    receivers: int = 0


class Pictures:
    """All pictures that are wanted just now.

    Args:
        settings: sizes, number and pace.
        kept_up: whether somebody keeps the answers true.
    """

    def __init__(self, settings: Settings, kept_up: Callable[[], bool]) -> None:
        self._settings, self._kept_up = settings, kept_up
        self._zone = ZoneInfo(settings.timezone) if settings.timezone else None
        self._places: dict[Key, Place] = {}
        self._hand = ThreadPoolExecutor(1, "pictures")
        self._seen_up = time.time()

    @property
    def count(self) -> int:
        """How many different pictures are kept."""
        return len(self._places)

    async def open(self, stream: Stream, role: Role, pixels: Any) -> PictureFlow:
        """The picture a screen wishes for; returns once it is drawn.

        Raises:
            ApplianceError: BRG450, no such picture can be drawn; BRG451, too many different ones are.
        """
        wish = read_wish(pixels, self._settings)
        shape = Shape(wish.width, wish.height, wish.colors)  # type: ignore[arg-type]
        key = (stream, role, shape, wish.clock)
        place = self._places.get(key) or self._begin(key)
        place.receivers += 1
        flow = PictureFlow(place.feed, partial(self._leave, key, place), packed=wish.packed)
        try:
            async with asyncio.timeout(FIRST_S):
                await place.feed.drawn.wait()
        except BaseException as error:
            flow.close()
            if isinstance(error, TimeoutError):
                raise ApplianceError("BRG451", "The box has no time for this picture.", None, "Try again.") from None
            raise
        return flow

    def _begin(self, key: Key) -> Place:
        limit = self._settings.pictures_limit
        if len(self._places) >= limit:
            hint = "Let screens share a size, or raise the setting pictures_limit."
            raise ApplianceError(
                "BRG451", "The box draws as many different pictures as it may.", {"limit": limit}, hint
            )
        stream, role, shape, clock = key
        feed = PictureFeed(shape.width, shape.height, self._settings.frame_limit)
        place = Place(feed, asyncio.create_task(self._draw(feed, stream, role, shape, clock)))
        self._places[key] = place
        return place

    def _leave(self, key: Key, place: Place) -> None:
        place.receivers -= 1
        if place.receivers == 0:
            place.drawing.cancel()
            self._places.pop(key, None)

    async def _draw(self, feed: PictureFeed, stream: Stream, role: Role, shape: Shape, clock: bool) -> None:
        last: Look | None = None
        told: tuple[int, Moment] | None = None
        while True:
            version, moment = stream.view(role).version, self._moment(stream, clock)
            if told != (version, moment):
                told, values = (version, moment), stream.view(role).values
                loop = asyncio.get_running_loop()
                work = partial(_render, values, moment, shape, last, feed.pixels)
                last, pixels, change = await loop.run_in_executor(self._hand, work)
                if pixels is not None:
                    feed.show(pixels, change)
                await asyncio.sleep(GATHER_S if pixels is None else self._settings.picture_every_s)
            try:
                async with asyncio.timeout(LOOK_S):
                    await stream.wait(role, version)
            except TimeoutError:
                continue

    def _moment(self, stream: Stream, clock: bool) -> Moment:
        if stream.clock is not None:
            return self._past(stream.clock())
        now = time.time()
        if self._kept_up():
            self._seen_up = now
        away = self._say(self._seen_up) if now - self._seen_up > AWAY_S else ""
        return Moment(self._say(now) if clock else "", away, self._local(now).tzinfo)  # type: ignore[arg-type]

    def _past(self, shown: int) -> Moment:
        """Of a stream that shows the past; its time is always drawn, so that it does not pass for the present."""
        return Moment(f"Past {self._say(shown / 1000)}", "", self._local(shown / 1000).tzinfo)  # type: ignore[arg-type]

    def _say(self, at: float) -> str:
        return self._local(at).strftime("%H:%M")

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self._zone) if self._zone else datetime.fromtimestamp(at).astimezone()

    async def close(self) -> None:
        """Draw no more."""
        drawing = [place.drawing for place in self._places.values()]
        for task in drawing:
            task.cancel()
        await asyncio.gather(*drawing, return_exceptions=True)
        await asyncio.to_thread(self._hand.shutdown, cancel_futures=True)


def read_wish(pixels: Any, settings: Settings) -> Wish:
    """What a screen says under ``pixels``, checked.

    Raises:
        ApplianceError: BRG450.
    """
    hint = 'Say "pixels": {"width": 800, "height": 480, "colors": "full"}; colors are full, gray or bw.'
    try:
        wish = msgspec.convert(pixels, type=Wish)
    except msgspec.ValidationError as error:
        raise ApplianceError("BRG450", "The wish for a picture cannot be read.", str(error), hint) from None
    sides = min(wish.width, wish.height) >= SIDE_LEAST and max(wish.width, wish.height) <= SIDE_LIMIT
    if not sides or wish.width * wish.height > settings.picture_limit:
        details = {"width": wish.width, "height": wish.height, "most_pixels": settings.picture_limit}
        raise ApplianceError("BRG450", "The box draws no picture of this size.", details, hint)
    if wish.colors not in ("full", "gray", "bw"):
        raise ApplianceError("BRG450", "There are no such colors.", wish.colors[:40], hint)
    return wish


def _render(
    values: dict[str, Any], moment: Moment, shape: Shape, last: Look | None, before: bytes
) -> tuple[Look, bytes | None, bytes]:
    """The look, its picture and what that changes in the one before; no picture where the look is the last one's."""
    look = Look("", moment.clock, (), (FAILED,), ())
    try:
        look = read_look(values, moment)
        if look == last:
            return look, None, b""
        pixels = draw(look, shape)
    except Exception as error:  # one odd signal must not leave an old picture standing as if it were true
        log.error("a picture could not be drawn", width=shape.width, height=shape.height, error=repr(error))
        look = msgspec.structs.replace(look, answers=(), alerts=(), faults=(FAILED,))
        pixels = draw(look, shape)
    return look, pixels, delta(before, pixels) if before else b""
