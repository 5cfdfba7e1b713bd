"""Sessions of people who signed in: a random text in a cookie, of which the box keeps only a digest.

>>> sessions = Sessions(None, lambda: 900.0)
>>> token = sessions.begin("maria", "admin", "192.0.2.7")
>>> sessions.find(token).name
'maria'
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from appliance.bridge.armor import as_text
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen import cache

__all__ = ["COOKIE", "Session", "Sessions", "csrf_of", "is_session"]

COOKIE: Final = "dreamstack_session"
LONGEST_S: Final = 12 * 3600.0
PER_ACCOUNT: Final = 20
KEPT_EVERY_S: Final = 60.0
_BEGIN: Final = "ses-"
log = logger("gateway")


class Session(msgspec.Struct, kw_only=True):
    """Somebody who is signed in. Times are seconds since 1970."""

    digest: str
    name: str
    role: str
    address: str
    began: float
    seen: float


def is_session(credential: str) -> bool:
    """Whether a credential is a session's."""
    return credential.startswith(_BEGIN)


def csrf_of(token: str) -> str:
    """What a page has to send besides the cookie, which other pages cannot read."""
    return as_text(hmac.digest(token.encode(), b"dreamstack csrf", "sha256"))


class Sessions:
    """Who is signed in.

    Args:
        path: where digests are kept, so that a restart of the gateway signs nobody out; None keeps none.
        idle_s: how long somebody may do nothing.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | None, idle_s: Callable[[], float], clock: Callable[[], float] = time.time) -> None:
        self._path, self.idle_s, self._clock = path, idle_s, clock
        self._all: dict[str, Session] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._kept = 0.0
        self._keeping = asyncio.Lock()

    def load(self) -> None:
        """Take up who was signed in. Blocks on the disk."""
        with suppress(OSError, msgspec.DecodeError):
            if self._path is not None:
                kept = msgspec.json.decode(self._path.read_bytes(), type=list[Session])
                self._all = {session.digest: session for session in kept}

    def check(self, holds: Callable[[Session], bool]) -> None:
        """End those that hold no more: their account may be another one since they were written down."""
        for session in list(self._all.values()):
            if not holds(session):
                self._drop(session.digest)

    def begin(self, name: str, role: str, address: str) -> str:
        """Sign somebody in; returns the cookie's value."""
        token, now = _BEGIN + secrets.token_urlsafe(32), self._clock()
        self._tidy()
        own = [digest for digest, session in self._all.items() if session.name == name]
        for digest in own[: max(0, len(own) - PER_ACCOUNT + 1)]:
            self._drop(digest)
        digest = _digest(token)
        self._all[digest] = Session(digest=digest, name=name, role=role, address=address, began=now, seen=now)
        return token

    def find(self, token: str, *, used: bool = False) -> Session | None:
        """The session of a cookie, or None where it ended; `used` begins its time to do nothing anew."""
        session = self._all.get(_digest(token))
        if session is None:
            return None
        if self.left_s(session) <= 0:
            self._drop(session.digest)
            return None
        if used:
            session.seen = self._clock()
        return session

    def role(self, token: str) -> str:
        """The role of a session.

        Raises:
            ApplianceError: BRG401, it ended.
        """
        session = self.find(token)
        if session is None:
            raise signed_out()
        return session.role

    def left_s(self, session: Session) -> float:
        """Seconds until it ends by itself."""
        return min(session.seen + self.idle_s(), self.expires_at(session)) - self._clock()

    @staticmethod
    def expires_at(session: Session) -> float:
        """When it ends whatever somebody does."""
        return session.began + LONGEST_S

    def end(self, token: str) -> None:
        """Sign out."""
        self._drop(_digest(token))

    def end_of(self, name: str, besides: str = "") -> int:
        """End all sessions of an account, but not that of the cookie `besides`; how many those were."""
        kept = _digest(besides) if besides else ""
        gone = [each.digest for each in self._all.values() if each.name == name and each.digest != kept]
        for digest in gone:
            self._drop(digest)
        return len(gone)

    def count(self, name: str) -> int:
        """How many sessions an account has."""
        self._tidy()
        return sum(session.name == name for session in self._all.values())

    async def gone(self, token: str) -> None:
        """Return once a session has ended."""
        while (session := self.find(token)) is not None:
            ended = self._ended.setdefault(session.digest, asyncio.Event())
            with suppress(TimeoutError):
                async with asyncio.timeout(self.left_s(session) + 0.01):
                    await ended.wait()

    async def keep(self, *, now: bool = False) -> None:
        """Write down who is signed in; once a minute unless it must be now."""
        if self._path is None or (not now and self._clock() - self._kept < KEPT_EVERY_S):
            return
        self._kept = self._clock()
        async with self._keeping:  # one after the other, so that what is written last is what was last
            body = msgspec.json.encode(list(self._all.values()))
            try:
                await asyncio.to_thread(cache.write, self._path, body)
            except OSError as error:
                log.warn("who is signed in cannot be kept", reason=error)

    def _tidy(self) -> None:
        for session in list(self._all.values()):
            if self.left_s(session) <= 0:
                self._drop(session.digest)

    def _drop(self, digest: str) -> None:
        self._all.pop(digest, None)
        if (ended := self._ended.pop(digest, None)) is not None:
            ended.set()


def signed_out() -> ApplianceError:
    """That a session has ended."""
    return ApplianceError("BRG401", "Nobody is signed in, or not any more.", None, "Sign in, and go on.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
