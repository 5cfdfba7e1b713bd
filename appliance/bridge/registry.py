"""The screens a box knows: who knocks, who was let in, into which room and as what.

A new screen knocks and gets a code of six characters, which it shows. The admin who reads it approves the code into a
room with a role, or refuses it. From then on the screen is known by its key: an EndpointId, or a browser's own.

    >>> registry = Registry()
    >>> knock = registry.knock(Caller("iroh:d8f7", "wall", "192.0.2.7:4711"))
    >>> screen = registry.approve(knock.code, "Wall by the door", "icu", "wall")
    >>> registry.find("iroh:d8f7").room, knock.state
    ('icu', 'approved')
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.types import ROLES, Role

ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""What codes are made of: nothing that is taken for something else when it is read aloud."""
CODE_LENGTH: Final = 6
CODE_S: Final = 600.0
"""Seconds a code is good for."""
BARRED_S: Final = 600.0
"""Seconds a refused screen is not heard again."""
WAITING_LIMIT: Final = 64
WAITING_PER_HOST: Final = 8
GUESSES: Final = 10
GUESSES_S: Final = 60.0
"""So many codes that nobody shows may be tried in so many seconds."""
SCREENS_LIMIT: Final = 5000
_ROOM: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NAME_LIMIT: Final = 80

State = Literal["waiting", "approved", "refused", "expired"]


class Caller(msgspec.Struct, frozen=True):
    """Who knocks.

    Attributes:
        key: what it is known by: ``iroh:<EndpointId>`` or ``web:<digest>``.
        kind: wall, tablet, phone, watch or text, as it says itself.
        address: where it calls from, ``ip:port`` or ``ip``; empty where that is not known.
    """

    key: str
    kind: str = ""
    address: str = ""


