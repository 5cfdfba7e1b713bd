"""The conversation of one connection: hello, subscribe, keyframe, diffs, and what the screen sends up.

    screen                                    box
    CONTROL hello {credential}       ──►
                                     ◄──     CONTROL join {box, code}          where the admin has to say first
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
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.bridge.ear import Ear, Understanding
from appliance.bridge.fanout import Fanout
from appliance.bridge.flow import Flow, Offer, offer_nothing
from appliance.bridge.frame import KEYFRAME, Frame, FrameType, control, encode
from appliance.bridge.members import Admit, Hear, May, Member, Waiting, Write
from appliance.bridge.playback import Playback
from appliance.bridge.stream import Stream, Streams
from appliance.bridge.transports import AtOnce, Connection, ConnectionLost
from appliance.errors import ApplianceError
from appliance.types import Role

if TYPE_CHECKING:
    from appliance.bridge.mesh import Mesh

SILENCE_S = 15.0
"""A screen that has said nothing for so long (they ping every 2 s) is taken for gone."""


PROBE_S = 5.0
"""How often it is measured how long a screen takes to answer, at most."""


class Session:
    """One connected screen.

    Args:
        connection: the road to the screen.
        streams: what it may subscribe to.
        box: the box's name, told in the hello.
        member: who it is, where the door already knows; else `admit` decides from its hello.
        admit: see :data:`Admit`.
        hear: see :data:`Hear`.
        may: see :data:`May`; every stream where it is not given.
        met: called with the member once it is let in.
        offer: what a subscription may carry besides signals.
        write: see :data:`Write`; where it is not given, a ``set`` is an input as any other.
        mesh: signs what screens pass on to others; None where they do not.
        understanding: hears what is spoken to the screen; without it sound is skipped.
    """

    def __init__(
        self,
        connection: Connection,
        streams: Streams,
        box: str,
        hear: Hear,
        member: Member | None = None,
        admit: Admit | None = None,
        may: May | None = None,
        met: Callable[[Member], None] | None = None,
        offer: Offer = offer_nothing,
        write: Write | None = None,
        mesh: Mesh | None = None,
        understanding: Understanding | None = None,
    ) -> None:
        self._understanding = understanding
        self._ear: Ear | None = None
        self._connection = connection
        self._now = connection if isinstance(connection, AtOnce) else None
        self._streams = streams
        self._box = box
        self._hear = hear
        self._member = member
        self._admit = admit
        self._offer = offer
        self._may = may
        self._met = met
        self._waiting: asyncio.Task[None] | None = None
        self._asked: dict[str, Any] | None = None  # to be subscribed to once it is let in
        self._write = write
        self._mesh = mesh
        self._sealed: Mesh | None = None  # the mesh, while the screen gets signed frames
        self._reading = contextlib.ExitStack()  # counts it among the stream's readers
        self._seq = 0
        self._pumps: list[asyncio.Task[None]] = []
        self._flows: list[Flow] = []
        self._signals = False
        self._wish: dict[str, Any] = {}  # the picture it subscribed to, which the past is drawn as too
        self._stream: Stream | None = None
        self._version: int | None = None
        self._turn = asyncio.Lock()  # held while signals are on their way out
        self._wire = asyncio.Lock()  # held while a frame is being written
        self._playback = Playback(streams, self._send)
        self._probed, self._clock = time.monotonic(), 0.0
        self.latency_ms: float | None = None

    @property
    def showing(self) -> tuple[str, int | None]:
        """The stream it is subscribed to, and the version it was last sent."""
        return (self._stream.name if self._stream else ""), self._version

    @property
    def member(self) -> Member | None:
        """Who it is, once that is known."""
        return self._member

    async def run(self) -> None:
        """Talk until the screen leaves, falls silent or says what cannot be read."""
        try:
            if self._member is not None:
                await self._enter(self._member)
            while True:
                async with asyncio.timeout(SILENCE_S):
                    frame = await self._connection.receive()
                await self._take(frame)
        except (ConnectionLost, TimeoutError):
            pass
        except ApplianceError as error:
            await self._refuse(error)
        finally:
            await self._playback.stop(road_ends=True)
            if self._waiting is not None:
                self._waiting.cancel()
                await asyncio.gather(self._waiting, return_exceptions=True)
            if self._ear is not None:
                self._ear.close()
            self._reading.close()
            await self._stop_pumps()
            with contextlib.suppress(ConnectionLost):
                await self._connection.close()

    async def end(self, error: ApplianceError | None) -> None:
        """End the connection from this side: with an error, or so that the screen comes back at once."""
        if error is not None:
            await self._refuse(error)
            return
        await self._stop_pumps()
        with contextlib.suppress(ConnectionLost):
            await self._send(control("end"))
            await self._connection.close()

    async def tell(self, frame: Frame) -> None:
        """Send a frame that is no signal; one that cannot be sent is lost."""
        with contextlib.suppress(ConnectionLost):
            await self._send(frame)

    async def _take(self, frame: Frame) -> None:
        if frame.type == FrameType.CONTROL:
            await self._control(frame.json())
        elif frame.type == FrameType.INPUT:
            await self._input(self._known(), frame.json())
        elif frame.type == FrameType.AUDIO and self._understanding is not None:
            self._ear = self._ear or Ear(self._known(), self._understanding, self.tell)
            self._ear.take(frame)
        # any other frame, a later version's too, is skipped by its length

    async def _control(self, said: dict[str, Any]) -> None:
        kind = said.get("type")
        if kind == "hello":
            await self._meet(said)
        elif kind == "ping":
            await self._send(control("pong", t=said.get("t")))
            await self._probe()
        elif kind == "pong":
            self._measure(said.get("t"))
        elif kind == "subscribe":
            await self._subscribe(said)
        elif kind == "need_sync":
            await self._resync()
        elif kind == "speak":
            await self._speak(said)
        elif kind == "replay":
            await self._replay(said)
        elif kind == "prove":
            await self._word(str(said.get("n", "")))
        elif kind == "end":
            raise ConnectionLost("the screen left")
        elif kind not in ("ack", "error"):
            raise ApplianceError("SIG307", "The control frame says something unknown.", str(kind)[:80])

    async def _probe(self) -> None:
        """Now and then ask the screen back, to see how long that takes."""
        now = time.monotonic()
        if now - self._probed >= PROBE_S:
            self._probed = self._clock = now
            await self._send(control("ping", t=round(now * 1e6)))

    def _measure(self, t: object) -> None:
        if self._clock and t == round(self._clock * 1e6):
            self.latency_ms, self._clock = round((time.monotonic() - self._clock) * 1000, 1), 0.0

    async def _meet(self, said: dict[str, Any]) -> None:
        if self._member is not None or self._admit is None or self._waiting is not None:
            return
        found = self._admit(said)
        if isinstance(found, Member):
            await self._enter(found)
        else:
            self._waiting = asyncio.create_task(self._wait(found))

    async def _wait(self, waiting: Waiting) -> None:
        """Tell the screen its code, and a new one when that has run out, until the admin says yes or no."""
        found: Member | Waiting = waiting
        try:
            while not isinstance(found, Member):
                await self._send(control("join", box=self._box, code=found.code, expires_s=round(found.expires_s)))
                found = await found.decided()
            await self._enter(found)
            if self._asked is not None:
                await self._subscribe(self._asked)
        except ConnectionLost:
            return
        except ApplianceError as error:
            await self._refuse(error)

    async def _enter(self, member: Member) -> None:
        self._member = member
        if self._met is not None:
            self._met(member)
        await self._hello(member)

    async def _hello(self, member: Member) -> None:
        more: dict[str, Any] = {"room": member.room, "name": member.name} if member.room or member.name else {}
        if self._understanding is not None:
            more["listens"] = True
        if self._mesh is not None and self._admit is not None:  # over Iroh, where the peer's key is known
            called = member.name or member.screen
            more |= self._mesh.greeting(self._connection.peer, called, member.role, member.room)
        await self._send(control("hello", version=1, box=self._box, role=member.role, screen=member.screen, **more))

    async def _subscribe(self, said: dict[str, Any]) -> None:
        if self._member is None and self._waiting is not None:
            self._asked = said
            return
        member = self._known()
        name = self._named(member, str(said.get("stream") or "main"))
        stream = self._streams.find(name) if name is not None else None
        if stream is None:
            await self._send(_error(ApplianceError("BRG408", "There is no such stream.", said.get("stream"))))
            return
        flows = await self._offered(member, stream, said)
        if flows is None:
            return
        resumes = said.get("e") == stream.view(member.role).epoch and isinstance(said.get("v"), int)
        await self._playback.stop()
        self._signals = bool(said.get("signals", "pixels" not in said))
        self._wish = {"pixels": said["pixels"]} if "pixels" in said else {}
        self._sealed = self._mesh if said.get("seal") is True else None
        await self._follow(stream, member.role, said["v"] if resumes else None, flows)

    def _named(self, member: Member, wanted: str) -> str | None:
        """The stream a member means by a name, or None where it may not read it."""
        name = member.own if wanted == "main" else wanted
        return name if self._may is None or self._may(member, name) else None

    async def _replay(self, said: dict[str, Any]) -> None:
        member = self._known()
        role, wanted = member.role, str(said.get("stream") or self._playback.name)
        name = self._named(member, wanted)
        try:
            if name is None:
                raise ApplianceError("BRG408", "There is no such stream.", wanted[:80])
            stream = await self._playback.take(role, {**said, "stream": name})
        except ApplianceError as error:
            await self._send(_error(error))
            return
        if stream is not None:
            # The past is not signed: it could pass for the present.
            self._signals, self._sealed = self._signals or not self._wish, None
            await self._stop_pumps()
            await self._follow(stream, role, None, await self._offered(member, stream, self._wish) or [])
        await self._playback.tell()

    async def _follow(self, stream: Stream, role: Role, version: int | None, flows: list[Flow]) -> None:
        """Bring the screen from a version up to date, and keep it so."""
        await self._stop_pumps()
        self._reading.close()
        self._reading.enter_context(stream.usage.reading())
        self._stream, self._flows = stream, flows
        async with self._turn:
            for flow in flows:
                await self._send_next(flow)
            if self._signals:
                await self._catch_up(stream, role, version)
            at = {"e": stream.view(role).epoch, "v": self._version} if self._signals else {}
            await self._send(control("subscribed", stream=stream.name, **at))
        self._pumps = [asyncio.create_task(self._run_flow(flow)) for flow in flows]
        if self._signals:
            self._pumps.append(asyncio.create_task(self._run_pump(stream, role)))
            if self._sealed is not None:
                self._pumps.append(asyncio.create_task(self._run_words(self._sealed)))

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

    async def _input(self, member: Member, said: dict[str, Any]) -> None:
        if said.get("type") == "letter" and self._mesh is not None:
            await self._letter(self._mesh, said)
            return
        await self._do(member, said, self._flows)

    async def _do(self, member: Member, said: dict[str, Any], flows: Sequence[Flow], **letter: Any) -> None:
        """Take an input, and tell a screen that gave it a `ref` that it need not send it again."""
        ref = {"ref": said["ref"], **letter} if "ref" in said else {}
        if said.get("type") == "set" and self._write is not None:
            try:
                lost = self._set(self._write, member, said)
            except ApplianceError as error:  # the frame itself was well formed
                await self._send(control("error", **error.shape(), **(ref or letter)))
                return
            ref |= {"lost": lost} if ref and lost else {}
        else:
            self._hear(member, said)
            for flow in flows:
                flow.hear(said)
        later = said.get("ack") and said.get("type") != "set"  # whoever does it says so
        if ref and not later:
            await self._send(control("ack", **ref))

    def _set(self, write: Write, member: Member, said: dict[str, Any]) -> list[str]:
        if self._stream is None:
            raise ApplianceError("BRG408", "There is no stream to set signals in.", None, "Subscribe to one first.")
        return write(member, self._stream, said, self._version)

    async def _letter(self, mesh: Mesh, letter: dict[str, Any]) -> None:
        """What a screen behind this one says; a fault in it is that screen's and does not end this road."""
        stream, number = self._stream, {"n": letter.get("n")}
        try:
            opened = mesh.open(letter, stream.view(self._known().role).epoch if stream else "")
            member, said = opened.member, opened.said
            if stream is None or (self._may is not None and not self._may(member, stream.name)):
                raise ApplianceError("BRG408", "There is no such stream for this screen.")
            if said.get("type") == "renew":
                await self._send(control("pass", **{"pass": mesh.renew(opened.writer)}, **number))
                return
            if said.get("ack") and "ref" in said:
                mesh.awaits(member.screen, str(said["ref"]), lambda ref: self.tell(control("ack", ref=ref, **number)))
            await self._do(member, said, (), **number)
        except ApplianceError as error:
            await self._send(control("error", **error.shape(), **number))

    async def _word(self, nonce: str = "") -> None:
        """Say, signed, where the box stands; nothing of what is not signed, which may be the past."""
        if self._sealed is not None and self._stream is not None:
            role = self._known().role
            await self._send(self._sealed.word(self._stream.name, role, self._stream.view(role), nonce))

    async def _run_words(self, mesh: Mesh) -> None:
        """Say so every two seconds, so that a screen behind this one can tell old from new."""
        with contextlib.suppress(ConnectionLost):
            while True:
                async with self._turn:
                    await self._word()
                await mesh.pause()

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
        """Send what the fan-out could not send at once, for the road was not free."""
        with contextlib.suppress(ConnectionLost), stream.fanout(role).reader(self._at_once) as behind:
            while True:
                async with self._turn:
                    await self._catch_up(stream, role, self._version)
                await behind.wait()
                behind.clear()

    def _at_once(self, fanout: Fanout) -> bool:
        """Send the newest if nothing else is on its way and nothing has to be waited for; returns whether so."""
        # A signed frame has its seal before it, which the parcel has not.
        if self._sealed is not None or self._now is None or self._turn.locked() or self._wire.locked():
            return False
        if self._version != fanout.view.version:
            if not self._now.send_now(fanout.parcel(self._version), self._seq):
                return False
            self._version = fanout.view.version
            self._seq = (self._seq + 1) & 0xFFFF
        return True

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
        frame = Frame(kind, payload, KEYFRAME if is_sync else 0, timestamp=view.timestamp())
        step, seal = (None if is_sync else version, view.version), self._sealed and self._sealed.seal
        before = [seal(stream.name, role, view.epoch, step, frame)] if seal else []
        await self._send(*before, frame)

    async def _send(self, *frames: Frame, deflate: bool = False) -> None:
        async with self._wire:
            raw = b""
            for frame in frames:
                raw += encode(msgspec.structs.replace(frame, seq=self._seq), deflate=deflate)
                self._seq = (self._seq + 1) & 0xFFFF
            await self._connection.send(raw)

    async def _refuse(self, error: ApplianceError) -> None:
        await self._stop_pumps()
        with contextlib.suppress(ConnectionLost):
            await self._send(_error(error))
            await self._connection.close(error.code)


def _error(error: ApplianceError) -> Frame:
    return control("error", **error.shape())
