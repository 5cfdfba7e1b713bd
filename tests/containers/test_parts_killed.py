"""Any part may be killed at any time: Docker starts it again, and the box goes on where it was."""

from __future__ import annotations

import itertools
import threading
import time

import httpx
import pytest

from tests.containers.stack import PARTS, Stack

QUESTION = "How many beds are free in cardiology?"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_was_killed_comes_back(stack: Stack, part: str) -> None:
    before = stack.ask(QUESTION)["rows"]
    began = time.monotonic()
    stack.kill(part)
    stack.wait_well(60)
    print(f"\n{part}: well again {time.monotonic() - began:.1f} s after kill -9")
    assert stack.ask(QUESTION)["rows"] == before


class Writer(threading.Thread):
    """Writes one row after the other; remembers which were acknowledged, and how the others were refused."""

    def __init__(self, stack: Stack, numbers: itertools.count[int], stop: threading.Event) -> None:
        super().__init__()
        self._stack, self._numbers, self._stop_it = stack, numbers, stop
        self.acknowledged: list[int] = []
        self.refused: list[tuple[int, str]] = []

    def run(self) -> None:
        """Until told to stop."""
        while not self._stop_it.is_set():
            number = next(self._numbers)
            try:
                answer = self._stack.request("POST", "/flex/load", [{"number": number}])
            except httpx.HTTPError as error:
                self.refused.append((0, repr(error)))
                continue
            if answer.is_success:
                self.acknowledged.append(number)
            else:
                self.refused.append((answer.status_code, answer.json()["code"]))
                time.sleep(0.1)


def test_postgresql_restarts_under_writers_and_nothing_acknowledged_is_lost(stack: Stack) -> None:
    numbers, stop = itertools.count(1), threading.Event()
    stack.told("POST", "/flex/load", [{"number": 0}])
    writers = [Writer(stack, numbers, stop) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        time.sleep(1)
        stack.kill("postgres")
        stack.wait_well(60)
        time.sleep(1)
        stack.container("postgres").restart(timeout=20)
        stack.wait_well(60)
        time.sleep(1)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    acknowledged = [number for writer in writers for number in writer.acknowledged]
    refused = [told for writer in writers for told in writer.refused]
    stored = stack.rows("load", "number")
    print(f"\n{len(acknowledged)} acknowledged, {len(refused)} refused, {len(stored)} stored")
    assert len(acknowledged) > 20, "writers were not there when it happened"
    assert set(acknowledged) <= set(stored), "acknowledged and lost"
    assert len(stored) == len(set(stored)), "stored twice"
    assert {status for status, _ in refused} <= {0, 500, 502, 503, 504}, refused