class Knock:
    """A caller that waits for the admin's word. `state` says what came of it."""

    def __init__(self, caller: Caller, code: str, expires: float) -> None:
        self.caller = caller
        self.code = code
        self.expires = expires
        self.state: State = "waiting"
        self.decided = asyncio.Event()

    def left_s(self, now: float) -> float:
        """Seconds that the code is still good for."""
        return max(0.0, self.expires - now)

    def decide(self, state: State) -> None:
        """Tell whoever waits."""
        self.state = state
        self.decided.set()


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A screen that was let in.

    Attributes:
        id: what the box calls it.
        key: as :attr:`Caller.key`.
        name: what people call it.
        kind: its surface, as it said.
        room: the room it shows; empty is the whole house.
        role: what it acts as.
        address: where it was last seen.
        joined_at, seen_at: seconds since 1970.
        by: ``code``, ``open``, or the ticket's id.
        surface: how the admin wants it laid out; empty: as it thinks itself.
    """

    id: str
    key: str
    name: str
    kind: str = ""
    room: str = ""
    role: Role = "wall"
    address: str = ""
    joined_at: float = 0.0
    seen_at: float = 0.0
    by: str = "code"
    surface: str = ""


class Kept(msgspec.Struct):
    """What is kept on the disk."""

    screens: list[Screen] = []
    rooms: dict[str, str] = {}
    tickets: dict[str, int] = {}
    revoked: list[str] = []


class Registry:
    """Who is let in; and who waits, which is forgotten with the process.

    Args:
        kept: what was on the disk.
        clock: seconds since 1970.

    Attributes:
        screens: by id.
        rooms: labels by name.
        tickets: how often each ticket was used, by its id; -1 where it was taken back.
        revoked: keys that were taken out: only a code lets them in again.
        version: grows with every change.
        listeners: called after every change with the ids that it touched.
    """

    def __init__(self, kept: Kept | None = None, clock: Callable[[], float] = time.time) -> None:
        self.version = 0
        self.listeners: list[Callable[[set[str]], None]] = []
        self._clock = clock
        self._knocks: dict[str, Knock] = {}
        self._barred: dict[str, float] = {}
        self._wrong: deque[float] = deque(maxlen=GUESSES)
        self.take(kept or Kept())

    def take(self, kept: Kept) -> None:
        """Go by what was kept from now on."""
        self.screens: dict[str, Screen] = {screen.id: screen for screen in kept.screens}
        self.rooms: dict[str, str] = dict(kept.rooms)
        self.tickets: dict[str, int] = dict(kept.tickets)
        self.revoked: dict[str, None] = dict.fromkeys(kept.revoked)
        self._by_key = {screen.key: screen.id for screen in kept.screens}

    def kept(self) -> Kept:
        """What is to be kept on the disk."""
        return Kept(list(self.screens.values()), dict(self.rooms), dict(self.tickets), list(self.revoked))

    def find(self, key: str) -> Screen | None:
        """The screen with this key, or None."""
        id_ = self._by_key.get(key)
        return self.screens.get(id_) if id_ else None

    # Knocking --------------------------------------------------------------------------------------------

    def knock(self, caller: Caller) -> Knock:
        """A caller asks to be let in; one that waits already keeps its code.

        Raises:
            ApplianceError: BRG445, it was refused a short while ago; BRG441, too many are waiting.
        """
        now = self._clock()
        self._tidy(now)
        if now < self._barred.get(caller.key, 0.0):
            raise refused()
        for knock in self._knocks.values():
            if knock.caller.key == caller.key:
                return knock
        same = sum(_host(knock.caller) == _host(caller) for knock in self._knocks.values())
        if len(self._knocks) >= WAITING_LIMIT or same >= WAITING_PER_HOST:
            raise ApplianceError(
                "BRG441", "Too many screens are waiting to join.", None, "Approve or refuse those that wait."
            )
        knock = Knock(caller, self._new_code(), now + CODE_S)
        self._knocks[knock.code] = knock
        self._changed(set())
        return knock

    def waiting(self) -> list[Knock]:
        """Who waits, the longest first."""
        self._tidy(self._clock())
        return list(self._knocks.values())

    def approve(self, code: str, name: str, room: str, role: str) -> Screen:
        """Let in whoever shows this code.

        Raises:
            ApplianceError: BRG440, nobody does; BRG441, too many wrong codes; BRG443, the name, room or role cannot be.
        """
        given = checked(name, room, role)
        knock = self._waiting(code)
        screen = self.admit(
            knock.caller, given[0] or called(knock.caller.kind, knock.code[:3]), given[1], given[2], "code"
        )
        knock.decide("approved")
        return screen

    def refuse(self, code: str) -> None:
        """Send whoever shows this code away; it is not heard again for ten minutes.

        Raises:
            ApplianceError: BRG440, nobody does; BRG441, too many wrong codes.
        """
        knock = self._waiting(code)
        self._barred[knock.caller.key] = self._clock() + BARRED_S
        knock.decide("refused")
        self._changed(set())

    def _waiting(self, code: str) -> Knock:
        now = self._clock()
        self._tidy(now)
        if len(self._wrong) == GUESSES and now - self._wrong[0] < GUESSES_S:
            raise ApplianceError("BRG441", "Too many wrong codes.", None, "Wait a minute, then read it off the screen.")
        knock = self._knocks.pop("".join(code.upper().split()).replace("-", ""), None)
        if knock is None:
            self._wrong.append(now)
            raise ApplianceError(
                "BRG440",
                "No screen shows this code.",
                code[:20],
                "Codes are good for ten minutes: read it off the screen again.",
            )
        return knock

    def _tidy(self, now: float) -> None:
        late = [knock for knock in self._knocks.values() if knock.expires <= now]
        for knock in late:
            del self._knocks[knock.code]
            knock.decide("expired")
        self._barred = {key: until for key, until in self._barred.items() if until > now}

    def _new_code(self) -> str:
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
            if code not in self._knocks:
                return code

    # Those that are in -----------------------------------------------------------------------------------

    def admit(self, caller: Caller, name: str, room: str, role: Role, by: str) -> Screen:
        """Let a caller in; one that is known keeps its id.

        Raises:
            ApplianceError: BRG441, the box knows as many screens as it can.
        """
        known, now = self.find(caller.key), self._clock()
        if known is None and len(self.screens) >= SCREENS_LIMIT:
            raise ApplianceError("BRG441", "The box knows as many screens as it can.", None, "Remove old ones.")
        screen = Screen(
            id=known.id if known else f"s{secrets.token_hex(4)}",
            key=caller.key,
            name=name,
            kind=caller.kind[:20],
            room=room,
            role=role,
            address=caller.address,
            joined_at=now,
            seen_at=now,
            by=by,
            surface=known.surface if known else "",
        )
        self.revoked.pop(caller.key, None)
        self._put(screen)
        return screen

    def change(
        self,
        id_: str,
        name: str | None = None,
        room: str | None = None,
        role: str | None = None,
        surface: str | None = None,
    ) -> Screen:
        """Rename a screen, move it, give it another role, or say how it is laid out (``auto``: as it thinks itself).

        Raises:
            ApplianceError: BRG442, no such screen; BRG443, the name, room or role cannot be.
        """
        old = self._known(id_)
        given = checked(
            old.name if name is None else name, old.room if room is None else room, old.role if role is None else role
        )
        screen = msgspec.structs.replace(old, name=given[0] or old.name, room=given[1], role=given[2])
        if surface is not None:
            screen = msgspec.structs.replace(screen, surface="" if surface == "auto" else surface[:20])
        if screen != old:
            self._put(screen)
        return screen

    def revoke(self, id_: str) -> None:
        """Forget a screen: it has to knock again.

        Raises:
            ApplianceError: BRG442, no such screen.
        """
        screen = self._known(id_)
        del self.screens[id_], self._by_key[screen.key]
        self.revoked[screen.key] = None
        while len(self.revoked) > SCREENS_LIMIT:
            self.revoked.pop(next(iter(self.revoked)))
        self._changed({id_})

    def get(self, id_: str) -> Screen:
        """The screen of this id.

        Raises:
            ApplianceError: BRG442, there is none.
        """
        return self._known(id_)

    def seen(self, id_: str, address: str) -> None:
        """A screen is here now. No change that anyone is told of."""
        old = self.screens.get(id_)
        if old is not None:
            self.screens[id_] = msgspec.structs.replace(old, seen_at=self._clock(), address=address or old.address)

    def label_room(self, room: str, label: str) -> None:
        """Declare a room, or say what it is called.

        Raises:
            ApplianceError: BRG443, it cannot have this name.
        """
        checked("", room, "wall")
        if self.rooms.get(room) != label[:_NAME_LIMIT]:
            self.rooms[room] = label[:_NAME_LIMIT]
            self._changed(set())

    def drop_room(self, room: str) -> None:
        """Take a room away; its screens show the whole house from now on."""
        self.rooms.pop(room, None)
        inside = {screen.id for screen in self.screens.values() if screen.room == room}
        for id_ in inside:
            self.screens[id_] = msgspec.structs.replace(self.screens[id_], room="")
        self._changed(inside)

    def count_ticket(self, ticket: str, used: int) -> None:
        """Remember how often a ticket was used; -1: it is good no more."""
        self.tickets[ticket] = used
        self._changed(set())

    def _known(self, id_: str) -> Screen:
        screen = self.screens.get(id_)
        if screen is None:
            raise ApplianceError("BRG442", "The box knows no such screen.", id_[:40], "GET /api/screens lists them.")
        return screen

    def _put(self, screen: Screen) -> None:
        self.screens[screen.id] = screen
        self._by_key[screen.key] = screen.id
        if screen.room:
            self.rooms.setdefault(screen.room, screen.room)
        self._changed({screen.id})

    def _changed(self, ids: set[str]) -> None:
        self.version += 1
        self.version += 1
        for listener in self.listeners:
            listener(ids)


def checked(name: str, room: str, role: str) -> tuple[str, str, Role]:
    """A screen's name without blanks around it, its room and its role; a room may be empty.

    Raises:
        ApplianceError: BRG443, one of them cannot be.
    """
    name = " ".join(name.split())
    found = next((known for known in ROLES if known == role), None)
    if found is None:
        raise ApplianceError("BRG443", "A screen cannot act as this.", role[:40], f"One of {', '.join(ROLES)}.")
    if room and not _ROOM.fullmatch(room):
        raise ApplianceError(
            "BRG443",
            "A room cannot have this name.",
            room[:60],
            "Use 1 to 40 lower-case letters, digits, - and _, such as ward-3; what people call it is its label.",
        )
    if len(name) > _NAME_LIMIT or not name.isprintable():
        raise ApplianceError("BRG443", "A screen cannot have this name.", name[:100], f"At most {_NAME_LIMIT} letters.")
    return name, room, found


def refused() -> ApplianceError:
    """That a screen was sent away."""
    return ApplianceError(
        "BRG445", "This screen was not let in.", None, "Ask the admin of this box; it may knock again in ten minutes."
    )


def called(kind: str, more: str) -> str:
    """A name for a screen that nobody has given one."""
    return f"{(kind or 'screen').capitalize()} {more}"


def _host(caller: Caller) -> str:
    return caller.address.rpartition(":")[0] or caller.address
