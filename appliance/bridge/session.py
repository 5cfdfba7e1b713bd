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
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.bridge.frame import KEYFRAME, Frame, FrameType, control, encode
from appliance.bridge.stream import Stream, Streams
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.errors import ApplianceError
from appliance.types import Role

if TYPE_CHECKING:
    from appliance.bridge.mesh import Mesh

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
        mesh: signs what screens pass on to others; None where they do not.
    """

    def __init__(
        self,
        connection: Connection,
        streams: Streams,
        box: str,
        hear: Hear,
        member: Member | None = None,
        admit: Admit | None = None,
        mesh: Mesh | None = None,
    ) -> None:
        self._connection = connection
        self._streams = streams
        self._box = box
        self._hear = hear
        self._member = member
        self._admit = admit
        self._mesh = mesh
        self._sealed = False
        self._seq = 0
        self._pump: asyncio.Task[None] | None = None
        self._words: asyncio.Task[None] | None = None
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
            await self._stop_pump()
            with contextlib.suppress(ConnectionLost):
                await self._connection.close()

    async def _take(self, frame: Frame) -> None:
        if frame.type == FrameType.CONTROL:
            await self._control(frame.json())
        elif frame.type == FrameType.INPUT:
            await self._input(frame.json())
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
        elif kind == "prove":
            await self._word(str(said.get("n", "")))
        elif kind not in ("pong", "ack", "end", "error"):
            raise ApplianceError("SIG307", "The control frame says something unknown.", str(kind)[:80])

    async def _meet(self, said: dict[str, Any]) -> None:
        if self._member is None and self._admit is not None:
            self._member = self._admit(said)
            mesh, peer = self._mesh, self._connection.peer
            await self._hello(self._member, mesh.greeting(peer, self._member.screen, self._member.role) if mesh else {})

    async def _hello(self, member: Member, besides: dict[str, Any] | None = None) -> None:
        who = {"role": member.role, "screen": member.screen}
        await self._send(control("hello", version=1, box=self._box, **who, **(besides or {})))

    async def _subscribe(self, said: dict[str, Any]) -> None:
        member = self._known()
        stream = self._streams.find(str(said.get("stream", "main")))
        if stream is None:
            await self._send(_error(ApplianceError("BRG408", "There is no such stream.", said.get("stream"))))
            return
        view = stream.view(member.role)
        resumes = said.get("e") == view.epoch and isinstance(said.get("v"), int)
        await self._stop_pump()
        self._sealed = self._mesh is not None and said.get("seal") is True
        async with self._turn:
            await self._catch_up(stream, member.role, said["v"] if resumes else None)
            await self._send(control("subscribed", stream=stream.name, e=view.epoch, v=self._version))
        self._stream = stream
        self._pump = asyncio.create_task(self._run_pump(stream, member.role))
        self._words = asyncio.create_task(self._run_words()) if self._sealed else None

    async def _resync(self) -> None:
        if self._stream is not None:
            async with self._turn:
                await self._catch_up(self._stream, self._known().role, None)

    def _known(self) -> Member:
        if self._member is None:
            raise ApplianceError("BRG401", "The screen has not said who it is.", None, "Send a hello first.")
        return self._member

    async def _input(self, said: dict[str, Any]) -> None:
        if said.get("type") == "letter" and self._mesh is not None:
            await self._letter(self._mesh, said)
        else:
            self._hear(self._known(), said)

    async def _letter(self, mesh: Mesh, said: dict[str, Any]) -> None:
        """What a screen behind this one says; a fault in it is that screen's and does not end this road."""
        view = self._stream.view(self._known().role) if self._stream else None
        try:
            writer, inner = mesh.open(said, view.epoch if view else "")
            if inner.get("type") == "renew":
                await self._send(control("pass", **{"pass": mesh.renew(writer)}, n=said.get("n")))
            else:
                self._hear(Member(writer.screen[:16], writer.role), inner)
        except ApplianceError as error:
            await self._send(control("error", **error.shape(), n=said.get("n")))

    async def _word(self, nonce: str = "") -> None:
        if self._mesh is not None and self._stream is not None:
            role = self._known().role
            await self._send(self._mesh.word(self._stream.name, role, self._stream.view(role), nonce))

    async def _run_words(self) -> None:
        """Say every two seconds where the box stands, so that a screen behind this one can tell old from new."""
        assert self._mesh is not None
        with contextlib.suppress(ConnectionLost):
            while True:
                await self._word()
                await self._mesh.pause()

    async def _stop_words(self) -> None:
        words, self._words = self._words, None
        if words is not None:
            async with self._wire:  # never in the middle of a frame
                words.cancel()
            await asyncio.gather(words, return_exceptions=True)

    async def _stop_pump(self) -> None:
        await self._stop_words()
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
        frame = Frame(kind, payload, KEYFRAME if is_sync else 0, timestamp=view.timestamp())
        if self._sealed and self._mesh is not None:
            step = (None if is_sync else version, view.version)
            await self._send(self._mesh.seal(stream.name, role, view.epoch, step, frame), frame)
        else:
            await self._send(frame)

    async def _send(self, *frames: Frame) -> None:
        async with self._wire:
            raw = b""
            for frame in frames:
                raw += encode(msgspec.structs.replace(frame, seq=self._seq))
                self._seq = (self._seq + 1) & 0xFFFF
            await self._connection.send(raw)

    async def _refuse(self, error: ApplianceError) -> None:
        await self._stop_pump()
        with contextlib.suppress(ConnectionLost):
            await self._send(_error(error))
            await self._connection.close(error.code)


def _error(error: ApplianceError) -> Frame:
    return control("error", **error.shape())
