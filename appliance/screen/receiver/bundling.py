"""Sources as they go out: modules become one script, indentation and comments are left away."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from importlib.resources.abc import Traversable
from typing import Final

__all__ = ["bundle", "close_up", "digest", "etag_of", "squeeze", "trim"]

_IMPORT: Final = re.compile(r'^import .* from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)


def bundle(folder: Traversable, entry: str = "main.mjs") -> str:
    """The modules that one imports, and it, as one script: each after those that it imports, in a scope of its own.

    Imports and exports are taken out, so the modules name what they import as its module does, and no two of them may
    have a name in common; each import is a line.
    """
    texts: dict[str, str] = {}

    def take(name: str) -> None:
        texts[name] = ""  # so that modules may import each other
        text = (folder / name).read_text(encoding="utf-8")
        for other in _IMPORT.findall(text):
            if other not in texts:
                take(other)
        del texts[name]
        texts[name] = trim(_EXPORT.sub("", _IMPORT.sub("", text)))

    take(entry)
    return "\n".join(['"use strict";{', *texts.values(), "}"])


def etag_of(plain: bytes) -> str:
    """The entity tag of these bytes."""
    return f'"{hashlib.sha256(plain).hexdigest()[:16]}"'


def squeeze(page: bytes) -> bytes:
    """The page gzipped: the smallest of what zlib makes with more and with less memory."""
    tried = (zlib.compressobj(9, zlib.DEFLATED, 31, memory) for memory in range(5, 10))
    return min((squeezer.compress(page) + squeezer.flush() for squeezer in tried), key=len)


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
