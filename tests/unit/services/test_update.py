"""What a box takes as an update, before systemd looks at its signature."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

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


def bundle(folder: Path, *names: str, version: str = "1.1", image: str = "dreamstack-nuc") -> Path:
    made = folder / f"{image}_{version}.update"
    with tarfile.open(made, "w") as archive:
        for name in names or ("SHA256SUMS", "SHA256SUMS.gpg", "a_1.1.efi", "a_1.1.root-x86-64.0a.raw"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"text"))
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


def test_of_several_on_a_stick_the_last_for_this_box_is_taken(image: Path) -> None:
    bundle(image, version="1.1")
    bundle(image, version="1.2")
    bundle(image, version="9", image="other-nuc")
    assert update.newest(image, "dreamstack-nuc").name == "dreamstack-nuc_1.2.update"
    with pytest.raises(ApplianceError, match="no update for dreamstack-screen"):
        update.newest(image, "dreamstack-screen")


def test_a_machine_that_no_image_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text("NAME=Debian\n")
    with pytest.raises(ApplianceError, match="not installed from an image"):
        update.this_system(tmp_path / "os-release")
