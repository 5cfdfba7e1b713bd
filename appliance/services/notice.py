"""An error as a page, for a person who opened an address in a browser. Programs get the JSON shape.

>>> wants_page("text/html,application/xhtml+xml", "GET")
True
"""

from __future__ import annotations

import base64
import hashlib
import html
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from appliance.errors import ApplianceError

_KEY_FORM = (
    '<form method="get" action="/">'
    '<input name="key" type="password" placeholder="Key of this box" aria-label="Key of this box" '
    'autocomplete="off" required autofocus>'
    "<button>Open</button></form>"
)
_WAY_ON = '<p><a href="/">To the box</a></p>'


def wants_page(accept: str, method: str) -> bool:
    """Whether a request is a browser opening an address."""
    return method == "GET" and "text/html" in accept


def notice(request: Request, error: ApplianceError) -> Response | None:
    """The page for an error, or None where a program asked."""
    if not wants_page(request.headers.get("accept", ""), request.method):
        return None
    template, css, policy = _template()
    words = {
        "title": html.escape(error.message),
        "hint": html.escape(error.hint or ""),
        "code": html.escape(error.code),
        "form": _KEY_FORM if error.status == 401 else _WAY_ON if request.url.path != "/" else "",
    }
    for name, value in words.items():
        template = template.replace("{{" + name + "}}", value)
    body = template.replace("/*{{css}}*/", css)
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(body, error.status, headers)


@cache
def _template() -> tuple[str, str, str]:
    folder = files("appliance.services") / "static"
    css = (folder / "notice.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return (folder / "notice.html").read_text(encoding="utf-8"), css, policy
