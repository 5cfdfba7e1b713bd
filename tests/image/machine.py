"""A whole machine in QEMU that starts a disk as a customer's would: UEFI, the shipped system, nothing of ours in it.

Power comes and goes with its process. What the tests ask of the inside goes through a shell on a second serial line,
which the machine's firmware brings (an SMBIOS credential): the image itself lets nobody in.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image

from tests.box import free_port

FIRMWARE: Final = Path("/usr/share/OVMF")
MEMORY_MB: Final = 2560
SLOW: Final = float(os.environ.get("IMAGE_TEST_SLOW", "1"))
"""How many times longer than on two idle cores everything may take."""
ACCELERATOR: Final = "tcg,thread=multi,tb-size=256"
PROCESSOR: Final = "max,-erms,-fsrm"
EMULATED: Final = "init_on_alloc=0 norandmaps systemd.setenv=NPY_DISABLE_CPU_FEATURES=X86_V3"
"""Where code was, QEMU 7.2 writes zeros 40 microseconds a step: so steps of 8 bytes, and none where a file is read.
It translates a program anew at each address: so all processes have it at the same. And it gathers with AVX2 from wrong
addresses, so that what NumPy sorts is not sorted, or the program ends: so NumPy does without."""
SHELL_UNIT: Final = """\
[Unit]
Description=A shell for tests
DefaultDependencies=no
After=basic.target
[Service]
ExecStart=/bin/sh
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin PS1= HOME=/run
Restart=always
"""
PATIENCE_S: Final = 240.0
SETTINGS: Final = f"[Service]\nEnvironment=DREAMSTACK_ANSWER_TIMEOUT_S={PATIENCE_S}\n"
"""A processor that is emulated may need longer for a question than people wait."""
WANTED: Final = "[Unit]\nWants=test-shell.service\n"


class Machine:
    """One machine: its disk, its power, its serial line, its network port.

    Attributes:
        url: where its page is, from this machine.
    """

    def __init__(self, folder: Path, disk: Path, log: Path, size: str = "12G") -> None:
        self.folder, self.log = folder, log
        self.disk = folder / "disk.raw"
        _copied(disk, self.disk)
        subprocess.run(["truncate", "--size", size, self.disk], check=True)
        shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", folder / "vars.fd")
        self.sticks: list[Path] = []
        self.words = ""
        self.port, self.plain_port = free_port(), free_port()
        self.url, self.plain = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.plain_port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def on(self) -> None:
        """Press the power button."""
        for name in ("shell", "monitor"):
            (self.folder / name).unlink(missing_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with (self.folder / "qemu.log").open("ab") as out:
            self._process = subprocess.Popen(self._command(), stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.started = time.monotonic()

    def cut(self) -> None:
        """Pull the plug."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def wait_off(self, seconds: float) -> None:
        """Wait until it has switched itself off."""
        assert self._process is not None
        self._process.wait(seconds)
        self._process = None

    def health(self) -> httpx.Response | None:
        """What the door says of itself; None when nobody answers."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", verify=False, trust_env=False, timeout=10)  # noqa: S501
        return None

    def wait_page(self, seconds: float) -> float:
        """Wait until the box says that all is well; returns the seconds since power came."""
        until = time.monotonic() + seconds * SLOW
        while time.monotonic() < until:
            answer = self.health()
            if answer is not None and answer.status_code == 200:
                return time.monotonic() - self.started
            self._check_power()
            time.sleep(1)
        raise AssertionError(f"no page within {seconds:.0f} s; the end of {self.log}:\n{self.serial()[-3000:]}")

    def wait_no_page(self, seconds: float) -> None:
        """Wait until nobody answers: what was told to start again goes down first."""
        until = time.monotonic() + seconds * SLOW
        while self.health() is not None:
            assert time.monotonic() < until, f"still there after {seconds:.0f} s:\n{self.serial()[-3000:]}"
            time.sleep(0.2)

    def wait_serial(self, pattern: str, seconds: float, after: int = 0) -> re.Match[str]:
        """Wait until the serial line has said something."""
        until = time.monotonic() + seconds * SLOW
        while time.monotonic() < until:
            if found := re.compile(pattern).search(self.serial(), after):
                return found
            self._check_power()
            time.sleep(0.5)
        raise AssertionError(f"{pattern!r} was not said within {seconds:.0f} s:\n{self.serial()[-3000:]}")

    def serial(self) -> str:
        """All that the serial line said so far, without colours."""
        if not self.log.exists():
            return ""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.log.read_text(encoding="utf-8", errors="replace"))

    def run(self, command: str, seconds: float = 120) -> str:
        """Run a command inside, as root; its output.

        Raises:
            AssertionError: it failed, or took longer.
        """
        with self._shell(seconds) as line:
            mark = f"end-{os.urandom(4).hex()}"
            line.sendall(f"stty -echo; ( {command} ) </dev/null 2>&1; echo {mark[:4]}''{mark[4:]} $?\n".encode())
            said = b""
            until = time.monotonic() + seconds * SLOW
            while not (found := re.search(rf"(?s)^(.*?){mark} (\d+)\r?\n".encode(), said)):
                line.settimeout(max(0.1, until - time.monotonic()))
                try:
                    piece = line.recv(65536)
                except TimeoutError:
                    raise AssertionError(f"{command}: not done within {seconds:.0f} s: {said!r}") from None
                assert piece, f"{command}: the line was cut: {said!r}"
                said += piece
        output = found[1].decode(errors="replace").replace("\r", "")
        output = output.rpartition(f"echo {mark[:4]}''{mark[4:]} $?\n")[2]
        assert found[2] == b"0", f"{command}: status {found[2].decode()}: {output}"
        return output.strip()

    def start(self, command: str) -> None:
        """Begin a command inside and do not wait for it."""
        self.run(f"systemd-run --quiet --collect --unit=begun-{os.urandom(3).hex()} sh -c '{command}'")

    @contextlib.contextmanager
    def _shell(self, seconds: float) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds * SLOW)
            line.connect(str(self.folder / "shell"))
            yield line

    def wait_for(self, command: str, wanted: str, seconds: float) -> None:
        """Wait until a command inside says what is wanted."""
        until = time.monotonic() + seconds * SLOW
        while (said := self.run(f"{command} || true")) != wanted:
            assert time.monotonic() < until, f"{command} says {said!r} and not {wanted!r}"
            time.sleep(1)

    def restarted(self) -> None:
        """Restart from inside; returns once the old system has ended."""
        said = len(self.serial())
        self.start("sleep 1; systemctl reboot")
        self.wait_serial(r"reboot: Restarting system", 120, said)
        self.started = time.monotonic()

    def key(self) -> str:
        """The admin's key, as the attached display shows it."""
        return self.run("cat /var/lib/dreamstack/box/keys/admin.key")

    def client(self) -> httpx.Client:
        """A client of the box as its admin, which trusts the box's own authority and nobody else."""
        trust = ssl.create_default_context(cadata=self.run("cat /var/lib/dreamstack/box/keys/ca.crt"))
        headers = {"Authorization": f"Bearer {self.key()}"}
        return httpx.Client(base_url=self.url, headers=headers, verify=trust, trust_env=False, timeout=90 * SLOW)

    def plug(self, image: Path, name: str) -> None:
        """Plug in a stick."""
        self.monitor(f"drive_add 0 if=none,id={name},format=raw,file={image},readonly=on")
        self.monitor(f"device_add usb-storage,bus=usb.0,id={name},drive={name},serial={name}")

    def monitor(self, command: str) -> str:
        """Tell QEMU something, such as what is plugged in."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(30)
            line.connect(str(self.folder / "monitor"))
            told = b""
            while not told.endswith(b"(qemu) "):
                told += line.recv(65536)
            line.sendall(f"{command}\n".encode())
            told = b""
            while not told.endswith(b"(qemu) "):
                told += line.recv(65536)
        return told.decode(errors="replace")

    def picture(self, target: Path) -> None:
        """What the attached display shows, as a PNG."""
        raw = self.folder / "screen.ppm"
        self.monitor(f"screendump {raw}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(raw) as shown:
            shown.convert("L").quantize(8).save(target, optimize=True)

    def _check_power(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"the machine went off: {(self.folder / 'qemu.log').read_text()[-1000:]}")

    def _command(self) -> list[str]:
        words = f"console=ttyS0 systemd.show_status=1 {EMULATED} {self.words}"
        flash = f"if=pflash,format=raw,readonly=on,file={FIRMWARE / 'OVMF_CODE_4M.fd'}"
        command = ["qemu-system-x86_64", "-machine", "q35", "-accel", ACCELERATOR, "-cpu", PROCESSOR]
        command += ["-smp", os.environ.get("IMAGE_TEST_CPUS", "2")]
        command += ["-m", str(MEMORY_MB), "-display", "none", "-vga", "std", "-nodefaults", "-no-user-config"]
        command += ["-drive", flash, "-drive", f"if=pflash,format=raw,file={self.folder / 'vars.fd'}"]
        command += ["-drive", f"if=none,id=disk,format=raw,file={self.disk},discard=unmap"]
        command += ["-device", "virtio-blk-pci,drive=disk,bootindex=0", "-device", "virtio-rng-pci"]
        command += ["-netdev", f"user,id=net,restrict=on,{_forward(self.port, 443)},{_forward(self.plain_port, 80)}"]
        command += ["-device", "virtio-net-pci,netdev=net", "-device", "qemu-xhci,id=usb"]
        command += ["-chardev", f"file,id=log,path={self.log},append=on"]  # the log is of its whole life
        command += ["-serial", "chardev:log", "-serial", f"unix:{self.folder / 'shell'},server=on,wait=off"]
        command += ["-monitor", f"unix:{self.folder / 'monitor'},server=on,wait=off"]
        for number, image in enumerate(self.sticks):
            command += ["-drive", f"if=none,id=more{number},format=raw,readonly=on,file={image}"]
            command += ["-device", f"virtio-blk-pci,drive=more{number}"]
        command += ["-smbios", f"type=11,value=io.systemd.stub.kernel-cmdline-extra={words}"]
        for name, content in _credentials():
            coded = base64.b64encode(content.encode()).decode()
            command += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={coded}"]
        return command


def _credentials() -> list[tuple[str, str]]:
    return [
        ("systemd.extra-unit.test-shell.service", SHELL_UNIT),
        ("systemd.unit-dropin.multi-user.target", WANTED),
        ("systemd.unit-dropin.dreamstack-prepare.service", SETTINGS),
    ]


def _forward(ours: int, theirs: int) -> str:
    return f"hostfwd=tcp:127.0.0.1:{ours}-:{theirs}"


def _copied(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)


def stick(folder: Path, content: Path) -> Path:
    """A disk image with one file system on it, that holds one file: what a customer's USB stick is."""
    image = folder / f"{content.stem}.stick"
    files = folder / "stick"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    os.link(content, files / content.name)
    size = content.stat().st_size // (1 << 20) + 64
    subprocess.run(["truncate", "--size", f"{size}M", image], check=True)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", files, image], check=True, capture_output=True)
    return image


def json_of(answer: httpx.Response) -> Any:
    """The body, once it is known to be one."""
    assert answer.is_success, answer.text
    return answer.json()
