"""A bad wire: carries Ethernet frames between two interfaces, losing some and holding each for a while.

Run in a network namespace of its own that holds both ends: ``python wire.py IF1 IF2 LOSS DELAY_MS``. The kernel's
netem would do, but is a module that not every machine has; this needs packet sockets alone.
"""

from __future__ import annotations

import heapq
import random
import selectors
import socket
import sys
import time

ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4


def main(one: str, other: str, loss: float, delay_s: float) -> None:
    """Carry frames until killed."""
    ends = {name: _open(name) for name in (one, other)}
    across = {one: ends[other], other: ends[one]}
    chance = random.Random(5)
    waiting: list[tuple[float, int, str, bytes]] = []
    count = 0
    with selectors.DefaultSelector() as ready:
        for name, end in ends.items():
            ready.register(end, selectors.EVENT_READ, name)
        print("ready", flush=True)
        while True:
            pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            for key, _ in ready.select(pause):
                for frame in _frames(ends[key.data]):
                    count += 1
                    if chance.random() >= loss:
                        heapq.heappush(waiting, (time.monotonic() + delay_s, count, key.data, frame))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, came_by, frame = heapq.heappop(waiting)
                across[came_by].send(frame)


def _open(name: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.bind((name, 0))
    end.setblocking(False)
    return end


def _frames(end: socket.socket) -> list[bytes]:
    found: list[bytes] = []
    while True:
        try:
            frame, address = end.recvfrom(65_536)
        except BlockingIOError:
            return found
        if address[2] != PACKET_OUTGOING:  # what this end sends itself is heard as well
            found.append(frame)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]) / 1000)
