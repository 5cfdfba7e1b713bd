"""``appliance replay``: what was recorded, a past moment, replaying it, and forking it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.table import Table

from appliance.bridge.moments import moment
from appliance.bridge.recorder import now_ms
from appliance.bridge.segments import Record, unpack, unreadable, walk
from appliance.errors import ApplianceError, from_shape
from appliance.screen.replay import Pace, print_state, replay, terminal, when
from appliance.screen.trust import as_fault, verified

__all__ = ["Replay", "run_replay"]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay; see ``appliance replay --help``."""

    url: str
    key: str
    ca: str = ""
    role: str | None = None
    stream: str = "main"
    at: str = ""
    begin: str = ""
    end: str = ""
    speed: str = "1"
    step: bool = False
    fork: str = ""
    file: str = ""


def run_replay(asked: Replay) -> int:
    """Do it; returns the exit status.

    Raises:
        ApplianceError: SCR501, no box answers; BRG466 and BRG410, a time or speed that cannot be; what the box says.
    """
    console = terminal()
    pace = Pace(_speed(asked.speed), sys.stdin if asked.step else None)
    if asked.file:
        replay(_of_file(Path(asked.file)), pace, console)
    elif asked.fork:
        _fork(asked, console)
    elif asked.at:
        told = _told(asked, "GET", f"/api/recordings/{asked.stream}/at", params={"t": _ms(asked.at)})
        print_state(told, console)
    elif asked.begin or asked.end:
        with _frames(asked) as records:
            replay(records, pace, console)
    else:
        _list(asked, console)
    return 0


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise ApplianceError("BRG410", "The past cannot be shown at this speed.", text, "Such as 1, 10 or max.")
    return speed


def _ms(text: str) -> str:
    """A time of this machine, as the box may be in another zone."""
    return str(moment(text, now_ms()))


def _of_file(path: Path) -> Iterator[Record]:
    try:
        with path.open("rb") as file:
            yield from walk(file)
    except OSError as error:
        raise unreadable(path, error) from None


def _fork(asked: Replay, console: Console) -> None:
    if not asked.at:
        raise ApplianceError("BRG466", "A fork begins at a time.", None, "Name it: --at 14:05 --fork NAME")
    body = {"t": int(_ms(asked.at)), "name": asked.fork}
    told = _told(asked, "POST", f"/api/recordings/{asked.stream}/fork", json=body)
    console.print(f"The stream {told['name']} goes on from {when(told['t'])} with {told['signals']} signals.")


def _list(asked: Replay, console: Console) -> None:
    told = _told(asked, "GET", "/api/recordings")
    if not told["recordings"]:
        console.print("Nothing is recorded yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold dim")
    for name in ("stream", "as seen by", "from", "to", "MB"):
        table.add_column(name, justify="right" if name == "MB" else "left")
    for each in told["recordings"]:
        size = f"{each['bytes'] / 1e6:,.1f}"
        table.add_row(each["stream"], each["role"], when(each["first"]), when(each["last"]), size)
    console.print(table)
    for fork in told["forks"]:
        console.print(f"fork {fork['name']}: {fork['stream']} from {when(fork['t'])} on")


@contextmanager
def _frames(asked: Replay) -> Iterator[Iterator[Record]]:
    params = {"from": _ms(asked.begin or "10m"), "to": _ms(asked.end or "now")}
    path = f"/api/recordings/{asked.stream}/frames"
    with _client(asked) as client, _faults(asked), client.stream("GET", path, params=params) as answer:
        if answer.status_code != 200:
            raise from_shape(_json(answer.read()), "SCR501")
        yield unpack(answer.iter_bytes())


def _told(asked: Replay, method: str, path: str, **more: Any) -> dict[str, Any]:
    with _client(asked) as client, _faults(asked):
        answer = client.request(method, path, **more)
    told = _json(answer.content)
    if answer.is_success and isinstance(told, dict):
        return told
    raise from_shape(told, "SCR501")


def _client(asked: Replay) -> httpx.Client:
    headers = {"Authorization": f"Bearer {asked.key.strip()}"} if asked.key else {}
    if asked.role:
        headers["X-Role"] = asked.role
    return httpx.Client(base_url=asked.url, headers=headers, timeout=30, trust_env=False, verify=verified(asked.ca))


@contextmanager
def _faults(asked: Replay) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise as_fault(asked.url, error) or ApplianceError(
            "SCR501",
            "The box does not answer.",
            f"{asked.url}: {error}",
            "Is `appliance up` running? Else name it: --url http://...",
        ) from None


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None
