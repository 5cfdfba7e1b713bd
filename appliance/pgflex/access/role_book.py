"""Which roles there are and which tokens were revoked, known at once to whoever has to decide without waiting.

book = RoleBook(dsn)
asyncio.create_task(book.run())
await book.loaded.wait()
"nurse" in book.state.levels
async for state in book.states():      # now, and whenever it changes
    ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final

import msgspec
import psycopg

from appliance.observation import logger
from appliance.pgflex.database import Connection, fault
from appliance.types import ROLES, Role, RoleName

__all__ = ["RoleBook", "State"]

RETRY_S: Final = 0.5
IDLE_S: Final = 30.0
"""How often it looks though nothing was heard."""

_LEVELS: Final = "select name, level from flex.roles order by name"
_REVOKED: Final = "select jti from flex.tokens where revoked is not null and expires > now() order by jti"


class State(msgspec.Struct, frozen=True):
    """What there is now.

    Attributes:
        levels: each role's level.
        revoked: ids of the tokens that were revoked and have not run out.
        edition: grows whenever anything about access changed, also what is not in here.
    """

    levels: dict[RoleName, Role] = msgspec.field(default_factory=lambda: {role: role for role in ROLES})
    revoked: frozenset[str] = frozenset()
    edition: int = 0


class RoleBook:
    """Follows roles and revocations.

    Args:
        dsn: connects as the role that owns them.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.state = State()
        self.loaded = asyncio.Event()
        self._ended = False
        self._waiting: set[asyncio.Event] = set()
        self._watchers: list[Callable[[], None]] = []

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever anything about access changed."""
        self._watchers.append(told)

    async def run(self) -> None:
        """Follow until cancelled; a database that is away is waited for."""
        while True:
            with suppress(psycopg.Error, OSError):
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
                    await db.execute("listen flex_access")
                    heard = True
                    while True:
                        await self._load(db, heard)
                        heard = False
                        async for _ in db.notifies(timeout=IDLE_S, stop_after=1):
                            heard = True
            logger("pgflex").warn("roles cannot be followed just now")
            await asyncio.sleep(RETRY_S)

    async def reload(self) -> None:
        """Know by the return what was committed before the call.

        Raises:
            ApplianceError: PGF101, the database does not answer.
        """
        try:
            async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
                await self._load(db)
        except psycopg.Error as error:
            raise fault(error) from error

    def end(self) -> None:
        """End every :meth:`states`."""
        self._ended = True
        for each in self._waiting:
            each.set()

    async def states(self) -> AsyncGenerator[State, None]:
        """What there is, and again whenever that changes."""
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            await self.loaded.wait()
            while not self._ended:
                changed.clear()
                yield self.state
                await changed.wait()
        finally:
            self._waiting.discard(changed)

    async def _load(self, db: Connection, heard: bool = True) -> None:
        async with db.transaction():
            levels: dict[RoleName, Role] = dict(await (await db.execute(_LEVELS)).fetchall())
            revoked = frozenset(row[0] for row in await (await db.execute(_REVOKED)).fetchall())
        if not heard and (levels, revoked) == (self.state.levels, self.state.revoked):
            return
        self.state = State(levels, revoked, self.state.edition + 1)
        self.loaded.set()
        for each in self._waiting:
            each.set()
        for told in self._watchers:
            told()
