"""The vendor kit: a folder that says what an image is called, looks like and brings, without touching code."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from images.mirror import Refused

FILE: Final = "brand.toml"
MODEL: Final = "/opt/dreamstack/models/vendor.gguf"
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,15}")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{3,8}|[a-z]+|(?:rgb|hsl|oklch)\([0-9.,% ]+\)")


class Brand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``brand.toml`` says; ``folder`` is where it lies."""

    id: str = "dreamstack"
    name: str = "DreamStack"
    hostname: str = "dreamstack"
    settings: dict[str, Any] = {}
    colours: dict[str, str] = {}
    ansible: dict[str, Any] = {}


def read(folder: Path) -> Brand:
    """The brand of that folder.

    Raises:
        Refused: it cannot be read, or a value cannot be used.
    """
    try:
        brand = msgspec.toml.decode((folder / FILE).read_bytes(), type=Brand)
    except (OSError, msgspec.DecodeError) as error:
        raise Refused(f"{folder / FILE} cannot be used: {error}") from None
    if not _ID.fullmatch(brand.id):
        raise Refused(f"{folder / FILE}: id {brand.id!r} must be up to 16 small letters, digits and '-'.")
    for name, colour in brand.colours.items():
        if not re.fullmatch(r"[a-z]+(_dark)?", name) or not _COLOUR.fullmatch(colour):
            raise Refused(f"{folder / FILE}: colour {name} = {colour!r} cannot be used.")
    return brand


def variables(brand: Brand, folder: Path, kind: str) -> dict[str, Any]:
    """What Ansible is told of it."""
    settings: dict[str, Any] = {"box_name": brand.name, **brand.settings}
    if (folder / "model.gguf").exists():
        settings.setdefault("large_model", MODEL)
    told: dict[str, Any] = {"base_hostname": brand.hostname, **brand.ansible}
    if kind == "box":
        told["dreamstack_settings"] = settings
    return told


def layer(brand: Brand, folder: Path, tree: Path, target: Path) -> None:
    """Write what the brand changes in `tree` into `target`, a tree that is laid over it."""
    for page in _pages(tree):
        coloured = _coloured(page.read_text(encoding="utf-8"), brand.colours)
        if coloured is not None:
            _write(target / page.relative_to(tree), coloured.encode())
    for name, place in _brought(folder, tree):
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, target / place)
    if (folder / "extra").is_dir():
        shutil.copytree(folder / "extra", target, symlinks=True, dirs_exist_ok=True)


def _pages(tree: Path) -> Iterator[Path]:
    for package in sorted(tree.glob("opt/dreamstack/venv-*/lib/python*/site-packages/appliance")):
        yield from sorted(package.rglob("*.css"))


def _brought(folder: Path, tree: Path) -> Iterator[tuple[Path, Path]]:
    if (folder / "model.gguf").exists():
        yield folder / "model.gguf", Path(MODEL.lstrip("/"))
    if (folder / "ticket").exists():
        yield folder / "ticket", Path("etc/dreamstack/ticket")
    if (folder / "logo.svg").exists():
        for old in sorted(tree.glob("opt/dreamstack/venv-*/lib/python*/site-packages/appliance/**/favicon.svg")):
            yield folder / "logo.svg", old.relative_to(tree)


def _coloured(text: str, colours: dict[str, str]) -> str | None:
    """The style sheet with the brand's colours, or None when none of them is in it."""
    changed = text
    for name, colour in sorted(colours.items()):
        dark = name.endswith("_dark")
        light, mark, rest = changed.partition("prefers-color-scheme: dark")
        pattern = rf"(--{name.removesuffix('_dark')}:\s*)[^;}}]+"
        if dark:
            rest = re.sub(pattern, rf"\g<1>{colour}", rest)
        else:
            light = re.sub(pattern, rf"\g<1>{colour}", light)
        changed = light + mark + rest
    return changed if changed != text else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
