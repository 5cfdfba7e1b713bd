"""The receiver page as the door gives it out, and what the page fetches later: gzipped, with an entity tag."""

from __future__ import annotations

import hashlib

from fastapi import FastAPI, Request
from fastapi.responses import Response

from appliance.screen.receiver import Page, Part, load_parts, with_microphone

__all__ = ["given", "install_parts", "served", "version"]


def version(page: Page) -> str:
    """Another one where the page or anything that it fetches is another."""
    tags = [page.etag, *(part.etag for part in load_parts().values())]
    return hashlib.sha256("".join(tags).encode()).hexdigest()[:16]


def served(request: Request, page: Page, *, microphone: bool = False) -> Response:
    """A page with the policy that lets nothing but itself run; `microphone`: and what the audio thread needs."""
    own = with_microphone(page.policy, request.headers["host"]) if microphone else page.policy
    policy = {"Content-Security-Policy": own, "Referrer-Policy": "no-referrer"}
    return given(request, Part(page.plain, page.gzipped, page.etag, "text/html; charset=utf-8"), policy)


def install_parts(app: FastAPI) -> None:
    """Add what the page fetches after itself."""
    for path, part in load_parts().items():
        _install(app, path, part)


def _install(app: FastAPI, path: str, part: Part) -> None:
    @app.get(path, include_in_schema=False)
    async def file(request: Request) -> Response:
        return given(request, part, {})


def given(request: Request, part: Part, more: dict[str, str]) -> Response:
    """A file of a page, gzipped where that is taken, or nothing where the browser has it; `more` are headers."""
    headers = {
        "ETag": part.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    } | more
    if request.headers.get("if-none-match") == part.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(part.gzipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=part.media)
    return Response(part.plain, headers=headers, media_type=part.media)
