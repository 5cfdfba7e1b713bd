"""A UDP port that stays the same over restarts, so that others find this machine where it was."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path


def kept_port(path: Path, host: str = "127.0.0.1") -> int:
    """The port kept in `path`; a free one of `host` is taken, and kept, where there is none. Blocks on the disk.

    Raises:
        OSError: none is free, or it cannot be kept.
    """
    with suppress(OSError, ValueError):
        return int(path.read_text())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((host, 0))
        port = int(free.getsockname()[1])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(str(port))
    return port
