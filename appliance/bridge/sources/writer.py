"""A source that writes signals over its own connection, and hears what screens send up.

The source sends SIGNAL_SYNC (its whole state) after connecting and SIGNAL_DIFF after that; ``$.a`` names
the audience of the frame's signals, ``$.s`` the stream where it is another than the source's own, ``$.del`` the
names that are gone. It may send APP, the page that shows its own stream. The box sends it INPUT frames with
``screen`` and ``role`` added. While no source is there, what screens send up waits, a short while.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from appliance.bridge.frame import INPUT, Frame, FrameType, control, encode
from appliance.bridge.members import Member
from appliance.bridge.signals import RESERVED
from appliance.bridge.stream import Stream
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.viewer import check_viewer
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, Signal

WAITING_LIMIT: Final = 200
WAITING_S: Final = 20.0
REFUSED: Final = frozenset({"SIG306", "SIG309"})
"""What a source is told and may go on after."""
INPUT_KINDS: Final = frozenset({"ask", "cancel", "pin", "set", "pointer", "touch", "key"})


class Inputs:
    """What screens sent up, on its way to the source: kept for 20 s while no source is connected."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, dict[str, Any]]] = deque()
        self._more = asyncio.Event()

    def hear(self, member: Member, said: dict[str, Any]) -> None:
        """Take an input of a screen.

        Raises:
            ApplianceError: SIG307, an input this version does not know; LLM209, too many are waiting.
        """
        if str(said.get("type")) not in INPUT_KINDS:
            raise ApplianceError("SIG307", "The input frame says something unknown.", str(said.get("type"))[:80])
        while self._waiting and time.monotonic() - self._waiting[0][0] >= WAITING_S:
            self._waiting.popleft()
        if len(self._waiting) >= WAITING_LIMIT:
            raise ApplianceError("LLM209", "Too many questions are waiting.", None, "Try again in a moment.")
        who = {"screen": member.screen, "role": member.role}
        who |= {"room": member.room} if member.room else {}
        who |= {"name": member.name} if member.name else {}
        self._waiting.append((time.monotonic(), {**said, **who}))
        self._more.set()

    async def take(self) -> dict[str, Any]:
        """The oldest input that is not too old."""
        while True:
            while self._waiting:
                heard, said = self._waiting.popleft()
                if time.monotonic() - heard < WAITING_S:
                    return said
            self._more.clear()
            await self._more.wait()

    def give_back(self, said: dict[str, Any]) -> None:
        """Put an input back that could not be delivered."""
        self._waiting.appendleft((time.monotonic(), said))
        self._more.set()


class Said(NamedTuple):
    """What a source's frame says: for whom, the signals, and the stream; None is the source's own."""

    audience: Role
    signals: list[Signal]
    stream: str | None


def read(frame: Frame) -> Said:
    """What a source's frame says.

    Raises:
        ApplianceError: SIG303.
    """
    said = frame.json()
    head = said.pop(RESERVED, {})
    audience = head.get("a", "wall") if isinstance(head, dict) else None
    if audience not in ROLES:
        raise ApplianceError("SIG303", "The source's frame names no audience of this box.", str(audience))
    role: Role = audience
    names = head.get("del", [])
    if not isinstance(names, list):
        raise ApplianceError("SIG303", "The source's frame does not list the names that are gone.", str(names)[:80])
    gone = [Signal(str(name), None, role) for name in names]
    stream = head.get("s")
    signals = [*gone, *(Signal(name, value, role) for name, value in said.items())]
    return Said(role, signals, str(stream) if stream is not None else None)


def write(
    kind: FrameType,
    values: dict[str, Any],
    audience: Role,
    gone: list[str] | None = None,
    stream: str | None = None,
) -> bytes:
    """A source's frame: the other side of :func:`read`."""
    head: dict[str, Any] = {"a": audience}
    if stream is not None:
        head["s"] = stream
    if gone:
        head["del"] = gone
    return encode(Frame(kind, msgspec.json.encode({**values, RESERVED: head})))


async def run(
    connection: Connection,
    name: str,
    stream: Stream,
    inputs: Inputs,
    others: Callable[[str], Stream] | None = None,
    done: Callable[[str, str, dict[str, Any] | None], None] | None = None,
) -> None:
    """Serve one source until it leaves.

    `others` opens the other streams that it may write; `done` hears the screen and the ref of an input
    that is done, and the error where it cannot be.
    """
    upward = asyncio.create_task(_send_inputs(connection, inputs))
    try:
        while True:
            frame = await connection.receive()
            try:
                await _take(connection, name, stream, frame, others)
            except ApplianceError as error:
                if error.code not in REFUSED:
                    raise
                await connection.send(encode(control("error", **error.shape())))
            if done is not None and frame.type == FrameType.CONTROL and (said := frame.json()).get("type") == "ack":
                fault = said.get("error")
                done(str(said.get("screen")), str(said.get("ref")), fault if isinstance(fault, dict) else None)
    except ConnectionLost:
        pass
    finally:
        upward.cancel()
        await asyncio.gather(upward, return_exceptions=True)


async def _take(
    connection: Connection, name: str, own: Stream, frame: Frame, others: Callable[[str], Stream] | None
) -> None:
    if frame.type in (FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF):
        said = read(frame)
        stream = own if said.stream is None or others is None else others(said.stream)
        if frame.type == FrameType.SIGNAL_SYNC:
            stream.replace(name, said.audience, said.signals)
        else:
            stream.write(name, said.signals)
    elif frame.type == FrameType.APP:
        own.viewer = check_viewer(frame.payload) or None
    elif frame.type == FrameType.CONTROL and frame.json().get("type") == "ping":
        await connection.send(encode(control("pong")))


async def _send_inputs(connection: Connection, inputs: Inputs) -> None:
    while True:
        said = await inputs.take()
        try:
            await connection.send(encode(Frame(FrameType.INPUT, msgspec.json.encode(said), INPUT)))
        except (ConnectionLost, asyncio.CancelledError):
            inputs.give_back(said)
            raise
