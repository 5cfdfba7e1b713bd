"""Passwords: kept as argon2id, checked away from the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.errors import ApplianceError

__all__ = ["Passwords", "check_password"]

SHORTEST: Final = 10
LONGEST: Final = 200
AT_ONCE: Final = 2
NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$FTk+o9WEQuM6Ur3Hi2a2/Q$l75qeb/IyJQtOyaBJvo91HZB8S+wbQAQlQxmvcK8S1c"
"""A hash of no password: an unknown name is looked at for as long as a known one."""


class Passwords:
    """Makes and checks hashes; each takes 64 MiB and about a tenth of a second."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        """The hash to keep of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the password of this hash; None (an unknown name) takes as long, and it never is."""
        async with self._turns:
            return await asyncio.to_thread(self._fits, kept or NOBODY, password) and kept is not None

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, name: str) -> None:
    """Refuse a password that is too easy to guess, or cannot be typed again.

    Raises:
        ApplianceError: BRG483.
    """
    problem = ""
    if not SHORTEST <= len(password) <= LONGEST:
        problem = f"It has {len(password)} characters."
    elif not password.isprintable():
        problem = "It has characters that nobody sees."
    elif password.casefold() == name.casefold() or len(set(password)) < 4:
        problem = "It is easy to guess."
    if problem:
        hint = f"Choose {SHORTEST} to {LONGEST} characters, such as four words that do not belong together."
        raise ApplianceError("BRG483", "This cannot be a password.", problem, hint)
