"""The setup code: what the first admin account is made with, known to who stands at the box.

It is made at the first start and gone once it was used. ``appliance admin reset-password`` makes another one.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.bridge.registry import ALPHABET

__all__ = ["FILE", "LENGTH", "code_of", "forget", "grouped", "keep", "matches", "new_code"]

FILE: Final = "keys/setup.code"
LENGTH: Final = 8


def code_of(data: Path) -> str:
    """The code of a box that waits for one, or an empty text. Blocks on the disk."""
    try:
        return (data / FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def new_code(data: Path) -> str:
    """Make a code in the place of another; only the owner of the folder can read it. Blocks on the disk.

    Raises:
        OSError: the disk refuses.
    """
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    keep(data, code)
    return code


def keep(data: Path, code: str) -> None:
    """Have this code from now on. Blocks on the disk.

    Raises:
        OSError: the disk refuses.
    """
    path = (data / FILE).resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
        out.write(code + "\n")
        folder = path.parent.stat()
        with suppress(PermissionError):
            os.fchown(out.fileno(), folder.st_uid, folder.st_gid)
    draft.replace(path)


def forget(data: Path) -> None:
    """It was used. Blocks on the disk."""
    (data / FILE).resolve().unlink(missing_ok=True)


def matches(code: str, given: str) -> bool:
    """Whether what somebody typed is the code: case, blanks and dashes do not count."""
    typed = "".join(char for char in given.upper() if char.isalnum())
    return bool(code) and hmac.compare_digest(code.encode(), typed.encode())


def grouped(code: str) -> str:
    """The code as it is shown.

    >>> grouped("ABCD2345")
    'ABCD-2345'
    """
    return f"{code[:4]}-{code[4:]}"
