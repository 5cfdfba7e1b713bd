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

What else a subscription carries (pictures, speech, the viewer) are flows: :mod:`~appliance.bridge.flow`.

A screen that sends what cannot be read gets one CONTROL error and the connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from appliance.bridge.flow import Flow, Offer, offer_nothing
from appliance.bridge.frame import KEYFRAME, Frame, FrameType, control, encode
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
        offer: what a subscription may carry besides signals.
    """

    def __init__(
        self,
        connection: Connection,
        streams: Streams,
        box: str,
        hear: Hear,
        member: Member | None = None,
        admit: Admit | None = None,
        offer: Offer = offer_nothing,
    ) -> None:
        self._connection = connection
        self._streams = streams
        self._box = box
        self._hear = hear
        self._member = member
        self._admit = admit
        self._offer = offer
        self._seq = 0
        self._pumps: list[asyncio.Task[None]] = []
        self._flows: list[Flow] = []
        self._signals = False
        self._stream: Stream | None = None
        self._version: int | None = None
        self._turn = asyncio.Lock()  # held while signals are on their way out
        self._wire = asyncio.Lock()  # held while a frame is being written

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
            await self._stop_pumps()
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
        elif kind == "speak":
            await self._speak(said)
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
        view = stream.view(member.role)
        resumes = said.get("e") == view.epoch and isinstance(said.get("v"), int)
        flows = await self._offered(member, stream, said)
        if flows is None:
            return
        await self._stop_pumps()
        self._stream, self._flows = stream, flows
        self._signals = bool(said.get("signals", "pixels" not in said))
        async with self._turn:
            for flow in flows:
                await self._send_next(flow)
            if self._signals:
                await self._catch_up(stream, member.role, said["v"] if resumes else None)
            at = {"e": view.epoch, "v": self._version} if self._signals else {}
            await self._send(control("subscribed", stream=stream.name, **at))
        self._pumps = [asyncio.create_task(self._run_flow(flow)) for flow in flows]
        if self._signals:
            self._pumps.append(asyncio.create_task(self._run_pump(stream, member.role)))

    async def _offered(self, member: Member, stream: Stream, said: dict[str, Any]) -> list[Flow] | None:
        try:
            return await self._offer(member, stream, said)
        except ApplianceError as error:
            await self._send(_error(error))
            return None

    async def _speak(self, said: dict[str, Any]) -> None:
        """Speak an answer; the flow that does is made when first asked for."""
        member = self._known()
        if sum(flow.hear(said) for flow in self._flows):
            return
        for flow in (self._stream and await self._offered(member, self._stream, said)) or []:
            self._flows.append(flow)
            flow.hear(said)
            self._pumps.append(asyncio.create_task(self._run_flow(flow)))

    async def _resync(self) -> None:
        async with self._turn:
            for flow in self._flows:
                flow.again()
                await self._send_next(flow)
            if self._stream is not None and self._signals:
                await self._catch_up(self._stream, self._known().role, None)

    def _known(self) -> Member:
        if self._member is None:
            raise ApplianceError("BRG401", "The screen has not said who it is.", None, "Send a hello first.")
        return self._member

    def _input(self, said: dict[str, Any]) -> None:
        self._hear(self._known(), said)
        for flow in self._flows:
            flow.hear(said)

    async def _stop_pumps(self) -> None:
        flows, self._flows = self._flows, []
        for flow in flows:
            flow.close()
        if self._pumps:
            async with self._turn:  # never while one is sending: half a frame would spoil the road
                for pump in self._pumps:
                    pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)
            self._pumps = []

    async def _run_pump(self, stream: Stream, role: Role) -> None:
        try:
            while True:
                await stream.wait(role, self._version)
                async with self._turn:
                    await self._catch_up(stream, role, self._version)
        except ConnectionLost:
            return

    async def _run_flow(self, flow: Flow) -> None:
        with contextlib.suppress(ConnectionLost):
            while True:
                await flow.wait()
                async with self._turn:
                    await self._send_next(flow)

    async def _send_next(self, flow: Flow) -> None:
        frame = flow.take()
        if frame is not None:
            await self._send(frame, deflate=flow.deflate)

    async def _catch_up(self, stream: Stream, role: Role, version: int | None) -> None:
        view = stream.view(role)
        self._version = view.version
        if version == view.version:
            return
        payload, is_sync = view.payload(version)
        kind = FrameType.SIGNAL_SYNC if is_sync else FrameType.SIGNAL_DIFF
        await self._send(Frame(kind, payload, KEYFRAME if is_sync else 0, timestamp=view.timestamp()))

    async def _send(self, frame: Frame, *, deflate: bool = False) -> None:
        async with self._wire:
            raw = encode(msgspec.structs.replace(frame, seq=self._seq), deflate=deflate)
            self._seq = (self._seq + 1) & 0xFFFF
            await self._connection.send(raw)

    async def _refuse(self, error: ApplianceError) -> None:
        await self._stop_pumps()
        with contextlib.suppress(ConnectionLost):
            await self._send(_error(error))
            await self._connection.close(error.code)


def _error(error: ApplianceError) -> Frame:
    return control("error", **error.shape())
