"""Wordings: the hand-written patterns of questions and conditions, read from ``patterns/*.txt``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent / "patterns"
FILES: Final = ("rows", "ranks", "aggregates", "groups", "follow", "orders", "none")


@cache
def sections(name: str, folder: Path = HERE) -> dict[str, tuple[str, ...]]:
    """The sections of a file of patterns: form -> wordings."""
    found: dict[str, list[str]] = {}
    form = ""
    for line in lines(name, folder):
        if line.startswith("[") and line.endswith("]"):
            form = line[1:-1]
        else:
            found.setdefault(form, []).append(line)
    return {form: tuple(wordings) for form, wordings in found.items()}


@cache
def lines(name: str, folder: Path = HERE) -> tuple[str, ...]:
    """The lines of a file that are no comments."""
    text = (folder / f"{name}.txt").read_text()
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def forms() -> dict[str, tuple[str, ...]]:
    """Every form of a question and its wordings."""
    return {form: wordings for name in FILES for form, wordings in sections(name).items()}
