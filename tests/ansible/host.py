"""A machine to provision: Debian 13 in a container, started by its own systemd, reached over SSH and nothing else.

with host(tmp_path) as machine:
    machine.run("systemctl is-system-running")
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.ansible import debian
from tests.ansible.playbook import ANSIBLE, PROGRAM, Told, run

IMAGE = "dreamstack-test-host"
MAY = ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "AUDIT_WRITE", "DAC_READ_SEARCH")
UP_S = 60


class Host:
    """A running machine.

    Attributes:
        name: of its container.
        folder: where its key and its inventory are.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.key = folder / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)

    @property
    def address(self) -> str:
        """Its address on the container engine's network."""
        found = json.loads(docker("inspect", self.name))[0]["NetworkSettings"]["Networks"]
        return str(next(iter(found.values()))["IPAddress"])

    def run(self, command: str) -> str:
        """Run a shell command as root over SSH; gives its output."""
        done = subprocess.run([*self._ssh(), command], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def play(self, settings: dict[str, Any], *words: str) -> Told:
        """Run the playbook on it."""
        told = settings | {
            "ansible_host": self.address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": " ".join(self._options()),
            "hardening_ssh": True,
            "hardening_ssh_keys": [self.key.with_suffix(".pub").read_text().strip()],
        }
        inventory = self.folder / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"machine": told}}}))
        return run([PROGRAM, "-i", inventory, ANSIBLE / "site.yml", *words])

    def wait_up(self) -> None:
        """Wait until one can log in and the system is up."""
        until, said = time.monotonic() + UP_S, ""
        while time.monotonic() < until:
            words = [*self._ssh(), "systemctl is-system-running --wait"]
            done = subprocess.run(words, capture_output=True, text=True, timeout=UP_S, check=False)
            said = done.stdout.strip() or done.stderr
            if said in ("running", "degraded"):
                return
            time.sleep(0.5)
        raise AssertionError(f"the machine did not come up: {said}\n{docker('logs', self.name)[-3000:]}")

    def restart(self) -> None:
        """Stop it as a machine stops, and start it again."""
        docker("restart", "--timeout=60", self.name)
        self.wait_up()

    def _options(self) -> list[str]:
        # Each test has a machine with a key of its own at an address that was another's before.
        return ["-o StrictHostKeyChecking=no", "-o UserKnownHostsFile=/dev/null", "-o LogLevel=ERROR"]

    def _ssh(self) -> list[str]:
        options = [word for option in self._options() for word in option.split(" ", 1)]
        return ["ssh", "-i", str(self.key), *options, "-o", "ConnectTimeout=5", f"root@{self.address}"]


def docker(*words: str) -> str:
    """Run the container engine's command; gives its output."""
    assert shutil.which("docker"), "Docker is missing: apt-get install docker.io"
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout + done.stderr if words[0] == "logs" else done.stdout.strip()


def image() -> str:
    """Debian 13 with an SSH server, as an image; made when there is none from today's archive yet."""
    base = debian.base()
    made_from = hashlib.sha256(f"{base.name}{base.stat().st_mtime_ns}{_SERVER}".encode()).hexdigest()
    name = f"{IMAGE}:{made_from[:12]}"
    if not docker("images", "--quiet", name):
        docker("import", str(base), f"{IMAGE}:base")
        maker = docker("create", f"{IMAGE}:base", "sh", "-euc", _SERVER)
        try:
            docker("start", "--attach", maker)
            docker("commit", maker, name)
        finally:
            docker("rm", "--force", maker)
    return name


_SERVER = """
apt-get update -qq
apt-get install -qq --no-install-recommends openssh-server
mkdir -m 700 -p /root/.ssh
"""


@contextmanager
def host(folder: Path) -> Iterator[Host]:
    """A machine that was just installed: no part of a box is on it."""
    name = f"{IMAGE}-{folder.name}".lower().replace("_", "-")
    machine = Host(name, folder)
    options = [word for capability in MAY for word in ("--cap-add", capability)]
    for part in ("seccomp", "apparmor"):
        options += ["--security-opt", f"{part}=unconfined"]
    for place in ("/run", "/run/lock", "/tmp"):
        options += ["--tmpfs", place]
    options += ["--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--stop-signal", "SIGRTMIN+3"]
    # systemd 257 refuses a machine with the older control groups unless told.
    options += ["--env", "container=docker", "--env", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]
    docker("create", "--name", name, *options, image(), "/sbin/init")
    try:
        docker("cp", str(machine.key.with_suffix(".pub")), f"{name}:/root/.ssh/authorized_keys")
        docker("start", name)
        machine.wait_up()
        yield machine
    finally:
        docker("rm", "--force", "--volumes", name)
