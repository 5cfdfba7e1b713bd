"""Whose program is at the other end of a connection within this machine, as the kernel says.

A port of 127.0.0.1 is open to every account of a machine. The kernel lists connections with the account each end
belongs to, so a server can serve its own account alone, without a secret that would show in a command line.

>>> owner_of("127.0.0.1", 48221)  # doctest: +SKIP
1000
"""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import Final

TABLE: Final = Path("/proc/net/tcp")
_ESTABLISHED: Final = "01"


def owner_of(host: str, port: int, table: Path = TABLE) -> int | None:
    """The user id of the program that has this IPv4 address and port as its own end; None where none has.

    Blocks on a file that the kernel makes up.
    """
    wanted = f"{_as_listed(host)}:{port:04X}"
    with table.open(encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if len(words) > 7 and words[1] == wanted and words[3] == _ESTABLISHED:
                return int(words[7])
    return None


def _as_listed(host: str) -> str:
    """An address as the kernel lists it: its four bytes in the machine's own order."""
    raw = ipaddress.IPv4Address(host).packed
    return (raw if sys.byteorder == "big" else raw[::-1]).hex().upper()
