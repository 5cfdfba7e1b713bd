"""Joining, inside the bridge: who comes in and as what, which rooms there are, and what each may read.

What an unknown screen meets is the setting `join`: ``approve`` shows a code until the admin has said yes, ``ticket``
lets in who was given one beforehand, ``open`` lets everybody in as a wall. ``auto`` is ``approve`` on a network; a box
that serves this machine only is open, as staff, to who is at the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.bridge import Member, Session, Streams, control
from appliance.bridge.identity import Identity
from appliance.bridge.invitations import is_invitation, unusable
from appliance.bridge.invitations import read as read_invitation
from appliance.bridge.mesh import Mesh, as_shown
from appliance.bridge.mixing import Mix, Mixer, Part
from appliance.bridge.passes import Pass
from appliance.bridge.registry import Caller, Kept, Knock, Registry, Screen, called, refused
from appliance.bridge.rooms import ROOM, may_read_room, own_stream
from appliance.bridge.transports import Connection
from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen import cache
from appliance.services.access import Access
from appliance.services.screen_signs import ScreenSigns
from appliance.types import rank

NOT_IN_ROOMS: Final = ("answers.order", "answer.a*", "to.*")
"""What of the whole house a room does not show: the questions that were asked elsewhere, and what is for others."""
log = logger("bridge")


class AtTheDoor:
    """A connection that waits for the admin's word; see :class:`~appliance.bridge.members.Waiting`."""

    def __init__(self, joining: Joining, knock: Knock) -> None:
        self._joining, self._knock = joining, knock
        self.code = knock.code

    @property
    def expires_s(self) -> float:
        """Seconds until another code is shown."""
        return self._knock.left_s(time.time())

    async def decided(self) -> Member | AtTheDoor:
        """The member once it is one, or the wait with the next code."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.expires_s + 1):
                await self._knock.decided.wait()
        if self._knock.state == "refused":
            raise refused()
        screen = self._joining.registry.find(self._knock.caller.key)
        if screen is not None:
            return self._joining.member(screen)
        return AtTheDoor(self._joining, self._joining.registry.knock(self._knock.caller))


class Joining:
    """Decides who comes in.

    Args:
        settings: of the box.
        access: knows the keys.
        streams: where rooms get theirs.

    Attributes:
        registry: the screens.
        mixer: the composed streams.
        identity: the box's key, set once it is there.
        mesh: gives passes and signs, from :meth:`vouch` on.
        signs: what the box tells single screens.
    """

    def __init__(self, settings: Settings, access: Access, streams: Streams) -> None:
        self._settings, self._access, self._streams = settings, access, streams
        self._folder = settings.data / "bridge"
        self.registry = Registry()
        self.mixer = Mixer(streams)
        self.identity: Identity | None = None
        self.mesh: Mesh | None = None
        self.signs = ScreenSigns(streams)
        self._passed: dict[str, Screen] = {}  # as the passes have it that were given
        self._sessions: dict[str, set[Session]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._saving = asyncio.Lock()
        self._closed = False

    async def load(self) -> None:
        """Take up what the disk holds; before that the box knows no screen."""
        kept = await asyncio.to_thread(_load, self._folder / "screens.json", Kept)
        mixes = await asyncio.to_thread(_load, self._folder / "streams.json", list[Mix])
        self.registry.take(kept or Kept())
        self._declare_all(mixes or [])
        self.registry.listeners.append(self._changed)
        self.signs.follow(self.registry.screens.values())

    async def vouch(self, mesh: Mesh) -> None:
        """Tell the mesh from now on whose passes hold no longer, beginning with those of before a restart."""
        revoked = await asyncio.to_thread(_load, self._folder / "passes.json", dict[str, float])
        mesh.take_up(revoked or {})
        self.mesh, self._passed = mesh, dict(self.registry.screens)

    @property
    def policy(self) -> str:
        """``approve``, ``ticket`` or ``open``."""
        if self._settings.join == "auto":
            return "approve" if self._settings.lan else "open"
        return self._settings.join

    # Coming in -------------------------------------------------------------------------------------------

    def admit(self, connection: Connection, said: dict[str, Any]) -> Member | AtTheDoor:
        """Turn an Iroh screen's hello into a member or a wait.

        Raises:
            ApplianceError: BRG401, BRG441, BRG444 or BRG445.
        """
        credential, kind = str(said.get("credential") or ""), str(said.get("kind") or "")[:20]
        caller = Caller(f"iroh:{connection.peer}", kind, getattr(connection, "address", ""))
        if is_invitation(credential):
            return self.member(self.by_ticket(caller, credential))
        if credential:
            return Member(connection.peer[:16], self._access.key_role(credential))
        known = self.registry.find(caller.key)
        if known is not None:
            return self.member(known)
        if self.policy == "open" and caller.key not in self.registry.revoked:
            return self._open(caller)
        return AtTheDoor(self, self.knock(caller))

    def _open(self, caller: Caller) -> Member:
        if not self._settings.lan:
            return Member(caller.key.removeprefix("iroh:")[:16], self._access.key_role(""))
        name = called(caller.kind, caller.key[-4:])
        return self.member(self.registry.admit(caller, name, "", "wall", "open"))

    def knock(self, caller: Caller) -> Knock:
        """An unknown screen asks to be let in.

        Raises:
            ApplianceError: BRG401, this box takes tickets only; as :meth:`Registry.knock`.
        """
        if self.policy != "approve":
            raise ApplianceError(
                "BRG401", "This box lets in screens that have a ticket.", None, "Ask the admin for one: --ticket TICKET"
            )
        return self.registry.knock(caller)

    def by_ticket(self, caller: Caller, text: str) -> Screen:
        """Let a caller in that has a ticket; one that is in already stays as it is, and is not counted again.

        Raises:
            ApplianceError: BRG444, the ticket is no good.
        """
        known = self.registry.find(caller.key)
        if known is not None:
            return known  # its ticket may have run out since
        assert self.identity is not None
        ticket = read_invitation(text, self.identity.endpoint_id, time.time())
        used = self.registry.tickets.get(ticket.id, -1)
        if used < 0:
            raise unusable("This ticket was taken back.")
        if caller.key in self.registry.revoked:
            raise unusable("This screen was taken out of the box's list: its ticket is good no more.")
        if used >= ticket.uses:
            raise unusable("This ticket was used up.")
        self.registry.count_ticket(ticket.id, used + 1)
        name = called(caller.kind, str(used + 1))
        return self.registry.admit(caller, name, ticket.room, ticket.role, ticket.id)

    def member(self, screen: Screen) -> Member:
        """A known screen as the conversation sees it."""
        return Member(screen.id, screen.role, screen.room, screen.name, own_stream(screen.room))

    def allow(self, shown: Pass) -> Member | None:
        """Who a pass's screen is now, or None where it was taken out; one that came with a key is as it was."""
        key = f"iroh:{shown.screen}"
        known = self.registry.find(key)
        if known is not None:
            return self.member(known)
        return None if key in self.registry.revoked else as_shown(shown)

    def may(self, member: Member, stream: str) -> bool:
        """Whether a member may read a stream: rooms are read by who is in them, and by the admin."""
        if stream.startswith(ROOM):
            return may_read_room(stream, member.own, member.role)
        mix = self.mixer.find(stream)
        return mix is None or rank(member.role) >= rank(mix.audience)

    # Who is here -----------------------------------------------------------------------------------------

    def arrived(self, member: Member, session: Session, address: str) -> None:
        """A screen is connected."""
        self._sessions.setdefault(member.screen, set()).add(session)
        self.registry.seen(member.screen, address)
        self.registry.version += 1
        self._tell()

    def left(self, session: Session) -> None:
        """A screen is gone."""
        id_ = session.member.screen if session.member is not None else ""
        here = self._sessions.get(id_)
        if here is None:
            return
        here.discard(session)
        if not here:
            del self._sessions[id_]
            self.registry.seen(id_, "")
            self.registry.version += 1
            self._tell()

    def done(self, screen: str, ref: str, fault: dict[str, Any] | None = None) -> None:
        """Tell a screen that what it sent up is done, or by an error that it cannot be."""
        for session in self._sessions.get(screen, ()):
            self._soon(session.tell(control("error", **fault, ref=ref) if fault else control("ack", ref=ref)))
        behind = self.mesh.done(screen, ref) if self.mesh is not None else None
        if behind is not None:
            self._soon(behind)

    def told(self) -> dict[str, Any]:
        """Everything an admin sees of screens and rooms."""
        screens = [
            {**msgspec.to_builtins(screen), "key": screen.key[:21], **self._here(screen.id)}
            for screen in sorted(self.registry.screens.values(), key=lambda screen: (screen.room, screen.name))
        ]
        return {
            "version": self.registry.version,
            "join": self.policy,
            "screens": screens,
            "waiting": [_told_knock(knock) for knock in self.registry.waiting()],
            "rooms": [{"name": name, "label": label} for name, label in sorted(self.registry.rooms.items())],
        }

    def _here(self, id_: str) -> dict[str, Any]:
        """Whether a screen is here, what it shows, and how long it takes to answer."""
        sessions = self._sessions.get(id_, set())
        told: dict[str, Any] = {"live": bool(sessions), "latency_ms": None, "stream": "", "version": None}
        for session in sessions:
            stream, version = session.showing
            told |= {"latency_ms": session.latency_ms, "stream": stream, "version": version}
        return told

    def close(self) -> None:
        """Let everybody go who waits for news: the bridge stops."""
        self._closed = True
        self._tell()

    async def news(self, since: int, wait_s: float) -> None:
        """Return once the registry is past a version, or after so many seconds."""
        try:
            async with asyncio.timeout(wait_s):
                while self.registry.version <= since and not self._closed:
                    await self._news.wait()
        except TimeoutError:
            return

    def streams(self) -> list[str]:
        """The names of all streams."""
        return self._streams.names()

    # Rooms and streams -----------------------------------------------------------------------------------

    def declare(self, mix: Mix) -> None:
        """Compose a stream from now on.

        Raises:
            ApplianceError: BRG446.
        """
        if mix.name.startswith(ROOM) and mix.name.removeprefix(ROOM) not in self.registry.rooms:
            raise ApplianceError("BRG446", "There is no such room.", mix.name, "PUT /api/rooms/NAME makes one.")
        self.mixer.declare(mix)

    def undeclare(self, name: str) -> None:
        """Take a declaration back; a room has its first one again."""
        self.mixer.remove(name)
        self._declare_rooms()

    def _declare_all(self, mixes: list[Mix]) -> None:
        for mix in mixes:
            try:
                self.mixer.declare(mix)
            except ApplianceError as error:
                log.warn("a stream is not composed as declared", stream=mix.name, reason=error)
        self._declare_rooms()

    def _declare_rooms(self) -> None:
        for room in self.registry.rooms:
            if self.mixer.find(ROOM + room) is None:
                self.mixer.declare(Mix(ROOM + room, (Part("main", without=NOT_IN_ROOMS),)))
        for mix in self.mixer.declared():
            if mix.name.startswith(ROOM) and mix.name.removeprefix(ROOM) not in self.registry.rooms:
                self.mixer.remove(mix.name)

    # What a change brings with it ------------------------------------------------------------------------

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _changed(self, ids: set[str]) -> None:
        self._tell()
        self._declare_rooms()
        self.signs.follow(self.registry.screens.values())
        for id_ in ids:
            screen = self.registry.screens.get(id_)
            for session in self._sessions.get(id_, ()):
                if session.member is not None and (screen is None or self.member(screen) != session.member):
                    self._soon(session.end(None if screen else _revoked()))
        self._withdraw(ids)
        self._soon(self.save())

    def _withdraw(self, ids: set[str]) -> None:
        """Have the passes of these screens hold no longer where they say another role or room, or should not be."""
        for id_ in ids:
            before, now = self._passed.pop(id_, None), self.registry.screens.get(id_)
            if now is not None:
                self._passed[id_] = now
            moved = now is None or (before is not None and (now.role, now.room) != (before.role, before.room))
            if self.mesh is not None and before is not None and moved and before.key.startswith("iroh:"):
                self.mesh.revoke(before.key.removeprefix("iroh:"))

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def save(self) -> None:
        """Keep registry and declarations on the disk."""
        async with self._saving:
            kept, mixes = self.registry.kept(), self.mixer.declared()
            try:
                await self._write("screens.json", kept)
                await self._write("streams.json", mixes)
                if self.mesh is not None:
                    await self._write("passes.json", self.mesh.revocations())
            except OSError as error:
                log.warn("the list of screens cannot be kept", folder=self._folder, reason=error)

    async def _write(self, name: str, value: object) -> None:
        await asyncio.to_thread(cache.write, self._folder / name, msgspec.json.encode(value), settled=True)


def _told_knock(knock: Knock) -> dict[str, Any]:
    left = round(knock.left_s(time.time()))
    return {"code": knock.code, "kind": knock.caller.kind, "address": knock.caller.address, "expires_s": left}


def _revoked() -> ApplianceError:
    return ApplianceError("BRG401", "This screen was taken out of the box's list.", None, "It may ask to join again.")


def _load(path: Path, kind: Any) -> Any:
    """What a file holds, or None where there is none; one that cannot be read is set aside, not overwritten."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        aside = path.with_suffix(f".{int(time.time())}.unread")
        log.error("a list of the bridge cannot be read; it begins empty", file=path, kept_as=aside, reason=error)
        with contextlib.suppress(OSError):
            path.rename(aside)
        return None
