"""The list of parts."""

import json
from pathlib import Path

import pytest

from images.sbom import cyclonedx, licences

STATUS = """\
Package: libexample1
Status: install ok installed
Architecture: amd64
Version: 1:2.3-4

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
COPYRIGHT = "Format: https://example/1.0\n\nFiles: *\nLicense: MIT\n\nFiles: x\nLicense: BSD-3-Clause\n"
METADATA = "Metadata-Version: 2.4\nName: Some_Thing\nVersion: 4.5\nLicense-Expression: Apache-2.0\n\nText.\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, content in {
        "var/lib/dpkg/status": STATUS,
        "usr/share/doc/libexample1/copyright": COPYRIGHT,
        "opt/dreamstack/venv-0/lib/python3.13/site-packages/some_thing-4.5.dist-info/METADATA": METADATA,
        "opt/dreamstack/venv-0/bin/postgrest": "program",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_debian_python_and_binary_parts_are_listed(tree: Path) -> None:
    told = json.loads(cyclonedx(tree, "dreamstack-nuc", "1.0", 0))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert {part.get("purl", part["name"]) for part in told["components"]} == {
        "pkg:deb/debian/libexample1@1%3A2.3-4?arch=amd64&distro=debian-13",
        "pkg:pypi/some-thing@4.5",
        "postgrest postgrest",
    }


def test_the_same_tree_gives_the_same_bytes(tree: Path) -> None:
    assert cyclonedx(tree, "a", "1", 5) == cyclonedx(tree, "a", "1", 5)


def test_licences_are_told_in_words(tree: Path) -> None:
    assert licences(cyclonedx(tree, "a", "1", 0)).splitlines() == [
        "Some_Thing 4.5: Apache-2.0",
        "libexample1 1:2.3-4: BSD-3-Clause, MIT",
        "postgrest postgrest 6e51de8f5fb3: MIT".replace("6e51de8f5fb3", _digest(b"program")),
    ]


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()[:12]
