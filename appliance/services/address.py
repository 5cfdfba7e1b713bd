"""The machine's own address on the local network, found without sending a packet."""

from __future__ import annotations

import fcntl
import socket
import struct
from typing import Final

_ANYWHERE = ("192.0.2.1", 9)  # a documentation address: connecting a UDP socket only asks the routing table
_ADDRESS_OF_INTERFACE: Final = 0x8915  # SIOCGIFADDR, netdevice(7)


def own_address() -> str:
    """The IPv4 address other machines of the network reach this one by, else 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.setblocking(False)
        try:
            asked.connect(_ANYWHERE)
        except OSError:
            return _of_an_interface(asked)
        return str(asked.getsockname()[0])


def _of_an_interface(asked: socket.socket) -> str:
    """In a network that leads nowhere, which a box is made for, there is no route to ask about."""
    for _, name in socket.if_nameindex():
        try:
            told = fcntl.ioctl(asked, _ADDRESS_OF_INTERFACE, struct.pack("256s", name.encode()[:15]))
        except OSError:
            continue
        address = socket.inet_ntoa(told[20:24])
        if not address.startswith("127."):
            return address
    return "127.0.0.1"
