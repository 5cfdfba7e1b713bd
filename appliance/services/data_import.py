"""The data service's address for files: imports one as it comes in, and tells how far it is while it does.

POST   /flex/{collection}/import?format=csv|ndjson|json&encoding=&dry_run=&skip_bad=   the file as the body

Without ``format`` the content type says what the file is. The answer is a line of JSON per event: ``progress`` now and
then, at the end ``done`` with the report, or ``error`` with the one error shape. A client that goes away before that
leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.imports.importing import Importer, Progress, Report, Wanted
from appliance.pgflex.imports.scan import ENCODINGS, Format
from appliance.services.data_writes import limits
from appliance.services.internal import role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]

_FORMATS: Final[dict[str, Format]] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/json": "json",
}


def install(app: FastAPI, service: DataService) -> None:
    """Add the address to the data service."""
    settings = service.settings
    importer = Importer(service.pool, service.store, settings.data / "import", limits(settings))

    @app.post("/flex/{collection}/import")
    async def import_file(
        collection: str,
        request: Request,
        format: Literal["csv", "ndjson", "json"] | None = None,
        encoding: str = "",
        dry_run: bool = False,
        skip_bad: bool = False,
    ) -> Response:
        wanted = Wanted(
            collection,
            role_of(request),
            format or _format(request.headers.get("content-type", "")),
            _encoding(encoding),
            dry_run,
            skip_bad,
            request.headers.get("x-screen") or None,
        )
        if int(request.headers.get("content-length") or 0) > settings.import_limit:
            raise _too_large(settings.import_limit)
        await importer.check(wanted)
        return _Importing(importer, wanted, settings.import_limit)


def _format(content_type: str) -> Format:
    kind = content_type.partition(";")[0].strip().casefold()
    if kind not in _FORMATS:
        raise ApplianceError(
            "BRG410",
            "The request does not say what the file is.",
            {"content-type": kind[:80]},
            "Add ?format=csv, ndjson or json.",
        )
    return _FORMATS[kind]


def _encoding(name: str) -> str:
    if name and name.casefold() not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise ApplianceError("BRG410", "The box does not know this encoding.", name[:80], f"One of {known}.")
    return name.casefold()


def _too_large(limit: int) -> ApplianceError:
    return ApplianceError("PGF109", f"The file is over {limit} bytes.", None, "Split it, or raise import_limit.")


class _Upload:
    """The body of a request while it comes in."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._limit = receive, limit
        self._size = 0
        self._over = False
        self._watch: asyncio.Task[None] | None = None
        self.gone = asyncio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body.

        Raises:
            ApplianceError: PGF109, it is over the limit.
        """
        while (piece := await self._next()) is not None:
            if self._size > self._limit:
                raise _too_large(self._limit)
            yield piece

    async def drain(self) -> None:
        """Let the rest go by: a client that is still sending would not hear why it is not wanted."""
        while not self.gone.is_set() and await self._next() is not None:
            pass

    async def close(self) -> None:
        """Stop looking whether the client is there."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _next(self) -> bytes | None:
        """The next piece; None at the end. When the client goes away this waits for the import to be cancelled."""
        if self._over:
            return None
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone.set()
            await asyncio.Event().wait()
        piece: bytes = message.get("body", b"")
        self._size += len(piece)
        if not message.get("more_body", False):
            self._over = True
            self._watch = asyncio.create_task(self._until_gone())
        return piece

    async def _until_gone(self) -> None:
        await self._receive()
        self.gone.set()


class _Importing(Response):
    """Imports the body of the request it answers, and tells of it meanwhile.

    An answer of its own because those of the framework take what comes in for the sign that the client is gone.
    """

    def __init__(self, importer: Importer, wanted: Wanted, limit: int) -> None:
        super().__init__(media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._importer, self._wanted, self._limit = importer, wanted, limit
        self._progress: Progress | None = None
        self._news = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        upload = _Upload(receive, self._limit)
        work = asyncio.create_task(self._work(upload))
        tell = asyncio.create_task(self._tell(send))
        gone = asyncio.create_task(upload.gone.wait())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                draining = asyncio.create_task(upload.drain())
                await asyncio.wait({draining, gone}, return_when=asyncio.FIRST_COMPLETED)
                await _ended(draining, tell)
                await send({"type": "http.response.body", "body": work.result()})
        finally:
            await _ended(work, tell, gone)
            await upload.close()

    async def _work(self, upload: _Upload) -> bytes:
        """Import; gives the last line of the answer."""
        try:
            async with aclosing(self._importer.run(self._wanted, upload.pieces())) as events:
                async for event in events:
                    if isinstance(event, Report):
                        return _line("done", report=event)
                    self._progress = event
                    self._news.set()
        except ApplianceError as error:
            return _line("error", error=error.shape())
        except Exception as error:
            logger("pgflex").error("unforeseen in an import", error=repr(error))
        fault = ApplianceError("PGF100", "Something failed that nobody foresaw.", None, "See the box's log.")
        return _line("error", error=fault.shape())

    async def _tell(self, send: Send) -> None:
        """Send what is newest, as fast as the client takes it: it never holds up the import."""
        while True:
            await self._news.wait()
            self._news.clear()
            told = msgspec.to_builtins(self._progress)
            await send({"type": "http.response.body", "body": _line("progress", **told), "more_body": True})


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _line(event: str, **more: Any) -> bytes:
    return msgspec.json.encode({"event": event, **more}) + b"\n"
