"""What comes from outside is named, and a file that differs is refused."""

import hashlib
import re
from pathlib import Path

import pytest

from images import artifacts
from images.artifacts import LOCK, Artifact, check, check_program, read
from images.mirror import Refused
from scripts import wheelhouse

ROOT = LOCK.parents[1]


def artifact(content: bytes) -> Artifact:
    return Artifact("a", "1", "amd64", "a-1.whl", "pypi", hashlib.sha256(content).hexdigest())


def test_a_file_that_differs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a-1.whl").write_bytes(b"as locked")
    check([artifact(b"as locked")], tmp_path)
    with pytest.raises(Refused, match="SHA-256 differs"):
        check([artifact(b"another")], tmp_path)


def test_a_file_that_is_missing_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"a-1\.whl is missing: make fetch ARCH=amd64"):
        check([artifact(b"")], tmp_path)


def test_a_cache_is_whole_when_it_has_what_the_lock_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "CACHE", tmp_path)
    monkeypatch.setattr(artifacts, "read", lambda: [artifact(b"as locked")])
    assert not artifacts.whole("amd64")
    (tmp_path / "amd64").mkdir()
    (tmp_path / "amd64" / "a-1.whl").write_bytes(b"another")
    assert not artifacts.whole("amd64")
    (tmp_path / "amd64" / "a-1.whl").write_bytes(b"as locked")
    assert artifacts.whole("amd64")
    assert artifacts.whole("arm64"), "of which it asks nothing"


def test_the_lock_has_every_package_of_a_box_in_its_version() -> None:
    pins = "".join((ROOT / f"requirements/{name}.txt").read_text() for name in wheelhouse.LOCKED)
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ \\]+)", pins, re.MULTILINE))
    held = {each.name: each.version for each in read() if each.architecture == "amd64" and each.origin == "pypi"}
    assert held == locked


def test_all_but_what_is_built_here_has_a_checksum_and_nothing_an_address() -> None:
    assert [each.file for each in read() if not re.fullmatch(r"[0-9a-f]{64}", each.sha256)] == [
        each.file for each in read() if each.origin == "build"
    ]
    assert "://" not in LOCK.read_text()


def test_a_box_without_its_program_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "CACHE", tmp_path)
    check_program("amd64")  # the lock has it, and `check` sees whether it is there
    with pytest.raises(Refused, match=r"make fetch ARCH=arm64 POSTGREST_TARBALL_ARM64=FILE POSTGREST_SHA256_ARM64="):
        check_program("arm64")
    (tmp_path / "arm64" / "bin").mkdir(parents=True)
    (tmp_path / "arm64" / "bin" / "postgrest").write_bytes(b"the vendor's")
    check_program("arm64")
