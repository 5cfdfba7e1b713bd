"""Files at the public door: passed on to the data service as they come in, never held here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import httpx
from fastapi import FastAPI, Request, Response
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from appliance.errors import ApplianceError

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

_WAITS: Final = httpx.Timeout(None, connect=2.0)
_PASSED: Final = ("content-type", "content-length")


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the address to the gateway, before that of documents, which takes any path."""

    @app.post("/flex/{collection}/import", include_in_schema=False)
    async def import_file(collection: str, request: Request) -> Response:
        role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
        headers = {"Authorization": f"Bearer {gateway.runtime.token}", "X-Role": role}
        headers |= {name: request.headers[name] for name in _PASSED if name in request.headers}
        url = httpx.URL(gateway.runtime.pgflex_url).copy_with(
            path=request.url.path, query=request.url.query.encode() or None
        )
        outward = gateway.client.build_request("POST", url, headers=headers, content=request.stream(), timeout=_WAITS)
        try:
            answer = await gateway.client.send(outward, stream=True)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except httpx.HTTPError as error:
            raise ApplianceError(
                "BRG406", "The data service does not answer.", str(error) or type(error).__name__, "Try again."
            ) from None
        media = answer.headers.get("content-type")
        return StreamingResponse(
            _told(answer), answer.status_code, media_type=media, background=BackgroundTask(answer.aclose)
        )


async def _told(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_bytes():
            yield piece
    except httpx.HTTPError:
        return  # the service went away in the middle: without its last line nothing is stored
