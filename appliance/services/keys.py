"""The credentials of one box, in files that only their owner can read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import msgspec

from appliance.pgflex.server import write_private
from appliance.types import ROLES


def role_keys(folder: Path) -> dict[str, str]:
    """The credential of each role, made at the first start; files only the owner can read."""
    keys: dict[str, str] = {}
    for role in ROLES:
        file = folder / f"{role}.key"
        try:
            keys[role] = file.read_text().strip()
        except FileNotFoundError:
            keys[role] = random_key()
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(keys[role] + "\n")
    return keys


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
