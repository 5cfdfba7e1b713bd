"""The console at the public door: one page for every address under ``/admin``, and the files it is made of.

Nothing in them is secret, so they need no credential; what they show comes from the API, which asks for one. The files'
address holds a digest of them all, so that a browser keeps them for good and a new version has new addresses.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from appliance.errors import ApplianceError
from appliance.screen.receiver import Part, squeeze
from appliance.services.door import COOKIE, no_session
from appliance.services.page_files import given

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install", "is_open"]

_MEDIA: Final = {".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_PAGE: Final = re.compile(r"/(admin(/(?!\.\.).*)?|setup)\Z")
_LINK: Final = re.compile(r"<!--\{\{(\w+)\}\}-->")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def is_open(path: str) -> bool:
    """Whether an address is the console's page or one of its files.

    >>> is_open("/admin/screens"), is_open("/console/1a2b/main.mjs"), is_open("/api/screens")
    (True, True, False)
    """
    return path.startswith("/console/") or _PAGE.match(path) is not None


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    _page(gateway.settings.box_name)  # reads the files now, not while somebody waits

    async def page(request: Request) -> Response:
        key = request.query_params.get("key")
        if key:
            return _signed_in(request, gateway, key)
        shown = _page(gateway.settings.box_name)
        return given(request, shown, {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})

    for address in ("/admin", "/admin/{path:path}", "/setup"):
        app.get(address, include_in_schema=False)(page)

    @app.get("/console/{version}/{path:path}", include_in_schema=False)
    async def file(request: Request, version: str, path: str) -> Response:
        digest, parts = load()
        if version != digest or path not in parts:
            raise ApplianceError("BRG404", "The console has no such file.", path[:100], "Load the page again.")
        return given(request, parts[path], {"Cache-Control": "public, max-age=31536000, immutable"})


def _signed_in(request: Request, gateway: Gateway, key: str) -> Response:
    gateway.access.role(no_session(key))
    answer = RedirectResponse(request.url.path, 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, key, max_age=30 * 86400, httponly=True, samesite="lax", path="/", secure=secure)
    return answer


@cache
def load() -> tuple[str, dict[str, Part]]:
    """The digest of all files, and each by its path: its bytes, plain and gzipped."""
    read = dict(sorted(_walk(files("appliance.services") / "console_page")))
    whole = hashlib.sha256(b"".join(name.encode() + plain for name, plain in read.items())).hexdigest()[:12]
    return whole, {name: _part(name, plain) for name, plain in read.items()}


def _walk(folder: Traversable, at: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{at}{entry.name}/")
        elif any(entry.name.endswith(ending) for ending in _MEDIA):
            yield at + entry.name, _linked(at + entry.name, entry.read_bytes())


def _linked(name: str, plain: bytes) -> bytes:
    """What the package of hooks imports by its bare name is the file beside it; browsers know no packages."""
    return plain.replace(b'from"preact"', b'from"./preact.mjs"') if name == "vendor/hooks.mjs" else plain


def _part(name: str, plain: bytes) -> Part:
    media = next((kind for ending, kind in _MEDIA.items() if name.endswith(ending)), "text/html; charset=utf-8")
    return Part(plain, squeeze(plain), f'"{hashlib.sha256(plain).hexdigest()[:16]}"', media)


@cache
def _page(box: str) -> Part:
    """The page; it names its files, so that the browser fetches them side by side."""
    digest, parts = load()
    first = [name for name in parts if name.endswith(".mjs") and not name.startswith(("pages/", "words/"))]
    links = {
        "styles": "".join(f'<link rel="stylesheet" href="/console/{digest}/{n}">\n' for n in parts if n[-4:] == ".css"),
        "modules": "".join(f'<link rel="modulepreload" href="/console/{digest}/{name}">\n' for name in first),
        "main": f'<script type="module" src="/console/{digest}/main.mjs"></script>',
        "box": html.escape(box),
    }
    text = (files("appliance.services") / "console_page" / "index.html").read_text(encoding="utf-8")
    return _part("index.html", _LINK.sub(lambda found: links[found[1]], text).encode())
