"""The machine's own address on the local network, found without sending a packet."""

from __future__ import annotations

import socket

_ANYWHERE = ("192.0.2.1", 9)  # a documentation address: connecting a UDP socket only asks the routing table


def own_address() -> str:
    """The IPv4 address other machines of the network reach this one by, else 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.setblocking(False)
        try:
            asked.connect(_ANYWHERE)
        except OSError:
            return "127.0.0.1"
        return str(asked.getsockname()[0])
