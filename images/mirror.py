"""Where Debian comes from: the mirror this machine is configured with, or the one that DEBIAN_MIRROR names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

SOURCES: Final = Path("/etc/apt/sources.list.d")
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
RELEASE: Final = "trixie"


class Refused(Exception):
    """Why nothing can be built, told in one sentence for a person."""


class Mirror(NamedTuple):
    """Two addresses: of Debian, and of its security updates."""

    main: str
    security: str

    def sources(self, components: str = "main non-free-firmware") -> str:
        """The text of an apt sources file for the release that images are made of."""
        return _stanza(self.main, f"{RELEASE} {RELEASE}-updates", components) + _stanza(
            self.security, f"{RELEASE}-security", components
        )


def find(environ: Mapping[str, str] = os.environ, folder: Path = SOURCES) -> Mirror:
    """The mirror to build from.

    Args:
        environ: may name one in ``DEBIAN_MIRROR`` and another for security in ``DEBIAN_SECURITY_MIRROR``.
        folder: where apt's sources are.

    Raises:
        Refused: this machine's apt has no sources of Debian.
    """
    if told := environ.get("DEBIAN_MIRROR"):
        return Mirror(told, environ.get("DEBIAN_SECURITY_MIRROR") or told.rstrip("/") + "-security")
    found = list(_known(folder))
    main = next((uri for uri, suites in found if "security" not in suites), None)
    security = next((uri for uri, suites in found if "security" in suites), None)
    if main is None:
        raise Refused(f"{folder} names no Debian mirror; name one: make image DEBIAN_MIRROR=...")
    return Mirror(main, security or main.rstrip("/") + "-security")


def _known(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob("*.sources")):
        for stanza in file.read_text(encoding="utf-8").split("\n\n"):
            fields = dict(_field(line) for line in stanza.splitlines() if ":" in line and not line.startswith("#"))
            if "debian" in fields.get("Signed-By", "") and fields.get("URIs"):
                yield fields["URIs"].split()[0], fields.get("Suites", "")


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _stanza(uri: str, suites: str, components: str) -> str:
    return f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: {components}\nSigned-By: {KEYRING}\n\n"
