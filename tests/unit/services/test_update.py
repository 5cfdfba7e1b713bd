"""What a box takes as an update, before systemd looks at its signature."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Literal

import pytest

from appliance.errors import ApplianceError
from appliance.services import update


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that was installed from an image, and whose sysupdate says what it was told and refuses."""
    release, program = tmp_path / "os-release", tmp_path / "sysupdate"
    release.write_text('NAME="Debian"\nIMAGE_ID="dreamstack-nuc"\nIMAGE_VERSION=1.0\n')
    program.write_text(
        f'#!/bin/sh\nset -e\necho "$@" >{tmp_path}/told\nls {tmp_path}/run/update/ >{tmp_path}/listed\n'
        f'[ ! -e {tmp_path}/refuse ] || {{ echo "BAD signature" >&2; exit 1; }}\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(update, "SYSUPDATE", program)
    monkeypatch.setattr(update, "SOURCE", tmp_path / "run" / "update")
    monkeypatch.setattr(update, "UNPACKED", tmp_path / "unpacked")
    monkeypatch.setattr(update, "KERNELS", tmp_path / "kernels")
    monkeypatch.setattr(update.this_system, "__defaults__", (release,))
    return tmp_path


def bundle(
    folder: Path,
    *names: str,
    version: str = "1.1",
    image: str = "dreamstack-nuc",
    mode: Literal["w", "w:gz", "w:xz"] = "w",
    summed: bool = True,
) -> Path:
    made = folder / f"{image}_{version}.update"
    names = names or ("SHA256SUMS", "SHA256SUMS.gpg", "a_1.1.efi", "a_1.1.root-x86-64.0a.raw")
    sums = "".join(f"{hashlib.sha256(b'text').hexdigest()}  {name}\n" for name in names[2:]).encode()
    with tarfile.open(made, mode) as archive:
        for name in names:
            member, content = tarfile.TarInfo(name), sums if name == "SHA256SUMS" and summed else b"text"
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made


def test_a_bundle_is_handed_to_systemd_with_its_signature_checked_and_leaves_nothing(image: Path) -> None:
    assert update.install(bundle(image)) == "1.1"
    assert (image / "told").read_text() == "--verify=yes update 1.1\n"
    assert (image / "listed").read_text().split() == [
        "SHA256SUMS",
        "SHA256SUMS.gpg",
        "a_1.1.efi",
        "a_1.1.root-x86-64.0a.raw",
    ]
    assert not (image / "unpacked").exists() and not (image / "run" / "update").is_symlink()


def test_a_kernel_that_a_power_cut_left_torn_is_removed_and_no_other(image: Path) -> None:
    kernels = image / "kernels"
    kernels.mkdir()
    for name, content in {"1.1+3-0": "", "1.1": "text", "1.0": "older", "1.10": ""}.items():
        (kernels / f"dreamstack-nuc_{name}.efi").write_text(content)
    update.install(bundle(image, "SHA256SUMS", "SHA256SUMS.gpg", "dreamstack-nuc_1.1.efi"))
    assert sorted(path.name.partition("_")[2] for path in kernels.iterdir()) == ["1.0.efi", "1.1.efi", "1.10.efi"]


def torn(image: Path) -> Path:
    """A kernel that is not that of the bundle."""
    kernel = image / "kernels" / "dreamstack-nuc_1.1.efi"
    kernel.parent.mkdir()
    kernel.write_text("another")
    return kernel


NAMES = ("SHA256SUMS", "SHA256SUMS.gpg", "dreamstack-nuc_1.1.efi")


@pytest.mark.parametrize("names", [NAMES, ("SHA256SUMS", "SHA256SUMS.gpg")])
def test_a_bundle_that_nobody_signed_takes_no_kernel_away(image: Path, names: tuple[str, ...]) -> None:
    kernel = torn(image)
    (image / "refuse").touch()
    with pytest.raises(ApplianceError, match="BRG421"):
        update.install(bundle(image, *names))
    assert kernel.exists()


@pytest.mark.parametrize(
    ("names", "summed"), [(NAMES, False), (("SHA256SUMS", "SHA256SUMS.gpg", "dreamstack-nuc_1.2.efi"), True)]
)
def test_only_a_kernel_of_which_the_bundle_has_the_whole_one_is_removed(
    image: Path, names: tuple[str, ...], summed: bool
) -> None:
    kernel = torn(image)
    update.install(bundle(image, *names, summed=summed))
    assert kernel.exists()


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_a_compressed_bundle_is_refused(image: Path, mode: Literal["w:gz", "w:xz"]) -> None:
    with pytest.raises(ApplianceError, match="cannot be read"):
        update.install(bundle(image, mode=mode))


def test_a_bundle_that_would_fill_the_disk_is_refused(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "LIMIT", 200)
    with pytest.raises(ApplianceError, match="is no update"):
        update.install(bundle(image, *NAMES, *(f"a_{number}.raw" for number in range(50))))
    assert not (image / "told").exists()


@pytest.mark.parametrize("version", ["0.9", "0.99.9+5", "1.0~rc1", "1.00"])
def test_an_older_version_is_refused(image: Path, version: str) -> None:
    with pytest.raises(ApplianceError, match=r"runs 1\.0, which is not older"):
        update.install(bundle(image, version=version))


@pytest.mark.parametrize("version", ["1.0+1", "1.0.1", "1.10", "2.0~rc1"])
def test_a_newer_version_is_taken(image: Path, version: str) -> None:
    assert update.install(bundle(image, version=version)) == version


def test_what_systemd_refuses_is_told(image: Path) -> None:
    (image / "refuse").touch()
    with pytest.raises(ApplianceError) as refused:
        update.install(bundle(image))
    assert refused.value.code == "BRG421" and "BAD signature" in str(refused.value.details)
    assert not (image / "unpacked").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "x/y.raw", "run.sh", ".raw"])
def test_a_bundle_with_another_file_in_it_is_refused(image: Path, name: str) -> None:
    with pytest.raises(ApplianceError, match="is no update"):
        update.install(bundle(image, "SHA256SUMS", name))
    assert not (image / "told").exists()


@pytest.mark.parametrize(
    ("version", "kind", "told"),
    [("1.0", "dreamstack-nuc", "runs 1.0 already"), ("1.1", "dreamstack-jetson", "no update for this box")],
)
def test_what_is_not_for_this_box_is_refused(image: Path, version: str, kind: str, told: str) -> None:
    with pytest.raises(ApplianceError, match=told):
        update.install(bundle(image, version=version, image=kind))


def test_a_file_that_is_no_tar_is_refused(image: Path) -> None:
    file = image / "dreamstack-nuc_1.1.update"
    file.write_bytes(b"no tar" * 1000)
    with pytest.raises(ApplianceError, match="cannot be read"):
        update.install(file)


def test_of_several_on_a_stick_the_newest_for_this_box_is_taken(image: Path) -> None:
    bundle(image, version="1.9")
    bundle(image, version="1.10")
    bundle(image, version="9", image="other-nuc")
    assert update.newest(image, "dreamstack-nuc").name == "dreamstack-nuc_1.10.update"
    with pytest.raises(ApplianceError, match="no update for dreamstack-screen"):
        update.newest(image, "dreamstack-screen")


def test_a_machine_that_no_image_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text("NAME=Debian\n")
    with pytest.raises(ApplianceError, match="not installed from an image"):
        update.this_system(tmp_path / "os-release")
