"""Where Debian comes from."""

from pathlib import Path

import pytest

from images.mirror import Mirror, Refused, find

SOURCES = """\
Types: deb
# of another day: http://old.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://safe.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def test_the_machines_own_sources_are_read(tmp_path: Path) -> None:
    (tmp_path / "debian.sources").write_text(SOURCES)
    (tmp_path / "other.sources").write_text("Types: deb\nURIs: http://other.example\nSigned-By: /other.gpg\n")
    assert find({}, tmp_path) == Mirror("http://mirror.example/debian", "http://safe.example/debian-security")


def test_one_that_is_named_is_stronger(tmp_path: Path) -> None:
    (tmp_path / "debian.sources").write_text(SOURCES)
    told = find({"DEBIAN_MIRROR": "http://near.example/debian/"}, tmp_path)
    assert told == Mirror("http://near.example/debian/", "http://near.example/debian-security")


def test_without_any_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="DEBIAN_MIRROR="):
        find({}, tmp_path)


def test_images_are_made_of_the_release_with_its_security_updates() -> None:
    text = Mirror("http://a.example", "http://b.example").sources()
    assert "Suites: trixie trixie-updates\n" in text and "URIs: http://b.example\nSuites: trixie-security\n" in text
