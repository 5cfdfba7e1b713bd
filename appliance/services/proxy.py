"""Passing requests on to the services behind the door, as streams, under the asking role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.errors import ApplianceError
from appliance.services.internal import body_within

_NOT_PASSED = frozenset(
    "host connection keep-alive transfer-encoding upgrade te trailer proxy-authorization authorization cookie origin "
    "content-length x-role x-token x-screen accept-encoding".split()
)
_NOT_RETURNED = frozenset("connection keep-alive transfer-encoding content-encoding content-length server date".split())


def raw_path(request: Request, prefix: str) -> str:
    """The path behind the prefix as the asker wrote it, still percent-encoded: a name may hold any sign."""
    raw: bytes = request.scope.get("raw_path", request.url.path.encode())
    return raw.decode("latin-1").partition("?")[0].removeprefix(prefix)


async def forward(
    request: Request,
    client: httpx.AsyncClient,
    url: str,
    headers: dict[str, str],
    *,
    limit: int,
    absent: ApplianceError,
) -> Response:
    """Send a request on and stream the answer back.

    Args:
        request: what came in at the door.
        client: the loopback client.
        url: where to, without the query.
        headers: added to the request's own; they name the role.
        limit: bytes a body may have.
        absent: the error when the service does not answer.

    Raises:
        ApplianceError: BRG404, the path leads elsewhere than it says; PGF109, the body is over the limit; `absent`.
    """
    _check_straight(url)
    too_long = ApplianceError("PGF109", "The request is over the limit.", {"limit": limit}, "Send it in smaller parts.")
    body = await body_within(request, limit, too_long)
    passed = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED}
    query = request.url.query.encode()
    outward = client.build_request(
        request.method,
        httpx.URL(url).copy_with(query=query or None),
        headers=passed | headers,
        content=body or None,
        timeout=httpx.Timeout(30.0, connect=2.0, read=None),
    )
    try:
        answer = await client.send(outward, stream=True)
    except httpx.HTTPError as error:
        raise ApplianceError(absent.code, absent.message, str(error) or type(error).__name__, absent.hint) from None
    kept = {name: value for name, value in answer.headers.items() if name not in _NOT_RETURNED}
    return StreamingResponse(_stream(answer), answer.status_code, kept, background=BackgroundTask(answer.aclose))


def _check_straight(url: str) -> None:
    """See that no step of the path leads back: the client would resolve it, and so leave the prefix it was given."""
    if any(unquote(step) in (".", "..") for step in url.split("/")) or "#" in url:
        raise ApplianceError("BRG404", "There is nothing at this address.", None, "Write the path without dots alone.")


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_bytes():
            yield piece
    except httpx.HTTPError:
        return  # the service went away in the middle: the asker sees the stream end
    finally:
        await answer.aclose()
