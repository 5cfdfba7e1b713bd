"""One peer of a relay: the conversation of :mod:`~appliance.bridge.session`, from a chain instead of a stream."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from appliance.bridge.frame import Frame, FrameType, control, encode
from appliance.bridge.mesh.chain import Link
from appliance.bridge.passes import Pass, refused
from appliance.bridge.rooms import own_stream
from appliance.bridge.session import SILENCE_S
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.errors import ApplianceError

if TYPE_CHECKING:
    from appliance.bridge.mesh.relay import Relay

POSTED: Final = 16
"""Frames for this peer alone that may wait; older ones are dropped."""
PIECE: Final = 65_536
UP_BYTES: Final = 65_536
UP_PER_S: Final = 20


class Peer:
    """A screen that a relay serves. Waits for its hello, then for its subscribe, then sends all that follows."""

    def __init__(self, relay: Relay, connection: Connection) -> None:
        self.id = connection.peer
        self._relay = relay
        self._connection = connection
        self._pass: Pass | None = None
        self._pump: asyncio.Task[None] | None = None
        self._posted: deque[Frame] = deque(maxlen=POSTED)
        self._next: int | None = None
        self._told: dict[str, Any] = {}
        self._word: Frame | None = None
        self._wire = asyncio.Lock()
        self._seq = 0
        self._up = (0.0, 0)

    async def run(self) -> None:
        """Talk until the peer leaves, falls silent, says what cannot be read, or its pass runs out."""
        try:
            while True:
                frame = await asyncio.wait_for(self._connection.receive(), SILENCE_S)
                await asyncio.wait_for(self._take(frame), SILENCE_S)
        except (ConnectionLost, TimeoutError):
            pass
        except ApplianceError as error:
            await self._refuse(error)
        finally:
            await self.leave()
            await self._stop(at_once=True)  # to a peer that does not read a frame may be on its way for ever

    async def leave(self, reason: str = "") -> None:
        """End the connection."""
        with contextlib.suppress(ConnectionLost):
            await self._connection.close(reason)

    def post(self, frame: Frame) -> None:
        """A frame for this peer alone."""
        self._posted.append(frame)
        self._relay.tell()

    async def _take(self, frame: Frame) -> None:
        if frame.type == FrameType.INPUT:
            await self._letter(frame)
        elif frame.type == FrameType.CONTROL:
            await self._control(frame)

    async def _control(self, frame: Frame) -> None:
        said = frame.json()
        kind = said.get("type")
        if kind == "hello":
            await self._hello(said)
        elif kind == "ping":
            await self._send(control("pong", t=said.get("t")))
        elif kind == "subscribe":
            await self._subscribe(said)
        elif kind == "need_sync" and self._pump is not None:
            await self._begin(None)
        elif kind == "prove":
            await self._prove(frame, str(said.get("n", "")))

    async def _hello(self, said: dict[str, Any]) -> None:
        self._pass = self._relay.admit(self, str(said.get("pass") or ""))
        self._told = self._relay.way()
        await self._send(control("hello", **self._relay.greeting(self._pass), **self._told))

    async def _subscribe(self, said: dict[str, Any]) -> None:
        shown, place, version = self._known(), self._relay.place, said.get("v")
        if self._relay.chain.keyframe is None:
            raise ApplianceError(
                "BRG432", "This screen has nothing to pass on just now.", None, "Try again in a moment."
            )
        wanted = said.get("stream") or "main"
        if place is None or (own_stream(shown.room) if wanted == "main" else wanted) != place.stream:
            raise ApplianceError("BRG408", "This screen does not pass on that stream.", said.get("stream"))
        await self._begin(
            self._relay.chain.where(said.get("e"), version if isinstance(version, int) else None),
        )

    async def _begin(self, number: int | None) -> None:
        await self._stop()
        await self._follow(number, subscribed=True)
        self._pump = asyncio.create_task(self._run_pump())

    async def _follow(self, number: int | None, *, subscribed: bool = False) -> bool:
        """Send what follows; whether there was anything."""
        chain = self._relay.chain
        links = chain.follow(number)
        some = links if subscribed else _as_much_as_fits(links)
        self._next = chain.end - (len(links) - len(some))
        frames = self._besides()  # the box's word first: it says how old the picture is that follows
        frames += [frame for link in some for frame in (link.seal.frame(), link.frame)]
        if subscribed and self._relay.place is not None:
            frames.append(control("subscribed", stream=self._relay.place.stream, e=chain.epoch, v=chain.version))
        await self._send(*frames)
        return bool(frames)

    def _besides(self) -> list[Frame]:
        """What goes along: frames for this peer, the way to the box where it changed, the box's latest word."""
        frames = list(self._posted)
        self._posted.clear()
        way = self._relay.way()
        if way != self._told:
            self._told = way
            frames.append(control("path", **way))
        if self._relay.word is not self._word and self._relay.word is not None:
            self._word = self._relay.word
            frames.append(self._word)
        return frames

    async def _run_pump(self) -> None:
        try:
            while True:
                changed = self._relay.changed
                if not await self._follow(self._next):
                    await changed.wait()
                self._still_good()
        except ConnectionLost:
            return
        except ApplianceError as error:
            await self._refuse(error)

    def _still_good(self) -> None:
        shown = self._known()
        self._relay.check(shown, self.id)
        if self._relay.place is None:
            raise nothing_yet()
        if shown.expires <= time.time():
            raise refused("it has run out")

    def _known(self) -> Pass:
        if self._pass is None:
            raise refused("none was shown")
        return self._pass

    async def _letter(self, frame: Frame) -> None:
        self._known()
        said = frame.json()
        if said.get("type") != "letter" or len(frame.payload) > UP_BYTES:
            raise ApplianceError("SIG307", "A relay takes letters only.", str(said.get("type"))[:80])
        await self._go_up(str(said.get("n"))[:40], frame)

    async def _prove(self, frame: Frame, nonce: str) -> None:
        self._known()
        if 0 < len(nonce) <= 40:
            await self._go_up(nonce, frame)

    async def _go_up(self, key: str, frame: Frame) -> None:
        second, count = self._up
        now = time.monotonic()
        self._up = (second, count + 1) if now - second < 1 else (now, 1)
        if self._up[1] > UP_PER_S:
            raise ApplianceError("LLM209", "This screen sends more than a relay passes on.", UP_PER_S)
        await self._relay.forward(self, key, frame)

    async def _send(self, *frames: Frame) -> None:
        async with self._wire:
            raw = b""
            for frame in frames:
                raw += encode(msgspec.structs.replace(frame, seq=self._seq))
                self._seq = (self._seq + 1) & 0xFFFF
            if raw:
                self._relay.sent_bytes += len(raw)
                await self._connection.send(raw)

    async def _stop(self, *, at_once: bool = False) -> None:
        pump, self._pump = self._pump, None
        if pump is None:
            return
        if not at_once:
            async with self._wire:  # never while it is sending: half a frame would spoil the road
                pump.cancel()
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)

    async def _refuse(self, error: ApplianceError) -> None:
        with contextlib.suppress(ConnectionLost):
            await self._send(control("error", **error.shape()))
            await self._connection.close(error.code)


def _as_much_as_fits(links: list[Link]) -> list[Link]:
    """The first of these, one at least, as long as they make no more than a piece: what is on its way is memory."""
    room = PIECE
    for count, link in enumerate(links):
        if count and link.size > room:
            return links[:count]
        room -= link.size
    return links


def nothing_yet() -> ApplianceError:
    """The error BRG432."""
    return ApplianceError("BRG432", "This screen has nothing to pass on yet.", None, "Try again in a moment.")
