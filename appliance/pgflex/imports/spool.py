"""The spool of an import, and the process that reads a file into it and writes documents from it.

See :mod:`appliance.pgflex.imports.scan` for what that process does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

import msgspec

from appliance.errors import ApplianceError, from_shape
from appliance.pgflex.imports.scan import Asked, Found
from appliance.types import FieldType

__all__ = ["Progress", "documents", "read_into", "rows"]

_PIECE: Final = 1 << 20
_LINE_LIMIT: Final = 64 << 20
Process = asyncio.subprocess.Process


class Progress(msgspec.Struct, frozen=True):
    """How far an import is: bytes and rows read, and rows stored (about)."""

    bytes: int
    rows: int
    stored: int = 0


async def read_into(spool: int, asked: Asked, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Progress | Found, None]:
    """Read a file into the spool (an open file's number), and tell what is in it last.

    Raises:
        ApplianceError: PGF140, it cannot be read; PGF107, no room; and what `pieces` raises.
    """
    async with _helper("read", spool, msgspec.json.encode(asked).decode()) as process:
        feeding = asyncio.create_task(_feed(process, pieces))
        try:
            assert process.stdout is not None
            found = None
            while line := await process.stdout.readline():
                event = _told(line)
                found = event if isinstance(event, Found) else None
                if found is None:
                    yield event
            await feeding
            if found is None:
                raise _ended()
            yield found
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def rows(spool: int) -> AsyncGenerator[bytes, None]:
    """The rows of a CSV, as they are in the spool."""
    at = 0
    while piece := await asyncio.to_thread(os.pread, spool, _PIECE, at):
        yield piece
        at += len(piece)


async def documents(spool: int, labels: Mapping[str, tuple[str, FieldType]]) -> AsyncGenerator[bytes, None]:
    """The documents of the spool as CSV: per label a column, of this name and type."""
    async with _helper("write", spool) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode({"labels": labels}))
        process.stdin.close()
        while piece := await process.stdout.read(_PIECE):
            yield piece
        if await process.wait():
            raise _ended()


@asynccontextmanager
async def _helper(mode: Literal["read", "write"], spool: int, *more: str) -> AsyncIterator[Process]:
    """The reading process; ended with the block, whatever it was doing."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance.pgflex.imports.scan", mode, str(spool), *more,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, pass_fds=[spool], limit=_LINE_LIMIT,
    )  # fmt: skip
    # Not process.kill(): that would take note of an end that the event loop waits for.
    handle = os.pidfd_open(process.pid)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
        await process.wait()


async def _feed(process: Process, pieces: AsyncIterator[bytes]) -> None:
    """Hand the file on; when it breaks off the process is told that it ends, and this fails."""
    assert process.stdin is not None
    try:
        async for piece in pieces:
            process.stdin.write(piece)
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has said why before it ended
    finally:
        process.stdin.close()


def _told(line: bytes) -> Progress | Found:
    """What the reading process says."""
    said = msgspec.json.decode(line)
    if "error" in said:
        raise from_shape(said["error"], "PGF100")
    return msgspec.convert(said["scan"], Found) if "scan" in said else msgspec.convert(said, Progress)


def _ended() -> ApplianceError:
    return ApplianceError("PGF100", "The program that reads the file ended.", None, "See the box's log.")
