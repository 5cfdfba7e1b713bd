"""A full disk: writes are refused in the one error shape, the rows stay, and with room again the box goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import HTTP_STATUS
from tests.containers.stack import Stack

OVERLAY = Path(__file__).with_name("disk.yaml")
FILL = "dd if=/dev/zero of=/disk/filler bs=1M 2>&1 | tail -1; df /disk | tail -1"
ROWS = [{"number": number, "text": "x" * 2000} for number in range(200)]


def test_a_full_disk_is_told_and_survived(images: None, folder: Path) -> None:
    with Stack(folder, OVERLAY) as stack:
        stack.run("up", "--detach", "holder")
        stack.start()
        stack.told("POST", "/flex/notes", [{"number": -1, "text": "before"}])
        holder = stack.container("holder")
        assert holder.exec_run(["sh", "-c", FILL]).exit_code == 0
        stored, refusals = 1, []
        for _ in range(30):
            answer = stack.request("POST", "/flex/notes", ROWS)
            if answer.is_success:
                stored += len(ROWS)
            else:
                refusals.append((answer.status_code, answer.json()))
            if len(refusals) == 3:
                break
        assert refusals, "the disk was not full"
        print(f"\n{stored} rows stored, then {[told['code'] for _, told in refusals]}")
        for status, told in refusals:
            assert set(told) == {"code", "message", "details", "hint"} and status == HTTP_STATUS[told["code"]], told
        assert refusals[0][1]["code"] == "PGF107", refusals[0]
        assert holder.exec_run(["rm", "/disk/filler"]).exit_code == 0
        print(f"well again {stack.wait_well(60):.1f} s after there was room")
        stack.told("POST", "/flex/notes", [{"number": -2, "text": "after"}])
        numbers = stack.rows("notes", "number")
        assert numbers.count(-1) == numbers.count(-2) == 1
        assert len(numbers) == stored + 1, "what was refused is not there, what was acknowledged is"


@pytest.mark.parametrize("name", ["disk.yaml", "clock.yaml"])
def test_overlays_change_nothing_but_what_they_say(name: str) -> None:
    text = Path(__file__).with_name(name).read_text()
    assert "ports" not in text and "cap_add" not in text
