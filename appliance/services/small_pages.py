"""Pages of one file each besides the receiver: style and script inlined, with a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import html
from functools import cache
from importlib.resources import files

from starlette.responses import HTMLResponse, Response

from appliance.services.page import trim


def small_page(name: str, box: str, status: int = 200) -> Response:
    """The page of ``static/<name>.html``, with the box's name in it."""
    text, policy = _page(name)
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(text.replace("{{box}}", html.escape(box)), status, headers)


@cache
def _page(name: str) -> tuple[str, str]:
    folder = files("appliance.services") / "static"
    css, script = ((folder / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    script = trim(script)
    text = (folder / f"{name}.html").read_text(encoding="utf-8").replace("/*{{css}}*/", css)
    policy = (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(script)}'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return text.replace("/*{{js}}*/", script), policy


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
