"""What the image's parts say of each other: names, slots, units, scripts."""

import ast
import configparser
import os
import re
import subprocess
from pathlib import Path

import pytest

from images.target import TARGETS
from tests.box import ROOT

DISK = ROOT / "images" / "mkosi" / "disk"
EXTRA = DISK / "mkosi.extra" / "usr" / "lib"
INITRD = ROOT / "images" / "mkosi" / "initrd" / "mkosi.extra" / "usr" / "lib" / "dreamstack" / "data"
SCRIPTS = [
    INITRD,
    ROOT / "images" / "provision",
    DISK / "mkosi.finalize",
    ROOT / "scripts" / "image_setup.sh",
    ROOT / "scripts" / "same_image.sh",
    EXTRA / "dreamstack" / "stick",
    EXTRA / "dreamstack" / "factory-reset",
]
ARCHITECTURES = {"amd64": "x86-64", "arm64": "arm64"}


def read(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file)
    return parser


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_can_be_read_and_run(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & 0o111


def test_the_check_of_a_new_system_can_be_read() -> None:
    ast.parse((EXTRA / "dreamstack" / "healthy").read_text())


def test_an_update_is_written_in_the_order_that_a_power_cut_cannot_harm() -> None:
    files = sorted((EXTRA / "sysupdate.d").glob("*.transfer"))
    assert [re.sub(r"^\d+-", "", file.stem) for file in files] == ["root-verity", "root", "uki"]
    kernel = read(files[-1])["Target"]
    assert kernel["TriesLeft"] == "3" and "+@l-@d" in kernel["MatchPattern"]


def test_every_transfer_checks_the_vendors_signature_and_reads_from_this_machine_alone() -> None:
    for file in (EXTRA / "sysupdate.d").glob("*.transfer"):
        told = read(file)
        assert told["Transfer"]["Verify"] == "yes" and told["Transfer"]["ProtectVersion"] == "%A"
        assert told["Source"]["Path"] == "file:///run/dreamstack/update"


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_transfers_look_for_what_a_release_has(target: object) -> None:
    arch = ARCHITECTURES[target.architecture]  # type: ignore[attr-defined]
    names = ["dreamstack-x_1.2.root-{}-verity.0a.raw", "dreamstack-x_1.2.root-{}.0b.raw", "dreamstack-x_1.2.efi"]
    for file, name in zip(sorted((EXTRA / "sysupdate.d").glob("*.transfer")), names, strict=True):
        pattern = read(file)["Source"]["MatchPattern"].replace("%M", "dreamstack-x").replace("%a", arch)
        wanted = re.escape(pattern).replace("@v", "[0-9.]+").replace("@u", "[0-9a-f]+")
        assert re.fullmatch(wanted, name.format(arch)), pattern


def test_the_last_step_keeps_the_vendors_key_and_no_other(tmp_path: Path) -> None:
    ours, another = "usr/lib/systemd/import-pubring.gpg", "etc/systemd/import-pubring.gpg"
    for name in (ours, another, "usr/share/dreamstack/units/a.service", "var/lib/dpkg/status", "var/log/made", "run/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "etc/systemd/system/getty.target.wants").mkdir(parents=True)
    subprocess.run(["bash", str(DISK / "mkosi.finalize")], env=os.environ | {"BUILDROOT": str(tmp_path)}, check=True)
    assert (tmp_path / ours).exists() and not (tmp_path / another).exists()
    assert (tmp_path / "etc/systemd/system/a.service").exists()
    assert (tmp_path / "usr/share/dpkg-database/status").exists() and not any((tmp_path / "var").iterdir())


def test_both_slots_are_as_large_and_labels_are_those_that_updates_look_for() -> None:
    slots = [read(file)["Partition"] for file in sorted((EXTRA / "dreamstack" / "repart.d").glob("*-root-*.conf"))]
    roots = [slot for slot in slots if slot["Type"] == "root"]
    hashes = [slot for slot in slots if slot["Type"] == "root-verity"]
    for pair in (roots, hashes):
        assert len(pair) == 2 and pair[0]["SizeMinBytes"] == pair[1]["SizeMaxBytes"] == pair[1]["SizeMinBytes"]
        assert {slot["Label"] for slot in pair} == {"_empty"}
    assert read(DISK / "mkosi.repart" / "20-root.conf")["Partition"]["Label"] == "%M_%A"
    assert read(DISK / "mkosi.repart" / "10-root-verity.conf")["Partition"]["Label"] == "%M_%A_verity"


def test_the_initrd_looks_for_the_labels_that_are_made() -> None:
    text = INITRD.read_text()
    for label in re.findall(r"device (dreamstack-[a-z]+)", text):
        made = [*(DISK / "mkosi.repart").glob("*.conf"), *(EXTRA / "dreamstack" / "repart.d").glob("*.conf")]
        assert any(read(file)["Partition"].get("Label") == label for file in made), label


def test_links_in_the_image_lead_to_units_that_are_there() -> None:
    for link in (EXTRA / "systemd" / "system").rglob("*.service"):
        if link.is_symlink():
            assert link.resolve().is_file(), link


def test_whoever_boots_a_new_system_waits_for_it_to_be_well() -> None:
    unit = read(EXTRA / "systemd" / "system" / "dreamstack-healthy.service")
    assert unit["Unit"]["FailureAction"] == "reboot" and unit["Unit"]["Before"] == "boot-complete.target"
    assert (EXTRA / "systemd/system/boot-complete.target.requires/dreamstack-healthy.service").is_symlink()
