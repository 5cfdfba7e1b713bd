"""Tells PostgREST to read the schema anew: at once when tables change, and not again and again in a burst.

    async with Reload(dsn).running():
        ...     # select flex.schema_changed() anywhere -> one "notify pgrst" at once, then at most one per SPACING_S

PostgREST answers from what it knows while it reads, so a reload costs no request; hundreds of them would cost work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg

from appliance.pgflex.database import Connection

__all__ = ["SPACING_S", "Reload"]

SPACING_S: Final = 0.3
"""Seconds between two reloads, at least."""
_RETRY_S: Final = 0.5


class Reload:
    """Turns what PostgreSQL says on channel ``flex_schema`` into reloads of PostgREST.

    Args:
        dsn: connects as the role that owns the collections.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it."""
        task = asyncio.create_task(self.run(), name="reload")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def run(self) -> None:
        """Run until cancelled; a database that is away is waited for."""
        while True:
            with suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as db:
                    await self._listen(db)
            await asyncio.sleep(_RETRY_S)

    async def _listen(self, db: Connection) -> None:
        await db.execute("listen flex_schema")
        # Something may have changed while nobody listened.
        while True:
            await db.execute("notify pgrst, 'reload schema'")
            await asyncio.sleep(SPACING_S)
            async for _ in db.notifies(stop_after=1):
                # What came meanwhile came with it: the generator drains what has arrived.
                pass
