"""The receiver page as one file: style and script inlined, with a policy that lets nothing else run.

The page is at most 44 KB, 16 KB gzipped, and shows a stream by itself. What it fetches after that is in
:mod:`~appliance.screen.receiver.layers`; the page's policy names those files by their digests, so that nothing else can
run there either.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from appliance.screen.receiver.bundling import bundle, close_up, digest, etag_of, squeeze, trim
from appliance.screen.receiver.layers import MICROPHONE, load_parts

__all__ = ["Page", "join_style", "load_page", "load_waiting", "policy", "with_microphone"]


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
    html = (folder / "receiver.html").read_text(encoding="utf-8")
    return _sealed(html, css, bundle(folder / "page"), (folder / "favicon.svg").read_bytes(), later=True)


def load_waiting() -> Page:
    """Put the page together that a kiosk shows until its box lets it in."""
    folder = files("appliance.screen.receiver")
    css, script = trim(join_style()), trim((folder / "waiting.js").read_text(encoding="utf-8"))
    html = (folder / "waiting.html").read_text(encoding="utf-8")
    return _sealed(html, css, script, (folder / "favicon.svg").read_bytes(), later=False)


def _sealed(html: str, css: str, script: str, icon: bytes, *, later: bool) -> Page:
    """One file, with a policy that lets nothing run but what is in it and, where it may, what it fetches `later`."""
    plain = html.replace("/*{{css}}*/", css).replace("/*{{js}}*/", script).encode()
    fetched = load_parts().values() if later else ()
    styles = [css, *(part.plain.decode() for part in fetched if part.kind == "text/css")]
    scripts = [script, *(part.plain.decode() for part in fetched if part.kind == "text/javascript")]
    return Page(plain, squeeze(plain), etag_of(plain), policy(styles, scripts), icon)


def policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """The content security policy of a page that holds these styles and scripts and nothing else that runs."""
    may_style, may_run = (" ".join(f"'{digest(text)}'" for text in texts) or "'none'" for texts in (styles, scripts))
    return (
        f"default-src 'none'; style-src {may_style}; script-src {may_run}; connect-src 'self'; "
        "img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def with_microphone(page: str, host: str) -> str:
    """The policy of a page that may listen: what the audio thread runs is named by its address, as no digest serves."""
    return page.replace("script-src ", f"script-src {host}{MICROPHONE} ", 1)


def join_style() -> str:
    """How a page looks that shows a code to be let in with."""
    return (files("appliance.screen.receiver") / "join.css").read_text(encoding="utf-8")
