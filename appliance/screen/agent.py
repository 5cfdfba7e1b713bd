"""The agent on a display: keeps one stream of a box in a dict, whatever happens to the box or the network.

    >>> agent = Agent(Finder(identity, None, faithful=False, frame_limit=4_194_304))  # doctest: +SKIP
    >>> agent.listeners.append(lambda: print(agent.state, agent.signals.get("box.name")))  # doctest: +SKIP
    >>> await agent.run()  # doctest: +SKIP
    live DreamStack

It connects, says hello, subscribes with the version it has, and applies what comes. When the box is lost it
keeps what it holds, with its age, and comes back with a growing pause of 250 ms to 2 s.

Where the box is not reached it may take a road over another screen (:mod:`~appliance.screen.roads`); it is then
live only while the box's own signed word arrives, and moves to the box when that is back, without a flicker.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from appliance.bridge.frame import Frame, FrameType, control, encode
from appliance.bridge.mesh.steady import SteadyCopy
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.errors import ApplianceError, from_shape
from appliance.observation import logger
from appliance.screen import cache
from appliance.screen.finder import Finder
from appliance.screen.mesh import Side
from appliance.screen.roads import Roads
from appliance.screen.speaking import Speaking

PING_S: Final = 2.0
SILENCE_S: Final = 5.0
BACKOFF_S: Final = (0.25, 2.0)
KEEP_S: Final = 2.0
STILL_TRUE_S: Final = 60.0
MIND_S: Final = 1.0
BETTER_S: Final = 5.0
_SENT_AWAY: Final = (401, 403)

State = Literal["searching", "waiting", "catching up", "live", "away"]

_log = logger("screen")


class Agent:
    """One screen's copy of a stream.

    Args:
        finder: how to reach the box.
        credential: the key of the role it acts as; may be empty on the box's own machine.
        kind: the surface: wall, tablet, phone, watch or text.
        stream: what it subscribes to.
        cache_path: where it keeps what it holds, or None.
        held: what it kept earlier; shown until the box answers.
        side: its part in the mesh; without it the screen takes no roads over others.

    Attributes:
        state: ``searching`` (never reached yet), ``waiting`` (for the admin to let it in), ``catching up``, ``live``
            or ``away``.
        code: what the screen shows while it is ``waiting``.
        speaking: has the box hear what is said.
        problem: the latest error, None once live again.
        live: set while the screen holds the box's own state.
        listeners: called after every change of signals or state.
        done: called with the `ref` of an input that the box says is done; see :meth:`tell`.
        denied: called with the `ref` of an input that the box does not do, and why.
    """

    def __init__(
        self,
        finder: Finder,
        *,
        credential: str = "",
        kind: str = "text",
        stream: str = "main",
        cache_path: Path | None = None,
        held: cache.Held | None = None,
        side: Side | None = None,
    ) -> None:
        self.state: State = "searching"
        self.problem: ApplianceError | None = None
        self.live = asyncio.Event()
        self.listeners: list[Callable[[], None]] = []
        self.done: list[Callable[[str], None]] = []
        self.denied: list[Callable[[str, ApplianceError], None]] = []
        self.box_name = ""
        self.role = ""
        self.room = ""
        self.code = ""
        self.speaking = Speaking(self._send_up, self.live, _lost)
        self._finder = finder
        self._hello = {"version": 1, "kind": kind, "credential": credential}
        self._side = side or Side(finder.identity)
        self._next: Connection | None = None
        self._stream = stream
        self._cache_path = cache_path
        self._copy = SteadyCopy()
        self._at: float | None = None
        self._endpoint_id: str | None = None
        self._road: Connection | None = None
        self._heard = 0.0
        self._seq = 0
        self._saved: tuple[tuple[str | None, int | None], float] | None = None
        self._resyncing = False
        self._renewing = False
        self._left: ApplianceError | None = None
        self._forgotten = False
        if held is not None:
            self._take_up(held)

    @property
    def signals(self) -> Mapping[str, Any]:
        """The signals as last known, by name; never changed in place."""
        return self._copy.values

    @property
    def version(self) -> tuple[str | None, int | None]:
        """Epoch and version of :attr:`signals`."""
        return self._copy.epoch, self._copy.version

    @property
    def side(self) -> Side:
        """Its part in the mesh."""
        return self._side

    @property
    def seen_at(self) -> float | None:
        """When the signals were last known to be true, seconds since 1970; None when there are none."""
        return self._at

    def age_s(self) -> float | None:
        """Seconds since the signals were last known to be true: 0 while live, None when there are none."""
        if self.state == "live":
            return 0.0
        return None if self._at is None else max(0.0, time.time() - self._at)

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            ApplianceError: the box does not let this screen in (BRG401, BRG402, BRG403), or this machine
                cannot reach any (BRG413, SCR504).
        """
        keeping = asyncio.create_task(self._keep())
        pause = BACKOFF_S[0]
        try:
            while True:
                pause = BACKOFF_S[0] if await self._attempt() else min(pause * 2, BACKOFF_S[1])
                if self._next is not None:
                    continue  # a better road is there already
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (a thousand screens, not a secret)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            if self._next is not None:
                await self._next.close()
            await self._save()

    async def ask(self, question: str) -> str:
        """Send a question up; its answer comes as signals to every screen. Returns the question's `ref`.

        Raises:
            ApplianceError: SCR502, the box is away.
        """
        ref = secrets.token_hex(8)
        await self.tell({"type": "ask", "ref": ref, "question": question})
        return ref

    async def tell(self, said: Mapping[str, Any]) -> None:
        """Send an input up. With ``"ack": true`` the box says when what has this `ref` is done, see :attr:`done`.

        Raises:
            ApplianceError: SCR502, the box is away.
        """
        await self._send_up(self._side.ask(said, self._copy.epoch))

    async def _send_up(self, *frames: Frame) -> None:
        if self._road is None or not self.live.is_set():
            raise _lost("not connected")
        try:
            await self._send(self._road, *frames)
        except ConnectionLost as lost:
            raise _lost(str(lost)) from None

    def forget(self) -> None:
        """What it holds is not for it any more; it also leaves the disk."""
        self._copy, self._at, self._forgotten = SteadyCopy(), None, True
        self._side.forget()
        self.live.clear()
        self._notify()

    async def _attempt(self) -> bool:
        """One connection, from finding the box to losing it; whether it was live in between."""
        try:
            road, self._next = self._next or await self._finder.connect(), None
        except ApplianceError as error:
            if error.code in ("BRG413", "SCR504"):
                raise
            self._away(error)
            return False
        self._meet()
        minding = [asyncio.create_task(self._watch(road))]
        if self._side.via is not None:
            minding += [asyncio.create_task(self._mind(road)), asyncio.create_task(self._improve(road))]
        try:
            return await self._converse(road)
        finally:
            for task in minding:
                task.cancel()
            await asyncio.gather(*minding, return_exceptions=True)
            self._road = None
            self._side.lost()
            await road.close()

    def _meet(self) -> None:
        box = self._finder.box
        if box is not None and self._endpoint_id != box.endpoint_id:
            if self._endpoint_id is not None:  # what is held is another box's
                self._copy, self._at = SteadyCopy(), None
            self._endpoint_id = box.endpoint_id
        relay = self._finder.relay if isinstance(self._finder, Roads) else None
        self._copy.start_over()
        self._side.begin(self._endpoint_id or "", relay.endpoint_id if relay else None)

    async def _converse(self, road: Connection) -> bool:
        was_live = False
        try:
            self._seq, self._resyncing, self._road, self._heard = 0, False, road, _now()
            self._renewing, self._left = False, None
            hello = control("hello", **self._side.hello(self._hello))
            await self._send(road, hello, self._side.subscribe(self._stream, *self.version))
            while True:
                frame = await road.receive()
                self._heard = _now()
                await self._take(road, frame)
                was_live = was_live or self.live.is_set()
        except ConnectionLost as lost:
            if self._next is None:
                said = self._left or (self.problem if not was_live else None)
                self._away(said or _lost(str(lost)))
                self._blame(self.problem)
        except ApplianceError as error:
            self._away(error)
            self._blame(error)
            if error.status in _SENT_AWAY and self._side.via is None:
                raise
        return was_live

    def _blame(self, error: ApplianceError | None) -> None:
        if error is not None and isinstance(self._finder, Roads):
            self._finder.blame(error)

    async def _take(self, road: Connection, frame: Frame) -> None:
        if frame.type == FrameType.SIGNAL_SYNC:
            self._side.signal(frame)
            self._copy.sync(frame.json())
            self._renewing = False
            self._told(synced=True)
        elif frame.type == FrameType.SIGNAL_DIFF:
            self._side.signal(frame)
            await self._diff(road, frame)
            await self._renew(road)
        elif frame.type == FrameType.CONTROL:
            said = frame.json()
            if not self._side.control(said, frame):
                await self._control(road, said)
            elif self._side.via is not None:
                self._reconsider()

    async def _renew(self, road: Connection) -> None:
        """Ask for a new keyframe for those this screen passes on to; what it shows goes on meanwhile."""
        if self._side.wants_keyframe and not self._renewing and self.live.is_set():
            self._renewing = True
            await self._send(road, control("need_sync", stream=self._stream))

    async def _diff(self, road: Connection, frame: Frame) -> None:
        if self._resyncing:
            return  # the SYNC that was asked for says it all
        try:
            self._copy.diff(frame.json())
        except ApplianceError as error:
            if error.code != "SIG305":
                raise
            await self._need_sync(road)
            return
        self._told()

    async def _need_sync(self, road: Connection) -> None:
        self._resyncing = True
        self.live.clear()
        self.state = "catching up"
        self._notify()
        await self._send(road, control("need_sync", stream=self._stream))

    async def _control(self, road: Connection, said: dict[str, Any]) -> None:
        match said.get("type"):
            case "heard" | "error" if self.speaking.answered(said):
                pass
            case "hello":
                self.speaking.listens = said.get("listens") is True and self._side.via is None
                self.box_name, self.role = str(said.get("box", "")), str(said.get("role", ""))
                self.room, self.code = str(said.get("room", "")), ""
                await self._side.met(said, self._stream, self._upward(road))
            case "path":
                await self._side.way(said, self._upward(road))
            case "join" if self._side.via is None:
                self._join(said)
            case "subscribed":
                await self._subscribed(road, said)
            case "pass":
                await self._side.renewed(str(said.get("pass", "")))
                self._notify()
            case "ping":
                await self._send(road, control("pong", t=said.get("t")))
            case "ack":
                for listener in self.done:
                    listener(str(said.get("ref")))
            case "gap":
                await self._need_sync(road)
            case "error":
                error = from_shape(said)
                for denied in self.denied if "ref" in said else ():
                    denied(str(said["ref"]), error)
                self._refused(error, of_input="n" in said or "ref" in said)

    async def _subscribed(self, road: Connection, said: dict[str, Any]) -> None:
        if self._side.via is not None:
            await self._send(road, self._side.prove())
        if self.version != (said.get("e"), said.get("v")) and not self._copy.is_behind:
            await self._need_sync(road)
            return
        self._told(synced=True)

    def _upward(self, road: Connection) -> Callable[[Frame], Awaitable[None]]:
        async def up(frame: Frame) -> None:
            await self._send(road, frame)

        return up

    def _join(self, said: dict[str, Any]) -> None:
        """The admin has to let it in first: what it held before is not for it any more."""
        self.box_name, self.code = str(said.get("box", "")), str(said.get("code", ""))
        self.state, self.problem = "waiting", None
        self.forget()

    def _refused(self, error: ApplianceError, *, of_input: bool) -> None:
        if not of_input and (error.status in _SENT_AWAY or self._side.via is not None):
            raise error
        self.problem = error
        self._notify()

    def _told(self, *, synced: bool = False) -> None:
        """The signals are the box's own as of now; behind a relay, as of the box's last word."""
        self._at = time.time() if self._side.via is None else self._side.true_at() or self._at
        if synced:
            self._resyncing = False
            if self._side.via is None or self._is_heard():
                self._live()
            elif self.state == "searching":
                self.state = "away"
        self._notify()

    def _live(self) -> None:
        self.problem = None
        self.state = "live"
        self.live.set()

    def _is_heard(self) -> bool:
        """Whether the box itself stands behind the picture, over a relay."""
        return not self._copy.is_behind and self._side.doubt(*self.version) is None

    def _away(self, error: ApplianceError) -> None:
        if self.state == "live":
            at = self._side.true_at() if self._side.via is not None else None
            self._at = at if at is not None else time.time() - (_now() - self._heard)
        self.state = "away" if self._at is not None else "searching"
        self.problem, self.code = error, ""
        self.live.clear()
        self._notify()

    def _notify(self) -> None:
        for listener in self.listeners:
            listener()

    async def _send(self, road: Connection, *frames: Frame) -> None:
        raw = b""
        for frame in frames:
            raw += encode(msgspec.structs.replace(frame, seq=self._seq))
            self._seq = (self._seq + 1) & 0xFFFF
        await road.send(raw)

    async def _watch(self, road: Connection) -> None:
        """Ping, and give up a box that is silent; QUIC itself would wait 30 s."""
        with contextlib.suppress(ConnectionLost, TimeoutError):
            while _now() - self._heard < SILENCE_S:
                async with asyncio.timeout(SILENCE_S):
                    await self._send(road, control("ping", t=int(time.time() * 1000)))
                await asyncio.sleep(PING_S)
        await road.close("silence")

    async def _mind(self, road: Connection) -> None:
        """Behind a relay: be live while the box's word comes, and leave a relay that holds things back."""
        try:
            while True:
                await asyncio.sleep(MIND_S)
                self._reconsider()
                letter = self._side.renewal(self._copy.epoch) if self.live.is_set() else None
                if letter is not None:
                    await self._send(road, letter)
        except ConnectionLost:
            return  # the conversation hears of it as well
        except ApplianceError as error:
            self._left = error
            await road.close(error.code)

    def _reconsider(self) -> None:
        """Behind a relay, be live exactly while the box's own word says so; raises SIG321 as :meth:`Side.doubt`."""
        problem = self._side.doubt(*self.version)
        if problem is None and self.state != "live" and not self._resyncing and not self._copy.is_behind:
            self._live()
            self._notify()
        elif problem is not None and self.state == "live":
            self._away(problem)

    async def _improve(self, road: Connection) -> None:
        """Behind a relay: move to the box when it is reached again, or to another relay when it is heard over that."""
        assert isinstance(self._finder, Roads)
        while True:
            await asyncio.sleep(BETTER_S * random.uniform(0.8, 1.2))  # noqa: S311 (not a secret)
            self._next = await self._finder.better(live=self.live.is_set())
            if self._next is not None:
                await road.close("moved")
                return

    def _take_up(self, held: cache.Held) -> None:
        self._copy.values, self._copy.epoch, self._copy.version = held.signals, held.epoch, held.version
        self._endpoint_id, self._at, self.state = held.box.endpoint_id, held.at, "away"

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_S)
            await self._save(STILL_TRUE_S)

    async def _save(self, still_true_s: float = 0.0) -> None:
        """Keep what is held, if it is news, or has been true for this long since it was kept."""
        box, age = self._finder.box, self.age_s()
        await self._side.tidy()
        if self._forgotten and age is None and self._cache_path is not None:
            self._forgotten, self._saved = False, None
            await asyncio.to_thread(self._cache_path.unlink, missing_ok=True)
        if self._cache_path is None or box is None or age is None or self.version[0] is None:
            return
        at = time.time() - age
        if self._saved is not None and self._saved[0] == self.version and at - self._saved[1] < still_true_s:
            return
        self._saved = (self.version, at)
        held = cache.Held(box, *self.version, dict(self.signals), at)
        try:
            await asyncio.to_thread(cache.save, self._cache_path, held)
        except OSError as error:
            _log.warn("what the screen holds could not be kept", path=self._cache_path, reason=error)


def _now() -> float:
    """Seconds that go on while the machine sleeps, which those of ``time.monotonic`` do not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _lost(reason: str) -> ApplianceError:
    return ApplianceError("SCR502", "The connection to the box was lost.", reason, "The screen comes back by itself.")
