"""People who sign in: a name, a role and a password's hash, in a file that only the gateway can read.

They are no rows of the database, so that the admin comes in while it is down.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen import cache
from appliance.services.admin.passwords import Passwords, check_password

__all__ = ["Account", "Accounts"]

_NAME: Final = re.compile(r"[\w][\w .@+-]{0,62}[\w]|[\w]")
_TAKEN: Final = re.compile(r"this (machine|box)|unknown name|token .*|.* key|s[0-9a-f]{8}", re.IGNORECASE)
"""What the audit calls those that have no account: programs, keys, screens."""
LIMIT: Final = 200
log = logger("gateway")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in.

    Attributes:
        name: as it was given; told apart without regard to case.
        role: admin, staff, wall, or one that was declared.
        hash: of the password.
        made_at, changed_at: seconds since 1970.
        seen_at: when it last signed in, or None.
    """

    name: str
    role: str
    hash: str
    made_at: float
    changed_at: float
    seen_at: float | None = None

    def told(self) -> dict[str, Any]:
        """What others may know of it."""
        return {
            "name": self.name,
            "role": self.role,
            "made_at": self.made_at,
            "changed_at": self.changed_at,
            "seen_at": self.seen_at,
        }


class Accounts:
    """The accounts of one box.

    Args:
        path: where they are kept.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._passwords = Passwords()
        self._changing = asyncio.Lock()
        self._all: dict[str, Account] = {}

    def load(self) -> None:
        """Read the file. Blocks on the disk.

        Raises:
            ApplianceError: BRG414, it cannot be read: the box does not act as if nobody had an account.
        """
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=list[Account])
        except FileNotFoundError:
            kept = []
        except (OSError, msgspec.DecodeError) as error:
            raise ApplianceError(
                "BRG414", f"{self._path} cannot be read.", str(error), "Restore it from a backup, or remove it."
            ) from None
        self._all = {account.name.casefold(): account for account in kept}

    @property
    def any(self) -> bool:
        """Whether anybody has one."""
        return bool(self._all)

    def all(self) -> list[Account]:
        """All of them by name."""
        return sorted(self._all.values(), key=lambda account: account.name.casefold())

    def find(self, name: str) -> Account | None:
        """The account of this name, or None."""
        return self._all.get(name.strip().casefold())

    def get(self, name: str) -> Account:
        """The account of this name.

        Raises:
            ApplianceError: BRG484, there is none.
        """
        found = self.find(name)
        if found is None:
            raise ApplianceError("BRG484", "There is no such account.", name[:64], "GET /api/accounts lists them.")
        return found

    async def prove(self, name: str, password: str) -> Account | None:
        """The account whose password this is, or None; an unknown name takes as long."""
        found = self.find(name)
        if not await self._passwords.fits(found.hash if found else None, password[:1000]) or found is None:
            return None
        async with self._changing:
            now = self.find(name)  # it may have been changed meanwhile, and that must not be written over
            if now is None or now.hash != found.hash:
                return None
            await self._put(msgspec.structs.replace(now, seen_at=self._clock()), essential=False)
        return now

    async def add(self, name: str, role: str, password: str) -> Account:
        """Make an account.

        Raises:
            ApplianceError: BRG483, the name or the password cannot be; BRG485, the name is taken.
        """
        name = _checked(name)
        check_password(password, name)
        hashed, now = await self._passwords.hashed(password), self._clock()
        async with self._changing:
            if self.find(name) is not None or len(self._all) >= LIMIT:
                raise ApplianceError("BRG485", "There is an account of this name.", name, "Choose another name.")
            made = Account(name=name, role=role, hash=hashed, made_at=now, changed_at=now)
            await self._put(made)
        return made

    async def change(self, name: str, role: str | None, password: str | None) -> Account:
        """Give an account another role or password; None leaves it.

        Raises:
            ApplianceError: BRG484, there is none; BRG483, the password cannot be; BRG485, the last admin stays one.
        """
        found = self.get(name)
        if password is not None:
            check_password(password, found.name)
        hashed = await self._passwords.hashed(password) if password is not None else None
        async with self._changing:
            found = self.get(name)
            if role is not None and role != "admin":
                self._check_not_last(found)
            changed = msgspec.structs.replace(
                found, role=role or found.role, hash=hashed or found.hash, changed_at=self._clock()
            )
            await self._put(changed)
        return changed

    async def remove(self, name: str) -> Account:
        """Take an account away.

        Raises:
            ApplianceError: BRG484, there is none; BRG485, the last admin stays.
        """
        async with self._changing:
            found = self.get(name)
            self._check_not_last(found)
            left = {key: account for key, account in self._all.items() if account is not found}
            await self._keep(left)
            self._all = left
        return found

    def _check_not_last(self, account: Account) -> None:
        admins = [each for each in self._all.values() if each.role == "admin"]
        if admins == [account]:
            raise ApplianceError(
                "BRG485", "The last admin cannot go.", account.name, "Make another account an admin first."
            )

    async def _put(self, account: Account, *, essential: bool = True) -> None:
        changed = self._all | {account.name.casefold(): account}
        try:
            await self._keep(changed)
        except OSError as error:
            if essential:
                raise ApplianceError("PGF108", "The accounts cannot be written.", str(error), None) from None
            log.warn("when an account signed in cannot be kept", reason=error)
        self._all = changed

    async def _keep(self, accounts: dict[str, Account]) -> None:
        body = msgspec.json.encode(list(accounts.values()))
        await asyncio.to_thread(cache.write, self._path, body, settled=True)


def _checked(name: str) -> str:
    name = re.sub(" +", " ", name.strip())
    if not _NAME.fullmatch(name):
        raise ApplianceError(
            "BRG483", "This cannot be an account's name.", name[:80], "Use 1 to 64 letters, digits, and . @ + - or _"
        )
    if _TAKEN.fullmatch(name):
        raise ApplianceError("BRG483", "The audit calls something else so.", name, "Choose another name.")
    return name
