r"""Small helpers to write GBNF, the grammar notation of llama.cpp.

>>> choice(["bed", 'a "b"'])
'"bed" | "a \\"b\\""'
"""

from __future__ import annotations

from collections.abc import Iterable


def literal(text: str) -> str:
    """`text` as a GBNF string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def choice(texts: Iterable[str]) -> str:
    """One of these strings."""
    return " | ".join(literal(text) for text in texts)
