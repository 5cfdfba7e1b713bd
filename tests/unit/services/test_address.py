"""The machine's own address, with and without a way out of the network. Each in a network of its own."""

import subprocess
import sys

import pytest

from tests.box import ROOT

PROGRAM = "from appliance.services.address import own_address; print(own_address())"


def seen(*commands: str) -> str:
    """What the function says in a network that the commands made."""
    script = " && ".join(["ip link set lo up", *commands, f'"{sys.executable}" -c "{PROGRAM}"'])
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CABLE = ("ip link add cable type veth peer name other", "ip link set cable up", "ip link set other up")


@pytest.mark.parametrize(
    ("commands", "address"),
    [
        ((), "127.0.0.1"),
        ((*CABLE, "ip addr add 10.9.8.7/24 dev cable"), "10.9.8.7"),
        ((*CABLE, "ip addr add 10.9.8.7/24 dev cable", "ip route add default via 10.9.8.1"), "10.9.8.7"),
    ],
    ids=["no cable", "a network that leads nowhere", "a network that leads on"],
)
def test_the_address_others_reach_it_by(commands: tuple[str, ...], address: str) -> None:
    assert seen(*commands) == address
