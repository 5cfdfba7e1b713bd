"""A live machine is provisioned over SSH, and is a box then: it answers, it mends itself, it keeps to the building."""

from __future__ import annotations

import json
import shutil
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ansible.host import Host, docker, host
from tests.ansible.playbook import ROOT, Told, what_changed

SETTINGS = {"dreamstack_settings": {"demo": "hospital", "demo_tick_s": 0, "box_name": "Ward 4"}}
QUESTION = "How many patients are in cardiology?"
WELL_S = 90
PARTS = ("postgrest", "pgflex", "llm", "bridge", "gateway")
OUTSIDE = "192.0.2.1"  # an address that is nobody's (RFC 5737)


class Box:
    """A provisioned machine."""

    def __init__(self, machine: Host, told: Told) -> None:
        self.machine, self.told = machine, told

    def client(self) -> httpx.Client:
        """A client that trusts the box's authority, and no other, with the staff's key."""
        authority = httpx.get(f"http://{self.machine.address}/ca.pem", trust_env=False).text
        key = self.machine.run("cat /var/lib/dreamstack/box/keys/staff.key").strip()
        return httpx.Client(
            base_url=f"https://{self.machine.address}",
            verify=ssl.create_default_context(cadata=authority),
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=60,
        )

    def ask(self) -> list[dict[str, Any]]:
        """The rows of the answer to :data:`QUESTION`."""
        with self.client() as client:
            answer = client.post("/api/ask", json={"question": QUESTION})
            assert answer.status_code == 200, answer.text
            return list(answer.json()["rows"])

    def wait_well(self) -> None:
        """Wait until all is well, as seen from outside."""
        until, said = time.monotonic() + WELL_S, "nothing"
        while time.monotonic() < until:
            try:
                with self.client() as client:
                    answer = client.get("/health", timeout=5)
                if answer.status_code == 200:
                    return
                said = answer.text
            except (httpx.HTTPError, AssertionError) as error:
                said = repr(error)
            time.sleep(1)
        raise AssertionError(said + self.machine.run("journalctl --no-pager -n 60 -u 'dreamstack*'"))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with host(tmp_path_factory.mktemp("host")) as machine:
        yield Box(machine, machine.play(SETTINGS))


def test_a_question_is_asked_over_https_and_answered(box: Box) -> None:
    assert box.ask()
    key = "DREAMSTACK_KEY=$(cat /var/lib/dreamstack/box/keys/staff.key)"
    assert "beds are free" in box.machine.run(f"{key} appliance ask 'How many beds are free?'")


def test_a_second_run_and_check_mode_change_nothing(box: Box) -> None:
    again = box.machine.play(SETTINGS)
    assert what_changed(again) == []
    checked = box.machine.play(SETTINGS, "--check")
    assert what_changed(checked) == []


def test_no_unit_of_the_machine_failed(box: Box) -> None:
    assert box.machine.run("systemctl --failed --no-legend") == ""


def test_each_part_runs_as_its_own_user(box: Box) -> None:
    for part in PARTS:
        process = box.machine.run(f"systemctl show --value --property=MainPID dreamstack-{part}").strip()
        assert box.machine.run(f"ps -o user:32= -p {process}").strip() == f"dreamstack-{part}"
    listening = box.machine.run("ss -Hltn | awk '{print $4}'").split()
    assert {place for place in listening if not place.startswith("127.0.0.1:")} == {
        "0.0.0.0:443",
        "0.0.0.0:80",
        "0.0.0.0:22",
        "[::]:22",
    }


def test_what_dies_comes_back(box: Box) -> None:
    for part in ("postgres", *PARTS):
        before = box.machine.run(f"systemctl show --value --property=MainPID dreamstack-{part}").strip()
        box.machine.run(f"kill -9 {before}")
        box.wait_well()
        assert box.machine.run(f"systemctl show --value --property=MainPID dreamstack-{part}").strip() not in (
            before,
            "0",
        )
    assert box.ask()


