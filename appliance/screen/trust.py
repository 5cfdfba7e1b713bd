"""Whom a program of ours trusts behind an address that begins with https, and how it tells that it does not.

The authority is the file that was named (``--ca``, ``DREAMSTACK_CA``). Without one, what the system trusts, and
the authority of a box whose data folder is on this machine and may be read by this user.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from appliance.config import SETTINGS, default_data
from appliance.errors import ApplianceError

__all__ = ["DEFAULT_DOOR", "as_fault", "door_of_this_machine", "key_of_this_machine", "verified"]

DEFAULT_DOOR: Final = "http://127.0.0.1:8080"


def verified(ca: str = "", data: Path | None = None) -> ssl.SSLContext:
    """The context for a box's address. Blocks on the disk.

    Args:
        ca: a PEM file; empty takes the system's and those of the boxes of this machine.
        data: a data folder to look in, besides the usual ones.

    Raises:
        ApplianceError: SCR505, the file cannot be read or holds no certificate.
    """
    if ca:
        try:
            return ssl.create_default_context(cafile=Path(ca).expanduser())
        except OSError as error:
            raise ApplianceError(
                "SCR505",
                f"{ca} holds no certificate.",
                error.strerror or str(error),
                "Give the box's own, as PEM: keys/ca.crt of its data folder.",
            ) from None
    context = ssl.create_default_context()
    for folder in (*_folders(os.environ), *((data,) if data else ())):
        with suppress(OSError):
            context.load_verify_locations(folder / "keys" / "ca.crt")
    return context


def door_of_this_machine(environ: Mapping[str, str] = os.environ) -> str:
    """The address of the box: the one in ``DREAMSTACK_URL``, else of the box that runs here, else the usual one."""
    if environ.get("DREAMSTACK_URL"):
        return environ["DREAMSTACK_URL"]
    return next((url for _, url in _boxes(environ)), DEFAULT_DOOR)


def key_of_this_machine(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """The staff's key of the box that runs here at this address, where this user may read it; else an empty text."""
    with suppress(OSError):
        for folder, at in _boxes(environ):
            if at == url:
                return (folder / "keys" / "staff.key").read_text().strip()
    return ""


def _boxes(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """The folder and the address of each box that runs here."""
    for folder in _folders(environ):
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = msgspec.json.decode((folder / "run" / "box.json").read_bytes())
            if "pid" in told:  # started by `appliance up`; else the system keeps it running
                os.kill(int(told["pid"]), 0)
            yield folder, str(told["url"])


def as_fault(url: str, error: Exception) -> ApplianceError | None:
    """What a failed connection says of trust, or None where it failed for another reason."""
    told = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in told:
        reason = told.partition("CERTIFICATE_VERIFY_FAILED] ")[2].partition(" (_ssl")[0]
        return ApplianceError(
            "SCR505", "The box's certificate is not trusted here.", f"{url}: {reason}", _way(url, told)
        )
    if "WRONG_VERSION_NUMBER" in told or "RECORD_LAYER_FAILURE" in told:
        plain = url.replace("https:", "http:", 1)
        return ApplianceError("SCR501", "This door does not speak HTTPS.", url, f"Name it as it is: {plain}")
    return None


def _way(url: str, told: str) -> str:
    if "ostname mismatch" in told or "IP address mismatch" in told:
        return "Name the box by a name or an address that its certificate holds: appliance doctor tells which."
    if "not yet valid" in told or "expired" in told:
        return "Is this machine's clock right? And the box's?"
    place = urlsplit(url).netloc or "BOX"
    return f"Get http://{place}/ca.pem, compare its fingerprint with the box's, then add: --ca ca.pem"


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    demos = next(setting.choices for setting in SETTINGS if setting.name == "demo")
    yield from dict.fromkeys(default_data(demo, environ) for demo in demos)
