"""Which names and addresses the door's certificate has to be good for, and whether there is to be one."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import ifaddr
import msgspec

from appliance.config import Settings
from appliance.services.door import names

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST: Final = 100
_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\Z"
)


class Wanted(msgspec.Struct, frozen=True):
    """What a certificate is to be good for: DNS `names` and IP `addresses`, both sorted, each told once."""

    names: tuple[str, ...]
    addresses: tuple[Address, ...]


def encrypted(settings: Settings) -> bool:
    """Whether the door speaks HTTPS: with ``--lan``, unless the setting `tls` says otherwise."""
    return settings.tls == "on" or (settings.tls == "auto" and settings.lan)


def wanted(settings: Settings) -> Wanted:
    """Every name and address this box is reached by now. Asks the kernel, no name server; blocks for a moment."""
    said = names(settings) if settings.lan else frozenset[str]()
    by_number = {found for each in said if (found := _address(each)) is not None}
    told = {"localhost", *filter(None, (dns_name(each) for each in said if _address(each) is None))}
    addresses: set[Address] = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"), *by_number}
    addresses |= _own() if settings.lan else set()
    return Wanted(tuple(sorted(told)[:MOST]), tuple(sorted(addresses, key=lambda each: (each.version, each))[:MOST]))


def dns_name(name: str) -> str:
    """A name as DNS and certificates write it, lower case and ASCII; empty where there is no way to."""
    try:
        ascii_name = name.casefold() if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return ""
    return ascii_name if _DNS_NAME.match(ascii_name) else ""


def _address(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _own() -> set[Address]:
    """The machine's IPv4 addresses: the door listens on those alone."""
    found = (address.ip for adapter in ifaddr.get_adapters() for address in adapter.ips if address.is_IPv4)
    return {ipaddress.ip_address(str(each)) for each in found}
