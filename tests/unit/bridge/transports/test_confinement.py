from __future__ import annotations

import platform
import socket
import threading
from collections.abc import Callable

import pytest

from appliance.bridge.transports.confinement import run_confined
from appliance.errors import ApplianceError


def opens(family: int, kind: int, protocol: int) -> Callable[[], None]:
    return lambda: socket.socket(family, kind, protocol).close()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_confined_thread_may_open_udp_by_name(family: int) -> None:
    run_confined(opens(family, socket.SOCK_DGRAM, socket.IPPROTO_UDP))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        (socket.SOCK_STREAM, 0),
        (socket.SOCK_STREAM, socket.IPPROTO_TCP),
        (socket.SOCK_DGRAM, 0),
        (socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0),
        (socket.SOCK_RAW, socket.IPPROTO_ICMP),
    ],
)
def test_a_confined_thread_may_open_nothing_else(family: int, kind: int, protocol: int) -> None:
    with pytest.raises(PermissionError):
        run_confined(opens(family, kind, protocol))


def test_sockets_that_stay_on_the_machine_are_left_alone() -> None:
    run_confined(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close())


def test_a_thread_started_by_a_confined_one_is_confined() -> None:
    refused: list[bool] = []

    def look_up() -> None:
        try:
            opens(socket.AF_INET, socket.SOCK_STREAM, 0)()
        except PermissionError:
            refused.append(True)

    def start_another() -> None:
        thread = threading.Thread(target=look_up)
        thread.start()
        thread.join()

    run_confined(start_another)
    assert refused == [True]


def test_other_threads_stay_as_they_are() -> None:
    run_confined(lambda: None)  # raises nothing, and neither does what it would have refused:
    opens(socket.AF_INET, socket.SOCK_STREAM, 0)()


def test_what_the_work_raises_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        run_confined(lambda: print(1 // 0))


def test_an_unknown_machine_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[bool] = []
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    with pytest.raises(ApplianceError) as told:
        run_confined(lambda: ran.append(True))
    assert told.value.code == "BRG413"
    assert ran == []
