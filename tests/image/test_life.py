"""The life of a box that was installed from an image: first start, restarts, updates, power cuts, a reset.

The tests run in this order, on one machine. Its serial log and its first screen stay in test-results/image.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from images import vendor
from tests import vendor_key
from tests.box import ROOT
from tests.image.conftest import RESULTS
from tests.image.machine import PATIENCE_S, Machine, json_of, stick

FIRST_S = 420.0
START_S = 300.0
QUESTION = "How many boats are blue?"
BOATS = [{"name": f"Boat {number}", "colour": "blue" if number % 3 == 0 else "red"} for number in range(12)]
UPDATE = "/opt/dreamstack/venv/bin/appliance update"
GOOD, SPOILT = "/dev/vdb", "/dev/vdc"
IDENTITY = "cat /etc/machine-id /var/lib/dreamstack/box/keys/ca.crt; hostname"
"""What must be the same after each start, but for a reset."""


def version(machine: Machine) -> str:
    found = re.search(r"^IMAGE_VERSION=\"?([^\"\n]+)", machine.run("cat /etc/os-release"), re.MULTILINE)
    assert found
    return found[1]


def entries(machine: Machine) -> list[str]:
    return sorted(machine.run("ls $(bootctl --print-esp-path)/EFI/Linux").split())


def ask(machine: Machine, question: str = QUESTION) -> dict[str, Any]:
    with machine.client() as client:
        return dict(json_of(client.post("/api/ask", json={"question": question}, timeout=PATIENCE_S)))


def values(answer: dict[str, Any]) -> list[Any]:
    assert answer["status"] == "answered", answer
    return [value for row in answer["rows"] or [] for value in row.values()]


def install(machine: Machine, device: str) -> str:
    """The command that installs the update that lies on that device."""
    place = f"/run/given/{device.rpartition('/')[2]}"
    machine.run(f"mkdir -p {place}; mountpoint -q {place} || mount -o ro {device} {place}")
    return f"{UPDATE} {place}"


def beyond_login(machine: Machine) -> float:
    """Seconds from when this kernel would let people log in until now, when the page has just answered."""
    told = machine.run("systemctl show --value --property ActiveEnterTimestampMonotonic systemd-user-sessions.service")
    return round(float(machine.run("cat /proc/uptime").split()[0]) - int(told) / 1e6, 1)


def note(**measured: Any) -> None:
    """Keep what was measured."""
    file = RESULTS / "measured.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(kept | measured, indent=1, sort_keys=True) + "\n")


def test_first_start(machine: Machine) -> None:
    machine.on()
    note(first_start_s=round(machine.wait_page(FIRST_S), 1))
    machine.wait_serial(r"\?key=", 120)
    machine.wait_serial(r"([cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}", 5)
    time.sleep(3)
    machine.picture(RESULTS / "first-boot.png")


def test_a_question_is_answered_from_rows_that_came_over_the_door(machine: Machine) -> None:
    with machine.client() as client:
        made = client.post("/flex/boats", json=BOATS)
        assert made.is_success, made.text
        for _ in range(100):
            if any(each["name"] == "boats" for each in json_of(client.get("/api/catalog"))["collections"]):
                break
            time.sleep(0.3)
    assert values(ask(machine)) == [4]


def test_the_box_passes_the_acceptance(machine: Machine) -> None:
    environ = os.environ | {"ACCEPTANCE_URL": machine.url, "ACCEPTANCE_KEY": machine.key()}
    command = [sys.executable, "-m", "pytest", "-q", "tests/acceptance/test_data.py", "tests/acceptance/test_roles.py"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_memory(machine: Machine) -> None:
    resting = _used_of(machine.run("cat /proc/meminfo"))
    machine.start("for n in 1 2 3; do sleep 1; cat /proc/meminfo > /run/meminfo.$n; done")
    for _ in range(3):
        ask(machine)
    answering = max(
        _used_of(machine.run(f"cat /run/meminfo.{number} 2>/dev/null || cat /proc/meminfo")) for number in (1, 2, 3)
    )
    note(memory_at_rest_mb=resting, memory_answering_mb=answering)
    assert resting < 1500 and answering < 2000


def _used_of(meminfo: str) -> int:
    told = dict(line.split()[:2] for line in meminfo.splitlines())
    return (int(told["MemTotal:"]) - int(told["MemAvailable:"])) // 1024


def test_nothing_in_it_lets_anybody_in(machine: Machine) -> None:
    shadow = machine.run("cat /etc/shadow").splitlines()
    assert [line for line in shadow if line.split(":")[1][:1] not in ("*", "!")] == []
    assert machine.run("systemctl is-active ssh.service sshd.service ssh.socket || true").split() == ["inactive"] * 3
    open_to_all = {
        line.split()[3].rpartition(":")[2]
        for line in machine.run("ss -Hltn").splitlines()
        if not line.split()[3].startswith(("127.", "[::1]"))
    }
    assert open_to_all == {"80", "443"}


def test_its_data_are_encrypted_and_its_root_cannot_be_written(machine: Machine) -> None:
    assert "crypto_LUKS" in machine.run("lsblk --noheadings --output FSTYPE")
    assert machine.run("findmnt --noheadings --output SOURCE,FSTYPE /var").split() == ["/dev/mapper/data", "ext4"]
    assert machine.run("findmnt --noheadings --output SOURCE,FSTYPE /").split() == ["/dev/mapper/root", "erofs"]
    assert "failed" in machine.run("touch /usr/x || echo failed")


def test_power_cuts_while_an_update_is_installed(machine: Machine) -> None:
    before = machine.run(IDENTITY)
    chance = random.Random(os.environ.get("SEED"))
    moments = [round(chance.uniform(0, 30), 1) for _ in range(3)]
    note(cut_after_s=moments)
    for moment in moments:
        machine.start(install(machine, GOOD))
        machine.wait_for("ls -d /run/dreamstack/update", "/run/dreamstack/update", 240)  # from here the slot is written
        time.sleep(moment)
        machine.cut()
        machine.on()
        note(start_s=round(machine.wait_page(START_S), 1))
        assert machine.run(IDENTITY) == before
    assert values(ask(machine)) == [4]


def test_an_update_is_installed_and_kept(machine: Machine) -> None:
    before = machine.run(IDENTITY)
    if version(machine) == "0.1.0":  # unless one of the cuts came after it was whole
        began = time.monotonic()
        machine.run(install(machine, GOOD), 600)
        note(update_s=round(time.monotonic() - began, 1))
        assert [name for name in entries(machine) if name.startswith("dreamstack-nuc_0.1.1+3")], entries(machine)
    machine.restarted()
    note(restart_s=round(machine.wait_page(START_S), 1), page_beyond_login_s=beyond_login(machine))
    assert version(machine) == "0.1.1"
    assert machine.run(IDENTITY) == before
    assert machine.run("ls /run/dreamstack/recovery-key 2>/dev/null || echo gone") == "gone"
    machine.wait_for("systemctl is-active systemd-bless-boot.service", "active", 120)
    assert entries(machine) == ["dreamstack-nuc_0.1.0.efi", "dreamstack-nuc_0.1.1.efi"]
    assert values(ask(machine)) == [4]


@pytest.mark.parametrize("how", ["foreign", "altered"])
def test_what_the_vendor_did_not_sign_is_refused(machine: Machine, spoilt: Path, tmp_path: Path, how: str) -> None:
    changed = tmp_path / "stick-of-somebody"
    changed.mkdir()
    HOW[how](spoilt, changed / spoilt.name)
    machine.plug(stick(tmp_path, changed / spoilt.name), how)
    said = machine.wait_serial(r"(?s)BRG421.*?\n", 240, len(machine.serial()))
    assert "runs on as before" in said[0]
    assert version(machine) == "0.1.1" and not [name for name in entries(machine) if "0.1.2" in name]
    machine.monitor(f"device_del {how}")


def signed_by_another(bundle: Path, target: Path) -> None:
    """The same files, and a signature of another key."""
    files = target.parent.parent / "files"
    with tarfile.open(bundle) as old:
        names = old.getnames()
        old.extractall(files, filter="data")
    with vendor_key.made(target.parent.parent / "key") as key:
        vendor.sign(key, files / "SHA256SUMS")
    with tarfile.open(target, "w") as new:
        for name in names:
            new.add(files / name, name)


def altered(bundle: Path, target: Path) -> None:
    """One byte of the root is another."""
    shutil.copyfile(bundle, target)
    with target.open("r+b") as file:
        file.seek(-(1 << 20), os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


HOW: Final[dict[str, Callable[[Path, Path], None]]] = {"foreign": signed_by_another, "altered": altered}


def test_a_bad_update_rolls_back(machine: Machine) -> None:
    machine.run(install(machine, SPOILT), 600)
    said = len(machine.serial())
    machine.cut()
    machine.words = "dreamstack.health_s=20"
    machine.on()
    for _ in range(3):
        said = machine.wait_serial(r"This system is not well", START_S, said).end()
    machine.wait_page(2 * START_S)
    assert version(machine) == "0.1.1"
    assert [name for name in entries(machine) if name.startswith("dreamstack-nuc_0.1.2+0-3")], entries(machine)
    assert values(ask(machine)) == [4]


def test_a_factory_reset_leaves_nothing(machine: Machine) -> None:
    before = machine.key()
    machine.run("/usr/lib/dreamstack/factory-reset --yes")
    machine.wait_no_page(START_S)
    machine.wait_page(FIRST_S)
    assert machine.key() != before
    with machine.client() as client:
        assert client.get("/rest/boats").status_code == 404
