"""What the page fetches after itself: the richer page at the box's own address, charts, the past, other languages.

Each is a style and a script that the page's policy names by their digests, or words as JSON, which cannot run. The page
of a stream at ``/s/...`` needs none of them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

from appliance.screen.receiver.bundling import bundle, close_up, etag_of, squeeze, trim

__all__ = ["LANGUAGES", "MICROPHONE", "Part", "load_parts", "load_past"]

MICROPHONE: Final = "/microphone.js"
LANGUAGES: Final = ("de", "en")
_STYLE, _SCRIPT = "text/css", "text/javascript"


class Part(msgspec.Struct, frozen=True):
    """A file that the page fetches when it needs it: its bytes, plain and gzipped, its entity tag, and what it is."""

    plain: bytes
    gzipped: bytes
    etag: str
    media: str

    @property
    def kind(self) -> str:
        """``text/css``, ``text/javascript`` or ``application/json``."""
        return self.media.partition(";")[0]


@cache
def load_parts() -> dict[str, Part]:
    """All of them, by their addresses."""
    return load_past() | _load("full") | _load_chart() | _load_words() | _load_microphone()


def load_past() -> dict[str, Part]:
    """What shows the past: ``/past.css`` and ``/past.js``."""
    return _load("past")


def _load(name: str) -> dict[str, Part]:
    folder = files("appliance.screen.receiver") / name
    css = close_up(trim((folder / f"{name}.css").read_text(encoding="utf-8")))
    return {f"/{name}.css": _part(css, _STYLE), f"/{name}.js": _part(bundle(folder), _SCRIPT)}


def _load_chart() -> dict[str, Part]:
    """UPlot as its makers give it out, with its licence in front."""
    folder = files("appliance.screen.receiver") / "chart"
    licence = f"/*!\n{_text(folder, 'LICENSE').strip()}\n*/\n"
    css, script = _text(folder, "uPlot.min.css"), _text(folder, "uPlot.iife.min.js")
    return {"/chart.css": _part(licence + css, _STYLE), "/chart.js": _part(licence + script, _SCRIPT)}


def _load_microphone() -> dict[str, Part]:
    """What the audio thread runs: a policy can name it by its address only (:mod:`appliance.services.page_files`)."""
    return {MICROPHONE: _part(trim(_text(files("appliance.screen.receiver"), "microphone.js")), _SCRIPT)}


def _load_words() -> dict[str, Part]:
    folder = files("appliance.screen.receiver") / "words"
    return {f"/words/{name}.json": _part(_text(folder, f"{name}.json"), "application/json") for name in LANGUAGES}


def _text(folder: Traversable, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def _part(text: str, kind: str) -> Part:
    plain = text.encode()
    return Part(plain, squeeze(plain), etag_of(plain), f"{kind}; charset=utf-8")
