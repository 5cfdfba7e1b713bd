"""Which box, and where: ``<EndpointId>@<ip>:<port>``, as people copy it from one terminal to another.

>>> ticket = parse("d8f7" * 16 + "@10.0.0.5:4711")
>>> ticket.addresses, write(ticket)[:8]
(('10.0.0.5:4711',), 'd8f7d8f7')
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from appliance.errors import ApplianceError

_ENDPOINT_ID: Final = re.compile(r"[0-9a-f]{64}")


class Ticket(msgspec.Struct, frozen=True):
    """A box: its EndpointId (64 hexadecimal digits) and the addresses it was last known at (``"ip:port"``)."""

    endpoint_id: str
    addresses: tuple[str, ...]


def parse(text: str) -> Ticket:
    """Read a ticket; several addresses are told apart by commas.

    Raises:
        ApplianceError: SCR504, it is not one.
    """
    endpoint_id, _, places = text.strip().partition("@")
    addresses = tuple(place.strip() for place in places.split(","))
    if not _ENDPOINT_ID.fullmatch(endpoint_id.lower()):
        raise _unreadable(text, "the id must have 64 hexadecimal digits")
    for address in addresses:
        if not _is_address(address):
            raise _unreadable(text, f"{address!r} is not an address with a port")
    return Ticket(endpoint_id.lower(), addresses)


def write(ticket: Ticket) -> str:
    """The ticket as text."""
    return f"{ticket.endpoint_id}@{','.join(ticket.addresses)}"


def _is_address(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        return 0 < int(port) <= 65_535
    except ValueError:
        return False


def _unreadable(text: str, reason: str) -> ApplianceError:
    return ApplianceError(
        "SCR504",
        "The box's id or address cannot be read.",
        f"{text[:120]!r}: {reason}",
        "Write it as <id>@<ip>:<port>; the box prints it when it starts.",
    )
