"""Networks of a test, made of network namespaces: machines, switches between them, and links that can be cut.

Everything is inside the namespace the caller is in, and gone when that is. Needs CAP_NET_ADMIN there.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17
WIRE = Path(__file__).with_name("wire.py")


def sh(command: str) -> str:
    """Run a command; an error says what it said."""
    done = subprocess.run(command.split(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr.strip() or done.returncode}")
    return done.stdout


class Net:
    """Machines by name, each in its own namespace."""

    def __init__(self) -> None:
        sh("mount -t tmpfs none /run")
        Path("/run/netns").mkdir()
        sh("ip link set lo up")
        self._wires: list[subprocess.Popen[bytes]] = []
        self._ports: dict[tuple[str, str], str] = {}

    def switch(self, name: str) -> None:
        """A switch."""
        sh(f"ip link add name {name} type bridge mcast_snooping 0")
        sh(f"ip link set {name} up")

    def machine(self, name: str) -> None:
        """A machine with nothing but loopback."""
        sh(f"ip netns add {name}")
        sh(f"ip -n {name} link set lo up")

    def plug(self, machine: str, switch: str, address: str) -> None:
        """A link from a machine to a switch; the machine's end is called as the switch."""
        port = f"{machine}-{switch}"
        sh(f"ip link add name {port} type veth peer name {switch} netns {machine}")
        self._finish(machine, switch, port, address)

    def plug_badly(self, machine: str, switch: str, address: str, loss: float, delay_ms: float) -> None:
        """As :meth:`plug`, over a wire that loses frames and holds each for a while, both ways."""
        middle, port = f"{machine}wire", f"{machine}-{switch}"
        self.machine(middle)
        sh(f"ip link add name w1 netns {middle} type veth peer name {switch} netns {machine}")
        sh(f"ip link add name {port} type veth peer name w2 netns {middle}")
        for end in ("w1", "w2"):
            sh(f"ip -n {middle} link set {end} up")
        self._finish(machine, switch, port, address)
        # A packet socket would carry half-made checksums: have the kernel finish them before the wire.
        sh(f"ip netns exec {machine} {sys.executable} {__file__} {switch}")
        whole_checksums(port)
        wire = [sys.executable, str(WIRE), "w1", "w2", str(loss), str(delay_ms)]
        running = self.start(middle, wire, stdout=subprocess.PIPE)
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        self._wires.append(running)

    def _finish(self, machine: str, switch: str, port: str, address: str) -> None:
        sh(f"ip link set {port} master {switch} up")
        sh(f"ip -n {machine} addr add {address}/24 dev {switch}")
        sh(f"ip -n {machine} link set {switch} up")
        self._ports[machine, switch] = port

    def cut(self, machine: str, switch: str) -> None:
        """Cut a link so that neither end is told."""
        sh(f"ip link set {self._ports[machine, switch]} nomaster")

    def mend(self, machine: str, switch: str) -> None:
        """Mend what was cut."""
        sh(f"ip link set {self._ports[machine, switch]} master {switch}")

    def move(self, machine: str, switch: str, old: str, new: str) -> None:
        """Give a machine another address in place of the one it had."""
        sh(f"ip -n {machine} addr del {old}/24 dev {switch}")  # first: the new one would hang on it, and go with it
        sh(f"ip -n {machine} addr add {new}/24 dev {switch}")

    def start(self, machine: str, command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        """Start a program on a machine."""
        return subprocess.Popen(["ip", "netns", "exec", machine, *command], **more)

    def bytes_of(self, machine: str, switch: str) -> tuple[int, int]:
        """Bytes a machine's end of a link has received and sent."""
        (told,) = json.loads(sh(f"ip -n {machine} -s -j link show dev {switch}"))
        return told["stats64"]["rx"]["bytes"], told["stats64"]["tx"]["bytes"]

    def close(self) -> None:
        """Stop the wires."""
        for wire in self._wires:
            wire.kill()
            wire.wait()
            assert wire.stdout is not None
            wire.stdout.close()


def whole_checksums(interface: str) -> None:
    """Turn checksum offload of an interface off."""
    wish = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0), 8)
    request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(wish))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, request)


if __name__ == "__main__":
    whole_checksums(sys.argv[1])
