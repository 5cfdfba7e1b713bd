"""A backup's file is taken whole or not at all, and nothing in it reaches beyond its folder."""

from __future__ import annotations

import gc
import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.dump import Dumped
from appliance.services.backup import archive
from appliance.services.backup.archive import DATABASE, MANIFEST, Header, Writer, unpack

ABOUT = Header(1, "0.1.0", "2026-11-28T20:00:00Z", "Ward 3", Dumped(11, 17, "postgres", ("nurse",)))


def made(folder: Path, passphrase: str = "", about: Header = ABOUT) -> Path:
    (folder / "dump").write_bytes(b"rows" * 1000)
    (folder / "key").write_bytes(b"secret")
    with Writer(folder / "box.backup", passphrase) as writer:
        writer.add(DATABASE, folder / "dump")
        writer.add("keys/staff.key", folder / "key")
        writer.finish(about)
    return folder / "box.backup"


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_what_goes_in_comes_out(tmp_path: Path, passphrase: str) -> None:
    file = made(tmp_path, passphrase)
    manifest = unpack(file, passphrase, tmp_path / "out")
    assert manifest.about == ABOUT
    assert set(manifest.members) == {DATABASE, "keys/staff.key"}
    assert (tmp_path / "out" / "keys" / "staff.key").read_bytes() == b"secret"
    assert file.stat().st_mode & 0o077 == 0
    assert (b"secret" in file.read_bytes()) is not bool(passphrase)
    assert unpack(file, passphrase, None) == manifest


def test_a_backup_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    file = made(tmp_path)
    before = file.read_bytes()
    with pytest.raises(FileNotFoundError), Writer(file, "") as writer:
        writer.add(DATABASE, tmp_path / "none")
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_backup_that_fails_ends_without_a_murmur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: str
) -> None:
    (tmp_path / "dump").write_bytes(b"rows")
    said: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: said.append(repr(told.exc_value)))
    with pytest.raises(FileNotFoundError), Writer(tmp_path / "box.backup", passphrase) as writer:
        writer.add(DATABASE, tmp_path / "dump")
        writer.add("keys/staff.key", tmp_path / "none")
    del writer
    gc.collect()
    assert said == []


def changed(file: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]) -> None:
    """Write the archive anew, each member as `change` wants it, or without it."""
    with tarfile.open(file) as old:
        members = [(entry, (old.extractfile(entry) or io.BytesIO()).read()) for entry in old]
    with tarfile.open(file, "w") as new:
        for entry, content in members:
            if (wanted := change(entry, content)) is not None:
                wanted[0].size = len(wanted[1])
                new.addfile(wanted[0], io.BytesIO(wanted[1]))


def renamed(entry: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    if entry.name == "keys/staff.key":
        entry.name = name
    return entry


@pytest.mark.parametrize("name", ["../staff.key", "/etc/passwd", "keys/../../x", "keys/.hidden", "keys//x", DATABASE])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    file = made(tmp_path)
    changed(file, lambda entry, content: (renamed(entry, name), content))
    with pytest.raises(ApplianceError, match="BRG471"):
        unpack(file, "", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} <= {"box.backup", "dump", "key", "out"}


@pytest.mark.parametrize(
    "name", ["run/restore.json", "keys/setup.code", "keys/postgres.json", "gateway/sessions.json", "postgres/x", "keys"]
)
def test_what_no_box_puts_into_a_backup_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "dump").write_bytes(b"rows")
    with Writer(tmp_path / "box.backup", "") as writer:
        writer.add(DATABASE, tmp_path / "dump")
        writer.add(name, tmp_path / "dump")
        writer.finish(ABOUT)
    with pytest.raises(ApplianceError, match="BRG471") as caught:
        unpack(tmp_path / "box.backup", "", None)
    assert caught.value.details == name


@pytest.mark.parametrize("name", ["settings.toml", "bridge/screens.json", "archive/a/b", "models/x.gguf"])
def test_what_a_box_puts_into_a_backup_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / "dump").write_bytes(b"rows")
    with Writer(tmp_path / "box.backup", "") as writer:
        writer.add(DATABASE, tmp_path / "dump")
        writer.add(name, tmp_path / "dump")
        writer.finish(ABOUT)
    assert name in unpack(tmp_path / "box.backup", "", None).members


def test_a_link_is_refused(tmp_path: Path) -> None:
    def linked(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if entry.name == "keys/staff.key":
            entry.type, entry.linkname, content = tarfile.SYMTYPE, "/etc/shadow", b""
        return entry, content

    file = made(tmp_path)
    changed(file, linked)
    with pytest.raises(ApplianceError, match="BRG471"):
        unpack(file, "", tmp_path / "out")


@pytest.mark.parametrize("missing", [DATABASE, "keys/staff.key", MANIFEST])
def test_a_member_that_is_missing_is_missed(tmp_path: Path, missing: str) -> None:
    file = made(tmp_path)
    changed(file, lambda entry, content: None if entry.name == missing else (entry, content))
    with pytest.raises(ApplianceError, match="BRG471"):
        unpack(file, "", None)


def test_changed_content_is_seen(tmp_path: Path) -> None:
    file = made(tmp_path)
    changed(file, lambda entry, content: (entry, content.replace(b"secret", b"SECRET")))
    with pytest.raises(ApplianceError, match=r"BRG471.*") as caught:
        unpack(file, "", None)
    assert caught.value.details == "keys/staff.key"


def test_what_somebody_put_behind_the_manifest_is_refused(tmp_path: Path) -> None:
    file = made(tmp_path)
    with tarfile.open(file, "a") as tar:
        tar.addfile(tarfile.TarInfo("keys/admin.key"), io.BytesIO())
    with pytest.raises(ApplianceError, match="BRG471"):
        unpack(file, "", None)


def test_every_file_cut_short_is_refused(tmp_path: Path) -> None:
    file = made(tmp_path)
    whole = file.read_bytes()
    manifest_ends = whole.rindex(b"}") + 1
    for length in range(0, manifest_ends, 97):
        file.write_bytes(whole[:length])
        with pytest.raises(ApplianceError, match="BRG471"):
            unpack(file, "", None)


def test_a_newer_form_says_so(tmp_path: Path) -> None:
    file = made(tmp_path, about=msgspec.structs.replace(ABOUT, format=archive.FORMAT + 1))
    with pytest.raises(ApplianceError, match="BRG472"):
        unpack(file, "", None)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ApplianceError, match="BRG471"):
        unpack(tmp_path / "none.backup", "", None)
