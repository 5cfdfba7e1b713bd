"""``appliance console``: what an image shows on the attached display and the serial line, where nobody can log in.

It says where the box is and how to trust it, with QR codes, and at the first start the recovery key of the disk. Until
the box is set up it shows the code for that, too. The key to the box itself is shown at the first start, and for two
minutes after somebody presses Enter there: who stands at the box owns it.
"""

from __future__ import annotations

import contextlib
import os
import select
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import httpx

import appliance
from appliance.config import Settings
from appliance.services import deployment
from appliance.services.address import own_address
from appliance.services.admin import setup_code
from appliance.services.greeting import fingerprint_lines, side_by_side, trust_url
from appliance.services.keys import role_keys
from appliance.services.supervisor import local_url, port_of, scheme

RUN: Final = Path("/run/dreamstack")
FIRST: Final = RUN / "first-start"
RECOVERY: Final = RUN / "recovery-key"
SHOWN_S: Final = 120.0
LOOK_EVERY_S: Final = 5.0
_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"


class Shown(NamedTuple):
    """What the picture depends on; it is drawn anew when one of them changes."""

    address: str
    well: bool
    key: str
    recovery: str
    setup: str = ""


def watch(file: Path | None, terminals: Sequence[Path]) -> int:
    """Draw on each terminal, and draw anew whenever something has changed, until stopped.

    Args:
        file: the deployment's TOML file; None takes the usual one.
        terminals: such as ``/dev/tty1``; one that cannot be opened is left out. None of them is this terminal.
    """
    lines = _opened(terminals)
    asked, drawn = -SHOWN_S, None
    while True:
        shown, settings = look(file, time.monotonic() - asked < SHOWN_S)
        if shown != drawn:
            _draw(lines, picture(shown, settings))
            drawn = shown
        if _pressed(lines):
            asked, drawn = time.monotonic(), None


def _opened(terminals: Sequence[Path]) -> list[int]:
    lines = []
    for terminal in terminals:
        with contextlib.suppress(OSError):
            lines.append(os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    return lines or [sys.stdout.fileno()]


def _draw(lines: list[int], text: str) -> None:
    for line in lines:
        with contextlib.suppress(OSError):  # a serial line that nobody listens to
            os.set_blocking(line, True)
            os.write(line, (_CLEAR + text + "\n").replace("\n", "\r\n").encode())


def _pressed(lines: list[int]) -> bool:
    """Whether somebody pressed Enter within the time between two looks."""
    ready, _, _ = select.select(lines, [], [], LOOK_EVERY_S)
    pressed = False
    for line in ready:
        try:
            pressed = bool(os.read(line, 1024)) or pressed
        except OSError:
            time.sleep(LOOK_EVERY_S)
    return pressed


def look(file: Path | None, asked: bool) -> tuple[Shown, Settings]:
    """How things are now. Blocks on the disk and on the box's own door."""
    declared, settings = deployment.read(file)
    prepared = (Path(declared.data) / "keys" / "ca.crt").exists()
    well = prepared and _answers(settings)
    key = role_keys(Path(declared.data) / "keys")["admin"] if well and (asked or FIRST.exists()) else ""
    recovery = RECOVERY.read_text().strip() if RECOVERY.exists() else ""
    setup = setup_code.code_of(Path(declared.data)) if well else ""
    return Shown(own_address(), well, key, recovery, setup), settings


def picture(shown: Shown, settings: Settings) -> str:
    """The text of it, at most 106 characters wide."""
    lines = [f"\n  {settings.box_name or 'DreamStack Appliance'}   {appliance.__version__}\n"]
    if shown.address.startswith("127."):
        lines.append("  There is no network yet. Is the cable in?\n")
    if not shown.well:
        lines.append("  The box is starting. The first start takes a minute longer.\n")
    else:
        lines += _where(shown, settings)
    if shown.recovery:
        lines += _recovery(shown.recovery)
    return "\n".join(lines)


def _where(shown: Shown, settings: Settings) -> list[str]:
    page = f"{scheme(settings)}://{shown.address}{port_of(settings)}/"
    keyed = page + (f"?key={shown.key}" if shown.key else "")
    trust = trust_url(settings, shown.address)
    lines = [f"  1  Trust it   {trust}   first, once on each device; its fingerprint is"]
    lines += [*fingerprint_lines(settings), f"  2  Open it    {keyed}"]
    lines.append("                with this key whoever opens it is the admin" if shown.key else _HOW_TO_KEY)
    if shown.setup:
        lines.append(f"  3  Set it up  {page}setup   with the code {setup_code.grouped(shown.setup)}")
    return [*lines, "", side_by_side([("1  Trust it", trust), ("2  Open it", keyed)]), ""]


_HOW_TO_KEY: Final = "                to see the admin's key, press Enter here"


def _recovery(key: str) -> list[str]:
    return [
        "  Recovery key of this disk. Write it down now: it is shown at this start only, and opens the data",
        "  where the machine cannot do so itself, such as after its board was replaced.",
        f"\n     {key}\n",
    ]


def _answers(settings: Settings) -> bool:
    """Whether the box's own door says that all is well."""
    try:
        context = ssl.create_default_context(cafile=str(settings.data / "keys" / "ca.crt"))
        return httpx.get(f"{local_url(settings)}/health", verify=context, trust_env=False, timeout=15).is_success
    except (OSError, httpx.HTTPError):
        return False
