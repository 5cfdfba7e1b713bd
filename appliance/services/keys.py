"""The credentials of one box, in files that only their owner can read."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

import msgspec

from appliance.pgflex.server import write_private
from appliance.types import ROLES


def role_keys(folder: Path) -> dict[str, str]:
    """The credential of each role, made at the first start; files only the owner can read."""
    return {role: _kept(folder / f"{role}.key") for role in ROLES}


def _kept(file: Path) -> str:
    """The key in a file. An empty one, such as a cut of power leaves, is none: nobody may come in without a key."""
    with suppress(FileNotFoundError):
        if key := file.read_text().strip():
            return key
    key = random_key()
    write_private(file, f"{key}\n".encode())
    return key


def internal_keys(folder: Path) -> dict[str, str]:
    """What a box's parts know each other by (``token``) and sign tokens with (``secret``), kept across starts."""
    file = folder / "internal.json"
    with suppress(FileNotFoundError):
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    made = {"token": secrets.token_urlsafe(32), "secret": secrets.token_urlsafe(48)}
    write_private(file, msgspec.json.encode(made))
    return made


def random_key() -> str:
    """24 random bytes as text that a command line takes for a value: one that begins with a dash is an option."""
    while (key := secrets.token_urlsafe(24)).startswith("-"):
        pass
    return key
