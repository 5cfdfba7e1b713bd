"""The conversation of one connection: hello, subscribe, keyframe, diffs, and what the screen sends up.

    screen                                    box
    CONTROL hello {credential}       ──►
                                     ◄──     CONTROL hello {box, role, screen}
    CONTROL subscribe {stream, e, v} ──►
                                     ◄──     SIGNAL_SYNC, or SIGNAL_DIFF since v
                                     ◄──     CONTROL subscribed {stream, e, v}
                                     ◄──     SIGNAL_DIFF ...
    INPUT ask {question}             ──►
    CONTROL ping {t}                 ──►     CONTROL pong {t}

A screen that sends what cannot be read gets one CONTROL error and the connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from appliance.bridge.frame import KEYFRAME, Frame, FrameType, control, encode
from appliance.bridge.playback import Playback
from appliance.bridge.stream import Stream, Streams
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.errors import ApplianceError
from appliance.types import Role

SILENCE_S = 15.0
"""A screen that has said nothing for so long (they ping every 2 s) is taken for gone."""


class Member(msgspec.Struct, frozen=True):
    """Who is at the other end: the screen's name and the role it acts as."""

    screen: str
    role: Role


Admit = Callable[[dict[str, Any]], Member]
"""Turns the screen's hello into a member, or raises BRG401."""
Hear = Callable[[Member, dict[str, Any]], None]
"""Takes what a screen sent up; raises ApplianceError where it makes no sense."""


class Session:
    """One connected screen.

    Args:
        connection: the road to the screen.
        streams: what it may subscribe to.
        box: the box's name, told in the hello.
        member: who it is, where the door already knows; else `admit` decides from its hello.
        admit: see :data:`Admit`.
        hear: see :data:`Hear`.
    """

    def __init__(
        self,
        connection: Connection,
        streams: Streams,
        box: str,
        hear: Hear,
        member: Member | None = None,
        admit: Admit | None = None,
    ) -> None:
        self._connection = connection
        self._streams = streams
        self._box = box
        self._hear = hear
        self._member = member
        self._admit = admit
        self._seq = 0
        self._pump: asyncio.Task[None] | None = None
        self._stream: Stream | None = None
        self._version: int | None = None
        self._turn = asyncio.Lock()  # held while signals are on their way out
        self._wire = asyncio.Lock()  # held while a frame is being written
        self._playback = Playback(streams, self._send)

    async def run(self) -> None:
        """Talk until the screen leaves, falls silent or says what cannot be read."""
        try:
            if self._member is not None:
                await self._hello(self._member)
            while True:
                frame = await asyncio.wait_for(self._connection.receive(), SILENCE_S)
                await self._take(frame)
        except (ConnectionLost, TimeoutError):
            pass
        except ApplianceError as error:
            await self._refuse(error)
        finally:
            await self._playback.stop(road_ends=True)
            await self._stop_pump()
            with contextlib.suppress(ConnectionLost):
                await self._connection.close()

    async def _take(self, frame: Frame) -> None:
        if frame.type == FrameType.CONTROL:
            await self._control(frame.json())
        elif frame.type == FrameType.INPUT:
            self._input(frame.json())
        elif frame.type not in set(FrameType):
            return  # a later version's frame: skipped by its length

    async def _control(self, said: dict[str, Any]) -> None:
        kind = said.get("type")
        if kind == "hello":
            await self._meet(said)
        elif kind == "ping":
            await self._send(control("pong", t=said.get("t")))
        elif kind == "subscribe":
            await self._subscribe(said)
        elif kind == "need_sync":
            await self._resync()
        elif kind == "replay":
            await self._replay(said)
        elif kind not in ("pong", "ack", "end", "error"):
            raise ApplianceError("SIG307", "The control frame says something unknown.", str(kind)[:80])

    async def _meet(self, said: dict[str, Any]) -> None:
        if self._member is None and self._admit is not None:
            self._member = self._admit(said)
            await self._hello(self._member)

    async def _hello(self, member: Member) -> None:
        await self._send(control("hello", version=1, box=self._box, role=member.role, screen=member.screen))

    async def _subscribe(self, said: dict[str, Any]) -> None:
        member = self._known()
        stream = self._streams.find(str(said.get("stream", "main")))
        if stream is None:
            await self._send(_error(ApplianceError("BRG408", "There is no such stream.", said.get("stream"))))
            return
        resumes = said.get("e") == stream.view(member.role).epoch and isinstance(said.get("v"), int)
        await self._playback.stop()
        await self._follow(stream, member.role, said["v"] if resumes else None)

    async def _replay(self, said: dict[str, Any]) -> None:
        role = self._known().role
        try:
            stream = await self._playback.take(role, said)
        except ApplianceError as error:
            await self._send(_error(error))
            return
        if stream is not None:
            await self._follow(stream, role, None)
        await self._playback.tell()

    async def _follow(self, stream: Stream, role: Role, version: int | None) -> None:
        """Bring the screen from a version up to date, and keep it so."""
        await self._stop_pump()
        async with self._turn:
            await self._catch_up(stream, role, version)
            epoch = stream.view(role).epoch
            await self._send(control("subscribed", stream=stream.name, e=epoch, v=self._version))
        self._stream = stream
        self._pump = asyncio.create_task(self._run_pump(stream, role))

    async def _resync(self) -> None:
        if self._stream is not None:
            async with self._turn:
                await self._catch_up(self._stream, self._known().role, None)

    def _known(self) -> Member:
        if self._member is None:
            raise ApplianceError("BRG401", "The screen has not said who it is.", None, "Send a hello first.")
        return self._member

    def _input(self, said: dict[str, Any]) -> None:
        self._hear(self._known(), said)

    async def _stop_pump(self) -> None:
        if self._pump is None:
            return
        async with self._turn:  # never while it is sending: half a frame would spoil the road
            self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)
        self._pump = None

    async def _run_pump(self, stream: Stream, role: Role) -> None:
        try:
            while True:
                await stream.wait(role, self._version)
                async with self._turn:
                    await self._catch_up(stream, role, self._version)
        except ConnectionLost:
            return

    async def _catch_up(self, stream: Stream, role: Role, version: int | None) -> None:
        view = stream.view(role)
        self._version = view.version
        if version == view.version:
            return
        payload, is_sync = view.payload(version)
        kind = FrameType.SIGNAL_SYNC if is_sync else FrameType.SIGNAL_DIFF
        await self._send(Frame(kind, payload, KEYFRAME if is_sync else 0, timestamp=view.timestamp()))

    async def _send(self, frame: Frame) -> None:
        async with self._wire:
            raw = encode(msgspec.structs.replace(frame, seq=self._seq))
            self._seq = (self._seq + 1) & 0xFFFF
            await self._connection.send(raw)

    async def _refuse(self, error: ApplianceError) -> None:
        await self._stop_pump()
        with contextlib.suppress(ConnectionLost):
            await self._send(_error(error))
            await self._connection.close(error.code)


def _error(error: ApplianceError) -> Frame:
    return control("error", **error.shape())
