"""What a vendor ships: an update that can be checked, made of the same bits each time."""

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from images import release, vendor
from images.mirror import Mirror, Refused
from images.stages import EPOCH, Build
from images.target import target
from tests import vendor_key

BUILD = Build(target("nuc"), "1.2.3", "dreamstack-nuc", Mirror("", ""), "", EPOCH)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with vendor_key.made(tmp_path_factory.mktemp("key")) as place:
        yield place


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "dreamstack-nuc_1.2.3.efi").write_bytes(b"kernel")
    (folder / "dreamstack-nuc_1.2.3.raw").write_bytes(b"disk" * 5000)
    (folder / "dreamstack-nuc_1.2.3.root-x86-64.aa.raw").write_bytes(b"r" * 8192)
    (folder / "dreamstack-nuc_1.2.3.root-x86-64-verity.bb.raw").write_bytes(b"v" * 5000 + bytes(4096 * 25 - 5000))
    (folder / "dreamstack-nuc_1.2.3.esp.raw").write_bytes(b"not in an update")
    return folder


def test_an_update_has_a_kernel_a_root_and_its_hashes_and_a_signature(disk: Path, tmp_path: Path, key: Path) -> None:
    made = release.update(BUILD, disk, tmp_path / "dist", key)
    assert made.name == "dreamstack-nuc_1.2.3.update"
    with tarfile.open(made) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path / "out", filter="data")
    assert names[:2] == ["SHA256SUMS", "SHA256SUMS.gpg"]
    assert sorted(names[2:]) == [
        "dreamstack-nuc_1.2.3.efi",
        "dreamstack-nuc_1.2.3.root-x86-64-verity.bb.raw",
        "dreamstack-nuc_1.2.3.root-x86-64.aa.raw",
    ]
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", check=False)
    assert checked.returncode == 0
    assert verified(tmp_path / "out", key).returncode == 0


def test_the_empty_end_of_a_slot_is_left_out(disk: Path, tmp_path: Path, key: Path) -> None:
    with tarfile.open(release.update(BUILD, disk, tmp_path / "dist", key)) as archive:
        sizes = {member.name.split(".")[-2]: member.size for member in archive if member.name.endswith(".raw")}
    assert sizes["aa"] == 8192
    assert sizes["bb"] == 8192


def test_a_signature_of_another_key_is_not_taken(disk: Path, tmp_path: Path, key: Path) -> None:
    with tarfile.open(release.update(BUILD, disk, tmp_path / "dist", key)) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    with vendor_key.made(tmp_path / "other") as other:
        assert verified(tmp_path / "out", other).returncode != 0


def verified(folder: Path, key: Path) -> subprocess.CompletedProcess[bytes]:
    """Check the signature as systemd does, with a keyring file."""
    ring = folder / "ring.gpg"
    ring.write_bytes(vendor.public(key))
    home = folder / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    command = ["gpg", "--no-options", "--no-default-keyring", "--trust-model=always", "--homedir", str(home)]
    return subprocess.run(
        [*command, "--keyring", str(ring), "--verify", "SHA256SUMS.gpg", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        check=False,
    )


def test_a_disk_that_is_not_whole_is_refused(disk: Path, tmp_path: Path, key: Path) -> None:
    (disk / "dreamstack-nuc_1.2.3.efi").unlink()
    with pytest.raises(Refused, match="does not have a kernel"):
        release.update(BUILD, disk, tmp_path / "dist", key)


def test_checksums_of_other_files_are_kept(tmp_path: Path, key: Path) -> None:
    for name in ("a", "b", "gone"):
        (tmp_path / name).write_text(name)
        release.sign(tmp_path, [tmp_path / name], key)
    (tmp_path / "gone").unlink()
    release.sign(tmp_path, [tmp_path / "b"], key)
    assert [line.split()[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()] == ["a", "b"]
