"""What an image is made of: a CycloneDX list of its Debian, Python and binary parts, and their licences in words."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

SPEC: Final = "1.6"
BINARIES: Final = {
    "postgrest": ("opt/dreamstack/venv-*/bin/postgrest", "MIT"),
    "model": ("opt/dreamstack/venv-*/share/dreamstack/models/*.gguf", "Apache-2.0"),
    "vendor model": ("opt/dreamstack/models/*.gguf", ""),
}
"""Parts that no package manager knows: where they are, and their licence."""


def cyclonedx(tree: Path, name: str, version: str, epoch: int) -> bytes:
    """The list as CycloneDX JSON; the same tree gives the same bytes."""
    components = [*_debian(tree), *_python(tree), *_binaries(tree)]
    components.sort(key=lambda each: str(each["bom-ref"]))
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}@{version}')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "operating-system", "name": name, "version": version, "bom-ref": name},
        },
        "components": components,
    }
    return (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()


def licences(bom: bytes) -> str:
    """The licences in words, a part a line."""
    lines = []
    for part in json.loads(bom)["components"]:
        told = ", ".join(each["license"].get("name") or each["license"].get("id") for each in part.get("licenses", ()))
        lines.append(f"{part['name']} {part['version']}: {told or 'see its copyright file'}")
    return "\n".join(sorted(lines)) + "\n"


def _debian(tree: Path) -> Iterator[dict[str, Any]]:
    status = (tree / "var/lib/dpkg/status").read_text(encoding="utf-8")
    release = "debian-13"
    for stanza in status.split("\n\n"):
        fields = HeaderParser().parsestr(stanza)
        if "installed" not in (fields["Status"] or "").split():
            continue
        name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={arch}&distro={release}"
        yield _part("library", name, version, purl, _debian_licences(tree, name))


def _debian_licences(tree: Path, package: str) -> list[str]:
    """The short names in a machine-readable copyright file, else none."""
    file = tree / "usr/share/doc" / package / "copyright"
    if not file.is_file():
        return []
    text = file.read_text(encoding="utf-8", errors="replace")
    return sorted(set(re.findall(r"^License:[ \t]*(\S.*?)\s*$", text, re.MULTILINE))) if "Format:" in text[:400] else []


def _python(tree: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(tree.glob("opt/dreamstack/venv-*/lib/python*/site-packages/*.dist-info/METADATA")):
        fields = HeaderParser().parsestr(file.read_text(encoding="utf-8", errors="replace"))
        name, version = fields["Name"], fields["Version"]
        told = fields["License-Expression"] or next(
            (
                line.rpartition(" :: ")[2]
                for line in fields.get_all("Classifier", [])
                if line.startswith("License :: OSI Approved ::")
            ),
            (fields["License"] or "").splitlines()[0] if fields["License"] else "",
        )
        purl = f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}"
        yield _part("library", name, version, purl, [told] if told else [])


def _binaries(tree: Path) -> Iterator[dict[str, Any]]:
    for name, (pattern, licence) in BINARIES.items():
        for file in sorted(tree.glob(pattern)):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            part = _part("file", f"{name} {file.name}", digest[:12], "", [licence] if licence else [])
            yield {**part, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _part(kind: str, name: str, version: str, purl: str, told: list[str]) -> dict[str, Any]:
    part: dict[str, Any] = {"type": kind, "name": name, "version": version, "bom-ref": purl or f"{name}@{version}"}
    if purl:
        part["purl"] = purl
    if told:
        part["licenses"] = [{"license": {"name": each}} for each in told]
    return part
