"""Pages of one file each besides the receiver: style and script inlined, with a policy that lets nothing else run."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files

from starlette.responses import HTMLResponse, Response

from appliance.screen.receiver import digest, join_style, trim


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
    css = join_style() if name == "join" else (folder / f"{name}.css").read_text(encoding="utf-8")
    script = trim((folder / f"{name}.js").read_text(encoding="utf-8"))
    text = (folder / f"{name}.html").read_text(encoding="utf-8").replace("/*{{css}}*/", css)
    policy = (
        f"default-src 'none'; style-src '{digest(css)}'; script-src '{digest(script)}'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return text.replace("/*{{js}}*/", script), policy
