"""The mesh on two networks: what happens, in order, and what is seen. Prints its findings as JSON lines.

    box ─── lan ─┬─ near                           its link is cut and mended, later its address changes
                 ├─ lossy                          5 % loss, 50 ms each way
                 └─ door ─── ward ─┬─ inner        takes from door, and relays
                                   ├─ sleeper      takes from inner; stopped for a while
                                   └─ finder       finds a relay by mDNS

Run in namespaces of its own: ``unshare -nm python -m tests.integration.mesh.scenario FOLDER ASLEEP_S``.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.bridge import passes
from appliance.bridge.identity import Identity, load_or_create
from tests.integration.mesh.box import KEY
from tests.integration.mesh.net import Net

PORT = "4433"
OLD, NEW = "10.77.1.1", "10.77.1.2"
NOWHERE = "10.77.9.9:4433"
PLACES = {"near": "lan", "lossy": "lan", "door": "lan", "inner": "ward", "sleeper": "ward", "finder": "ward"}
Told = dict[str, Any]


class Program:
    """A program on a machine that writes JSON lines."""

    def __init__(self, net: Net, machine: str, module: str, *arguments: str) -> None:
        self.lines: queue.Queue[Told] = queue.Queue()
        self.last: Told = {}
        command = [sys.executable, "-m", f"tests.integration.mesh.{module}", *arguments]
        self._running = net.start(machine, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._running.stdout is not None
        for line in self._running.stdout:
            self.last = json.loads(line)
            self.lines.put(self.last)

    def say(self, line: str) -> Told:
        """A line to its standard input, and what it answers."""
        assert self._running.stdin is not None
        self._running.stdin.write(f"{line}\n".encode())
        self._running.stdin.flush()
        return self.lines.get(timeout=10)

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it."""
        self._running.send_signal(number)
        self._running.wait(10)
        self._reader.join(10)
        for pipe in (self._running.stdin, self._running.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()


class World:
    """The box, the six screens and the networks between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.net = Net()
        self.began = time.monotonic()
        self.keys = {name: load_or_create(folder / name / "iroh.key") for name in ("box", *PLACES)}
        self.screens: dict[str, Program] = {}
        self._lay()
        self.box = self._start_box()

    def _lay(self) -> None:
        for switch in ("lan", "ward"):
            self.net.switch(switch)
        for name in ("box", *PLACES):
            self.net.machine(name)
        self.net.plug("box", "lan", OLD)
        self.net.plug("near", "lan", "10.77.1.11")
        self.net.plug_badly("lossy", "lan", "10.77.1.12", 0.05, 50)
        self.net.plug("door", "lan", "10.77.1.20")
        for number, name in enumerate(("door", "inner", "sleeper", "finder")):
            self.net.plug(name, "ward", f"10.77.2.{20 + number}")

    def _start_box(self) -> Program:
        box = Program(self.net, "box", "box", str(self.folder / "box"), PORT)
        box.lines.get(timeout=20)
        return box

    def start(self, name: str) -> None:
        """Start a screen; those of the ward were let in by the box before they came there, so they have a pass."""
        box, near = self.keys["box"], PLACES[name] == "lan"
        via = {"inner": [self.ticket("door", "10.77.2.20")], "sleeper": [self.ticket("inner", "10.77.2.21")]}
        options = {
            "data": str(self.folder / name),
            "box": f"{box.endpoint_id}@{f'{OLD}:{PORT}' if near else NOWHERE}",
            "credential": KEY if near else "",
            "relay": name in ("door", "inner"),
            "listen": f"0.0.0.0:{PORT}",
            "via": via.get(name, []),
        }
        if not near and not (self.folder / name / "pass").exists():
            given = passes.issue(box, self.keys[name].endpoint_id, role="wall", name=name)
            (self.folder / name / "pass").write_text(given)
        self.screens[name] = Program(self.net, name, "screen", json.dumps(options))

    def ticket(self, name: str, address: str) -> str:
        """The ticket of a screen that relays."""
        return f"{self.keys[name].endpoint_id}@{address}:{PORT}"

    def until(self, what: str, met: Callable[[], bool], timeout_s: float) -> float:
        """Wait until something is so; returns the seconds it took."""
        began = time.monotonic()
        while not met():
            if time.monotonic() - began > timeout_s:
                raise TimeoutError(f"not within {timeout_s} s: {what}: {json.dumps(self.seen(), indent=1)}")
            time.sleep(0.02)
        return round(time.monotonic() - began, 2)

    def seen(self) -> dict[str, Told]:
        """What each screen shows now."""
        return {name: screen.last for name, screen in self.screens.items()}

    def converge(self, step: str, timeout_s: float = 30) -> Told:
        """Write for a second, hold, and wait until every screen is live at the box's version; then go on writing."""
        time.sleep(1)
        box = self.box.say("hold")

        def are_there() -> bool:
            return all(
                (t.get("state"), t.get("e"), t.get("v")) == ("live", box["e"], box["v"]) for t in self.seen().values()
            )

        took = self.until(f"{step}: all at {box['e']} {box['v']}", are_there, timeout_s)
        hashes = sorted({told["hash"] for told in self.seen().values()})
        via = {name: self._named(told["via"]) for name, told in self.seen().items()}
        self.box.say("go")
        return self.tell(step, converged_s=took, e=box["e"], v=box["v"], pictures=len(hashes), via=via)

    def _named(self, endpoint_id: str | None) -> str:
        return next((name for name, key in self.keys.items() if key.endpoint_id == endpoint_id), "box")

    def tell(self, step: str, **values: Any) -> Told:
        """Print a finding."""
        told = {"step": step, "at_s": round(time.monotonic() - self.began, 1), **values}
        print(json.dumps(told), flush=True)
        return told

    def bytes(self) -> dict[str, list[int]]:
        """Bytes received and sent so far, per link."""
        links = [("box", "lan"), *PLACES.items(), ("door", "ward")]
        return {f"{machine}-{switch}": list(self.net.bytes_of(machine, switch)) for machine, switch in links}

    def close(self) -> None:
        """Stop everything."""
        for program in [*self.screens.values(), self.box]:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                program.end()
        self.net.close()


def join(world: World) -> None:
    """The screens come, each once the one it takes from is there."""
    for name in ("door", "near", "lossy"):
        world.start(name)
    world.until("the lan is live", lambda: _live(world, "door", "near", "lossy"), 20)
    for name in ("inner", "finder"):
        world.start(name)
    world.until("inner is live", lambda: _live(world, "inner"), 20)
    world.start("sleeper")
    took = world.until("the ward is live", lambda: _live(world, "finder", "sleeper"), 30)
    world.tell("joined", took_s=took)
    before = world.bytes()
    time.sleep(5)
    after = world.bytes()
    rate = {link: [(b - a) // 5 for a, b in zip(before[link], after[link], strict=True)] for link in after}
    world.tell("ten writes a second: bytes/s received, sent", **rate)
    world.converge("all joined")


def ask(world: World) -> None:
    """A question from the innermost screen reaches the box as that screen's own."""
    world.screens["sleeper"].send(signal.SIGUSR1)
    me = world.keys["sleeper"].endpoint_id[:16]
    took = world.until(
        "the question came", lambda: [me, "How many beds are free?"] in world.box.say("look")["asked"], 10
    )
    world.tell("asked over two relays", took_s=took)


def cut_and_sleep(world: World, asleep_s: float) -> None:
    """One link is cut, one screen sleeps, the box writes on."""
    world.net.cut("near", "lan")
    world.screens["sleeper"].send(signal.SIGSTOP)
    world.until("near notices", lambda: world.screens["near"].last["state"] == "away", 15)
    time.sleep(asleep_s)
    age = world.screens["near"].last["age"]
    world.net.mend("near", "lan")
    world.screens["sleeper"].send(signal.SIGCONT)
    world.tell("cut and asleep", seconds=asleep_s, age_of_the_cut_one_s=round(age, 1))
    world.converge("after the cut and the sleep")


def box_restarts(world: World) -> None:
    """The box is killed; the ward keeps its picture, also for one that comes only now; the box comes back."""
    held = world.box.say("hold")
    world.until("all have it", lambda: all(t["v"] == held["v"] for t in world.seen().values()), 20)
    world.box.end()
    names = list(world.screens)
    noticed = world.until("all notice", lambda: all(world.screens[n].last["state"] == "away" for n in names), 25)
    world.screens["sleeper"].end()
    (world.folder / "sleeper" / "held.json").unlink(missing_ok=True)
    world.start("sleeper")
    came = world.until("a newcomer has the picture", lambda: world.screens["sleeper"].last.get("v") == held["v"], 20)
    kept = {name: [t["state"], t["v"] == held["v"], round(t["age"], 1)] for name, t in world.seen().items()}
    world.tell("box away", noticed_s=noticed, newcomer_s=came, kept=kept)
    world.box = world._start_box()
    world.converge("after the box came back", 40)


def addresses_change(world: World) -> None:
    """The box gets another address, then a screen does."""
    world.net.move("box", "lan", OLD, NEW)
    world.converge("after the box's address changed", 60)
    world.net.move("near", "lan", "10.77.1.11", "10.77.1.31")
    world.converge("after a screen's address changed", 40)
    world.net.move("door", "ward", "10.77.2.20", "10.77.2.40")
    world.converge("after a relay's address changed", 60)


def _live(world: World, *names: str) -> bool:
    return all(world.screens[name].last.get("state") == "live" for name in names)


def main(folder: Path, asleep_s: float) -> None:
    """All of it."""
    world = World(folder)
    try:
        join(world)
        ask(world)
        cut_and_sleep(world, asleep_s)
        box_restarts(world)
        addresses_change(world)
        world.tell("bytes received, sent", **world.bytes())
    finally:
        world.close()


__all__ = ["Identity", "World", "main"]

if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main(Path(sys.argv[1]), float(sys.argv[2]))
