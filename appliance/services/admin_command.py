"""``appliance admin``: screens, rooms and tickets from the shell. Needs the admin's key.

On the box's own machine the key is read from its data folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from appliance.config import default_data
from appliance.errors import ApplianceError
from appliance.services.admin import command

Ask = Callable[[argparse.Namespace, str, str, Any, str, float], dict[str, Any]]
ANSWER_S: Final = 15.0
LONG_S: Final = 120.0


def add_actions(parser: argparse.ArgumentParser, add_door: Callable[[argparse.ArgumentParser], None]) -> None:
    """What the command can do."""
    parser.set_defaults(action="screens", json=False)
    add_door(parser)
    parser.add_argument("--data", metavar="DIR", help="the box's data folder, where its admin key is")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action")
    address = actions.add_parser("address", help="where the box is, with the admin's key and codes for a camera")
    address.add_argument("--deployment", metavar="FILE", help="the TOML file of a box that systemd or containers run")
    listed = actions.add_parser("screens", help="list screens, those that wait, and rooms")
    listed.add_argument("--json", action="store_true", help="print it as JSON")
    approve = actions.add_parser("approve", help="let in the screen that shows a code")
    approve.add_argument("code", metavar="CODE")
    _add_place(approve, "wall")
    actions.add_parser("refuse", help="refuse the screen that shows a code").add_argument("code", metavar="CODE")
    change = actions.add_parser("change", help="rename or move a screen, or give it another role")
    change.add_argument("id", metavar="ID")
    _add_place(change, None)
    change.add_argument(
        "--surface", choices=("auto", "wall", "tablet", "phone", "watch", "text"), help="how it is laid out"
    )
    actions.add_parser("revoke", help="take a screen out; its connection ends at once").add_argument("id", metavar="ID")
    room = actions.add_parser("room", help="declare a room, or say what it is called")
    room.add_argument("room", metavar="ROOM")
    room.add_argument("label", metavar="LABEL")
    ticket = actions.add_parser("ticket", help="make a ticket that screens join with by themselves")
    ticket.add_argument("--room", default="", help="the room they show; the whole house when left out")
    ticket.add_argument("--role", default="wall", choices=("wall", "staff", "admin"))
    ticket.add_argument("--uses", type=int, default=1, help="for how many screens")
    ticket.add_argument("--days", type=float, default=30.0, help="how long it is good")
    command.add_words(actions)
    for action in actions.choices.values():
        if not any(known.dest == "json" for known in action._actions):
            action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print it as JSON")


def _add_place(parser: argparse.ArgumentParser, role: str | None) -> None:
    parser.add_argument("--name", help="what people call it")
    parser.add_argument("--room", help="the room it shows; empty is the whole house")
    parser.add_argument("--role", default=role, choices=("wall", "staff", "admin"), help="what it acts as")


def run(options: argparse.Namespace, ask: Ask) -> int:
    """Do what was asked; returns the exit status.

    Raises:
        ApplianceError: the box refuses, or does not answer.
    """
    if options.action in command.LOCAL:
        return command.run(options, _nothing)
    options.key = options.key or _own_key(options.data)
    if options.action in command.ACTIONS:
        return command.run(
            options, lambda method, path, body, wanted: ask(options, method, path, body, wanted, command_s(options))
        )
    console = Console(highlight=False)
    if options.action in ("screens", None):
        told = ask(options, "GET", "/api/screens", None, "screens", ANSWER_S)
        if options.json:
            console.out(json.dumps(told, indent=1))
        else:
            _show(console, told)
        return 0
    method, path, body, wanted = _request(options)
    answer = ask(options, method, path, body, wanted, ANSWER_S)
    console.print(Text(_said(options, answer)), soft_wrap=True)
    return 0


def _nothing(*_: Any) -> dict[str, Any]:
    return {}


def command_s(options: argparse.Namespace) -> float:
    """How long the box may take: what it mends takes longer."""
    return LONG_S if options.action in ("fix", "audit") else ANSWER_S


def _request(options: argparse.Namespace) -> tuple[str, str, Any, str]:
    """Method, path, body, and a key that the answer has."""
    place = {name: getattr(options, name, None) for name in ("name", "room", "role", "surface")}
    given = {name: value for name, value in place.items() if value is not None}
    match options.action:
        case "approve":
            return "POST", f"/api/screens/codes/{_code(options.code)}", given, "id"
        case "refuse":
            return "DELETE", f"/api/screens/codes/{_code(options.code)}", None, "refused"
        case "change":
            return "PATCH", f"/api/screens/{options.id}", given, "id"
        case "revoke":
            return "DELETE", f"/api/screens/{options.id}", None, "revoked"
        case "room":
            return "PUT", f"/api/rooms/{options.room}", {"label": options.label}, "label"
        case _:
            body = {"room": options.room, "role": options.role, "uses": options.uses, "days": options.days}
            return "POST", "/api/tickets", body, "ticket"


def _said(options: argparse.Namespace, answer: dict[str, Any]) -> str:
    match options.action:
        case "approve" | "change":
            where = f"in {answer['room']}" if answer["room"] else "for the whole house"
            return f"{answer['name']} ({answer['id']}) is a {answer['role']} screen {where}."
        case "refuse":
            return f"The screen with the code {answer['refused']} was sent away."
        case "revoke":
            return f"{answer['revoked']} is out."
        case "room":
            return f"The room {answer['name']} is called {answer['label']}."
        case _:
            return f"{answer['ticket']}"


def _show(console: Console, told: dict[str, Any]) -> None:
    for waits in told["waiting"]:
        who = f"{waits['kind'] or 'screen'} at {waits['address'] or 'an unknown address'}"
        console.print(Text(f"waits  {waits['code']}  {who}, for {waits['expires_s']} s more"))
    table = Table("id", "name", "room", "role", "kind", "here", box=None, pad_edge=False)
    for screen in told["screens"]:
        here = "now" if screen["live"] else "away"
        table.add_row(*(Text(str(screen[name])) for name in ("id", "name", "room", "role", "kind")), here)
    console.print(table if told["screens"] else "No screen has joined yet.")


def _code(code: str) -> str:
    return "".join(char for char in code.upper() if char.isalnum())


def _own_key(data: str | None) -> str:
    folders = [Path(data)] if data else [default_data(demo) for demo in ("none", "hospital", "lawfirm")]
    for folder in folders:
        file = folder / "keys" / "admin.key"
        try:
            return file.read_text().strip()
        except OSError:
            continue
    raise ApplianceError(
        "BRG401", "This needs the admin's key.", None, "Give it with --key, or the box's data folder with --data."
    )
