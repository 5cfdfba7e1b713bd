"""A whole box in a network of its own, where every packet that leaves is seen. Run inside a fresh network namespace.

    unshare --net -- python -m tests.integration.egress_box

Prints one line of JSON: what the watch saw of packets that were sent on purpose, and what it saw while a box started,
was asked, and was watched by a screen over WebSocket and by one over Iroh.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from appliance.bridge import FrameType, control, encode
from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import load_or_create
from appliance.bridge.transports.iroh import dial
from tests.box import Box, box_folder
from tests.receiver import joined

SETUP: Final = (
    "link set lo up",
    "link add out0 type veth peer name far0",
    "addr add 192.0.2.2/24 dev out0",
    "addr add 2001:db8::2/64 dev out0 nodad",
    "link set out0 up",
    "link set far0 up",
    "neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev out0 nud permanent",
    "neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev out0 nud permanent",
    "route add default via 192.0.2.1",
    "-6 route add default via 2001:db8::1",
)
"""A way out that leads to a gateway which takes every packet and does nothing with it."""
QUESTIONS: Final = ("How many beds are free?", "Free beds per ward", "Which patients are in Cardiology?")
WATCH_S: Final = 12.0
IPV4, IPV6, ICMPV6 = 0x0800, 0x86DD, 58
KERNEL_ICMPV6: Final = frozenset({130, 131, 132, 133, 134, 135, 136, 143})
"""What IPv6 itself says on every link that comes up: who is there, and which groups."""


class Watch:
    """Every packet that leaves by another interface than loopback."""

    def __init__(self) -> None:
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._tap.setblocking(False)

    def seen(self) -> list[str]:
        """What has left since the last look, as ``protocol>address``."""
        found: list[str] = []
        while True:
            try:
                raw, (interface, kind, direction, *_) = self._tap.recvfrom(65_536)
            except BlockingIOError:
                return found
            if interface != "lo" and direction == socket.PACKET_OUTGOING and (told := _told(kind, raw[14:])):
                found.append(told)


def _told(kind: int, packet: bytes) -> str:
    if kind == IPV4:
        return f"{packet[9]}>{socket.inet_ntoa(packet[16:20])}"
    if kind == IPV6:
        head = 40 + (8 if packet[6] == 0 else 0)  # a hop-by-hop header stands before group reports
        protocol = packet[40] if packet[6] == 0 else packet[6]
        if protocol == ICMPV6 and packet[head] in KERNEL_ICMPV6:
            return ""
        return f"{protocol}>{socket.inet_ntop(socket.AF_INET6, packet[24:40])}"
    return f"type {kind:#06x}"


def main() -> None:
    """Set the network up, see that the watch works, and watch a box."""
    for words in SETUP:
        subprocess.run(["ip", *words.split()], check=True)
    watch = Watch()
    on_purpose = {
        "ipv4": _sent(watch, socket.AF_INET, "203.0.113.9"),
        "ipv6": _sent(watch, socket.AF_INET6, "2001:db8:9::9"),
    }
    with box_folder() as folder:
        box = Box(folder)
        try:
            box.start()
            answered = asyncio.run(_use(box))
        finally:
            box.stop()
    print(json.dumps({"on_purpose": on_purpose, "answered": answered, "left": watch.seen()}))


def _sent(watch: Watch, family: int, address: str) -> list[str]:
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        out.sendto(b"?", (address, 53))
    time.sleep(0.1)
    return watch.seen()


async def _use(box: Box) -> int:
    """Ask, watch by WebSocket and by Iroh, and let it run; returns how many questions were answered."""
    answered = 0
    async with joined(box.url) as screen, httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=30) as client:
        agent = asyncio.create_task(_agent(*box.ticket().split("@")))
        for question in QUESTIONS:
            answer = await client.post("/api/ask", json={"question": question})
            answered += answer.status_code == 200
        await screen.answer_to(QUESTIONS[0])
        for path in ("/", "/health", "/api/screens"):
            await client.get(path)
        await asyncio.sleep(WATCH_S)
        await agent
    return answered


async def _agent(box: str, address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        identity = await asyncio.to_thread(load_or_create, Path(folder) / "key")
        road = await dial(identity, box, [address], 10, DEFAULT_LIMIT)
        await road.send(encode(control("hello", version=1, kind="wall")) + encode(control("subscribe", stream="main")))
        while True:
            frame = await road.receive()
            if frame.type == FrameType.CONTROL and frame.json()["type"] == "subscribed":
                break
        await road.close()


if __name__ == "__main__":
    main()
