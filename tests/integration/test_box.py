"""What a box does for whoever starts it: what it prints, where it listens, what it keeps private."""

from __future__ import annotations

import re
import stat
import time
from pathlib import Path

import httpx

from tests.box import PROCESSES, Box, processes_of

LISTEN = "0A"
MDNS_PORT = 5353


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    links = [entry.readlink().name for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]
    return {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", link))}


def listening(pids: list[int], table: str, *, states: set[str]) -> set[tuple[str, int]]:
    """Address (as the kernel writes it) and port of the sockets of these processes in one of the kernel's tables."""
    inodes = set().union(*(sockets_of(pid) for pid in pids))
    found = set()
    for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[9] in inodes and columns[3] in states:
            address, _, port = columns[1].partition(":")
            found.add((address, int(port, 16)))
    return found


def test_it_says_where_it_is(box: Box) -> None:
    told = box.log()
    assert f"Page   http://localhost:{box.port}/\n" in told
    assert f"Data   {box.data}\n" in told
    assert "Ctrl-C" in told
    until = time.monotonic() + 5
    while sum(line.startswith("██") for line in box.log().splitlines()) < 10:  # a QR code, written after the rest
        assert time.monotonic() < until, box.log()
        time.sleep(0.05)


def test_every_process_runs_and_is_told(box: Box) -> None:
    assert set(box.pids()) == set(PROCESSES)
    assert set(box.pids().values()) <= set(processes_of(box.data))
    assert box.told()["url"] == box.url
    for name in PROCESSES:
        assert re.search(rf"started  process={name} pid=\d+", box.log())


def test_log_is_one_line_per_event(box: Box) -> None:
    events = [line for line in box.log().splitlines() if "process=" in line or "asked" in line]
    assert all(re.match(r"\d\d:\d\d:\d\d \w+ +\S", line) for line in events)
    assert "Traceback" not in box.log()
    assert "error:" not in box.log()


def test_it_listens_on_this_machine_only(box: Box) -> None:
    pids = list(processes_of(box.data))
    tcp = listening(pids, "tcp", states={LISTEN})
    assert box.port in {port for _, port in tcp}
    assert {address for address, _ in tcp} == {"0100007F"}
    assert listening(pids, "tcp6", states={LISTEN}) == set()
    udp = listening(pids, "udp", states={"07"})
    assert {address for address, port in udp if port != MDNS_PORT} == {"0100007F"}, "the Iroh endpoint"
    udp6 = listening(pids, "udp6", states={"07"})
    assert {address for address, _ in udp6} <= {"00000000000000000000000001000000"}


def test_secrets_are_the_owners_alone(box: Box) -> None:
    keys = box.data / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    names = {file.name for file in keys.iterdir()}
    assert {"wall.key", "staff.key", "admin.key", "iroh.key", "postgres.json"} <= names
    for file in keys.iterdir():
        assert file.name == "iroh.port" or stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    for key in (box.key(role) for role in ("wall", "staff", "admin")):
        assert len(key) == 32
        assert key not in box.log()
        assert not [words for words in processes_of(box.data).values() if key in words]


def test_parts_behind_the_door_ask_for_the_boxs_own_bearer(box: Box) -> None:
    pids = list(processes_of(box.data))
    ports = {port for _, port in listening(pids, "tcp", states={LISTEN})} - {box.port}
    assert len(ports) == 4
    for port in ports:
        answer = httpx.get(f"http://127.0.0.1:{port}/catalog", params={"role": "admin"}, trust_env=False)
        assert answer.status_code in (401, 403), "PostgREST knows no role without a token, the others no caller"
        assert set(answer.json()) == {"code", "message", "details", "hint"}