def test_nothing_leaves_the_building(box: Box) -> None:
    asks = "import socket; socket.create_connection(('{}', {}), 5)"
    for user in ("root", "dreamstack-llm"):
        done = box.machine.run(
            f'setpriv --reuid={user} --clear-groups python3 -c "{asks.format(OUTSIDE, 443)}" 2>&1 || true'
        )
        assert "Error" in done and "timed out" not in done, done
    assert box.machine.run(f'python3 -c "{asks.format("127.0.0.1", 7012)}"') == ""


def test_who_has_no_business_with_the_database_does_not_reach_it(box: Box) -> None:
    tries = "psql -h /run/postgresql -U postgres -c 'select 1' 2>&1 || true"
    assert "Permission denied" in box.machine.run(f"setpriv --reuid=dreamstack-gateway --clear-groups {tries}")
    as_another = f"setpriv --reuid=dreamstack-pgflex --regid=dreamstack-db --clear-groups {tries}"
    assert "Peer authentication failed" in box.machine.run(as_another)
    assert "1 row" in box.machine.run(tries)


def test_it_backs_itself_up_and_keeps_the_last(box: Box) -> None:
    folder = "/var/lib/dreamstack/backups"
    older = " ".join(f"{folder}/2020010{day}T000000Z.backup" for day in range(1, 9))
    box.machine.run(f"mkdir -p -m 700 {folder}; touch {older}")
    box.machine.run("systemctl start dreamstack-backup.service")
    kept = box.machine.run(f"ls {folder}").split()
    assert len(kept) == 7
    assert kept[0] == "20200103T000000Z.backup"
    assert "is whole: Ward 4" in box.machine.run(f"appliance restore --check {folder}/{kept[-1]}")


def test_it_comes_back_from_a_backup_while_the_database_runs(box: Box) -> None:
    before = box.ask()
    parts = " ".join(f"dreamstack-{part}" for part in PARTS)
    box.machine.run(f"systemctl stop dreamstack.target {parts}")
    box.machine.run("appliance restore --replace $(ls /var/lib/dreamstack/backups/*.backup | tail -1)")
    box.machine.run("systemctl start dreamstack.target")
    box.wait_well()
    assert box.ask() == before


def test_after_a_restart_of_the_machine_it_is_the_same_box(box: Box) -> None:
    before, identity = box.ask(), box.machine.run("sha256sum /var/lib/dreamstack/box/keys/*.key")
    box.machine.restart()
    box.wait_well()
    assert box.ask() == before
    assert box.machine.run("sha256sum /var/lib/dreamstack/box/keys/*.key") == identity


def test_a_setting_that_changes_restarts_what_has_to_know(box: Box) -> None:
    changed = {"dreamstack_settings": SETTINGS["dreamstack_settings"] | {"box_name": "Ward 5"}}
    told = box.machine.play(changed, "--tags", "base")
    assert what_changed(told) == ["base : What is deployed here is declared", "base : Prepare again"]
    box.wait_well()
    runtime = json.loads(box.machine.run("cat /run/dreamstack/gateway/runtime.json"))
    assert runtime["settings"]["box_name"] == "Ward 5"
    assert "dreamstack" in docker("exec", box.machine.name, "nft", "list", "tables")


def test_another_version_takes_the_place_of_the_one_that_runs(box: Box, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    shutil.copytree(ROOT / "build" / "wheelhouse" / "amd64", wheels)
    sums = wheels / "SHA256SUMS"
    sums.write_text("".join(reversed(sums.read_text().splitlines(keepends=True))))  # the same files, another version
    before = box.machine.run("readlink /opt/dreamstack/venv")
    box.machine.play(SETTINGS | {"dreamstack_wheelhouse": str(wheels)}, "--tags", "base")
    box.wait_well()
    after = box.machine.run("readlink /opt/dreamstack/venv")
    assert after != before
    assert box.machine.run("ls -d /opt/dreamstack/venv-*") == f"/opt/dreamstack/{after}"
    process = box.machine.run("systemctl show --value --property=MainPID dreamstack-gateway").strip()
    assert after.strip() in box.machine.run(f"tr '\\0' ' ' < /proc/{process}/cmdline")
    assert box.ask()
