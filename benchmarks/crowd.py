"""Many receivers in one process, as cheap as Python makes them: one epoll loop, a read, a split, a note.

    python -m benchmarks.crowd '{"wire": "nats", "port": 4222, "count": 1000}'

It says ``ready`` on stdout once all have subscribed, and after a line ``report N`` on stdin, as one line of JSON, when
each step arrived at the last of them; it waits up to five seconds for step N. A line ``forget`` starts anew. The same
code serves every wire, so that no server is measured with a slower crowd than another.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import time
from typing import Any, Final

import msgspec

from benchmarks.arrivals import Arrivals, Told
from benchmarks.wires import WIRES, Bitstream, Wire, step_of

ALIVE_S: Final = 2.0
PATIENCE_S: Final = 5.0
READ: Final = 65_536


class Order(msgspec.Struct, frozen=True):
    """What to do.

    Attributes:
        wire: a name of :data:`benchmarks.wires.WIRES`.
        port: of 127.0.0.1.
        count: receivers.
        token: the bearer, for the bridge.
        path: of the WebSocket.
        deaf: never read once subscribed; only say that they are there.
    """

    wire: str
    port: int
    count: int
    token: str = ""
    path: str = "/ws"
    deaf: bool = False

    def speak(self) -> Wire:
        """The wire."""
        return Bitstream(self.path) if self.wire == "bridge" else WIRES[self.wire]()


def open_road(wire: Wire, port: int, token: str, *, source: bool = False) -> tuple[socket.socket, bytearray]:
    """A connection that is greeted and, where it is a receiver, subscribed; and what was read too much.

    Raises:
        ConnectionError: the server did not say what it should.
    """
    road = socket.create_connection(("127.0.0.1", port), timeout=30)
    road.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rest = bytearray()
    for said, wanted in wire.greeting(f"127.0.0.1:{port}", token, source=source):
        road.sendall(said)
        _await(road, wire, rest, wanted)
    return road, rest


def _await(road: socket.socket, wire: Wire, rest: bytearray, wanted: str) -> None:
    seen = []
    while True:
        for kind, raw in wire.split(rest):
            if kind == wanted:
                return
            seen.append(kind)
            if kind in ("refused", "closed", "error", "-ERR"):
                raise ConnectionError(f"{wire.name}: {kind} {raw[:200]!r} instead of {wanted}")
        piece = road.recv(READ)
        if not piece:
            raise ConnectionError(f"{wire.name}: closed after {seen} instead of {wanted}")
        rest += piece


class Crowd:
    """The receivers."""

    def __init__(self, order: Order) -> None:
        self._order, self._wire = order, order.speak()
        opened = [open_road(self._wire, order.port, order.token) for _ in range(order.count)]
        self._roads = [road for road, _ in opened]
        self._rests = [rest for _, rest in opened]
        self._which = {road.fileno(): index for index, road in enumerate(self._roads)}
        self._arrivals = Arrivals(order.count)
        self._poll = select.epoll()
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)
        for road in self._roads:
            road.setblocking(False)
            if not order.deaf:
                self._poll.register(road.fileno(), select.EPOLLIN)
        self._turn, self._next = 0, time.monotonic()

    def run(self) -> None:
        """Receive until stdin ends."""
        while True:
            for number, _ in self._poll.poll(0.02, 256):
                if number == sys.stdin.fileno():
                    line = sys.stdin.readline()
                    if not line:
                        return
                    self._do(line.split())
                else:
                    self._read(self._which[number])
            self._show_alive()

    def _do(self, words: list[str]) -> None:
        if words == ["forget"]:
            self._arrivals = Arrivals(len(self._roads))
            say({"forgotten": True})
        elif words[0] == "report":
            say(self._report(int(words[1])))

    def _report(self, final: int) -> Told:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not self._arrivals.all_have(final):
            for number, _ in self._poll.poll(0.02, 256):
                if number != sys.stdin.fileno():
                    self._read(self._which[number])
            self._show_alive()
        arrivals = self._arrivals
        return Told(arrivals.complete(), arrivals.units, arrivals.skipped, arrivals.lacking(final), time.process_time())

    def _read(self, index: int) -> None:
        try:
            piece = self._roads[index].recv(READ)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._poll.unregister(self._roads[index].fileno())
            return
        at = time.monotonic_ns()
        rest = self._rests[index]
        rest += piece
        for unit in self._wire.split(rest):
            if unit[0] == "news":
                step = step_of(unit[1])
                if step > 0:
                    self._arrivals.got(index, step, at)
            elif said := self._wire.answer(unit):
                self._roads[index].send(said)

    def _show_alive(self) -> None:
        """Each receiver says so every two seconds, one after another and not all at once."""
        said = self._wire.alive()
        now = time.monotonic()
        while said and self._next <= now:
            self._next += ALIVE_S / len(self._roads)
            with contextlib.suppress(OSError):
                self._roads[self._turn].send(said)
            self._turn = (self._turn + 1) % len(self._roads)


def say(what: Any) -> None:
    """One line of JSON."""
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the one argument says."""
    crowd = Crowd(msgspec.json.decode(sys.argv[1], type=Order))
    say({"ready": True})
    crowd.run()


if __name__ == "__main__":
    main()
