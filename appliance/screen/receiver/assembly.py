"""The receiver page as one file: style and script inlined, with a policy that lets nothing else run.

The page is at most 44 KB, 16 KB gzipped, and loads nothing after itself but the WebSocket.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from importlib.resources import files

import msgspec


class Page(msgspec.Struct, frozen=True):
    """The page's bytes, plain and gzipped, its entity tag, its content security policy, and its icon."""

    plain: bytes
    gzipped: bytes
    etag: str
    policy: str
    icon: bytes


def load_page() -> Page:
    """Put the page together from the files beside this one."""
    folder = files("appliance.screen.receiver")
    css = close_up(trim((folder / "receiver.css").read_text(encoding="utf-8")))
    script = trim((folder / "receiver.js").read_text(encoding="utf-8"))
    html = (folder / "receiver.html").read_text(encoding="utf-8")
    return _sealed(html, css, script, (folder / "favicon.svg").read_bytes())


def load_waiting() -> Page:
    """Put the page together that a kiosk shows until its box lets it in."""
    folder = files("appliance.screen.receiver")
    css, script = trim(join_style()), trim((folder / "waiting.js").read_text(encoding="utf-8"))
    html = (folder / "waiting.html").read_text(encoding="utf-8")
    return _sealed(html, css, script, (folder / "favicon.svg").read_bytes())


def _sealed(html: str, css: str, script: str, icon: bytes) -> Page:
    """One file, with a policy that lets nothing run but what is in it."""
    plain = html.replace("/*{{css}}*/", css).replace("/*{{js}}*/", script).encode()
    etag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    return Page(plain, squeeze(plain), etag, policy([css], [script]), icon)


def squeeze(page: bytes) -> bytes:
    """The page gzipped: the smallest of what zlib makes with more and with less memory."""
    tried = (zlib.compressobj(9, zlib.DEFLATED, 31, memory) for memory in range(5, 10))
    return min((squeezer.compress(page) + squeezer.flush() for squeezer in tried), key=len)


def policy(styles: list[str], scripts: list[str]) -> str:
    """The content security policy of a page that holds these styles and scripts and nothing else that runs."""
    may_style, may_run = (" ".join(f"'{digest(text)}'" for text in texts) or "'none'" for texts in (styles, scripts))
    return (
        f"default-src 'none'; style-src {may_style}; script-src {may_run}; connect-src 'self'; "
        "img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def join_style() -> str:
    """How a page looks that shows a code to be let in with."""
    return (files("appliance.screen.receiver") / "join.css").read_text(encoding="utf-8")


def digest(text: str) -> str:
    """A style or script as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def trim(source: str) -> str:
    """Style or script without indentation, empty lines and lines that only hold a comment.

    The sources keep to what this needs: no text runs over a line's end.
    """
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//") and not _is_comment(line))


def close_up(style: str) -> str:
    """Trimmed style without the spaces that say nothing; its texts hold none of these marks."""
    return re.sub(r"\s*([{};])\s*", r"\1", style).replace(": ", ":")


def _is_comment(line: str) -> bool:
    return line.startswith("/*") and line.find("*/") == len(line) - 2
