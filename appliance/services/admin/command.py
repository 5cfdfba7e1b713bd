"""More words of ``appliance admin``: what the console does, from the shell, by the same addresses.

Two of them need no box that runs: ``setup-code`` and ``reset-password`` read and write the code in its data folder.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from rich.console import Console
from rich.table import Table
from rich.text import Text

from appliance.config import default_data
from appliance.errors import ApplianceError, from_shape
from appliance.services.admin import setup_code

__all__ = ["ACTIONS", "LOCAL", "add_words", "run"]

Call = Callable[..., dict[str, Any]]
"""Method, path, body and a key that the answer has."""
LOCAL: Final = ("setup-code", "reset-password")
ACTIONS: Final = (
    *LOCAL,
    "accounts", "account-add", "account-change", "account-remove", "audit", "questions", "jobs", "cancel", "backups",
    "backup", "drill", "backup-remove", "settings", "set", "restart", "health", "fix", "logs", "about", "models",
    "trial", "use", "updates", "message", "identify", "see",
)  # fmt: skip
POLL_S: Final = 0.5
FOLLOWED: Final = ("backup", "drill", "trial", "use", "restart")


def add_words(actions: Any) -> None:
    """What the command takes."""
    actions.add_parser("setup-code", help="the code of the first start, read at the box itself")
    actions.add_parser("reset-password", help="make a code with which an admin gets a new password, at the box itself")
    _add_people(actions)
    _add_looks(actions)
    _add_work(actions)


def _add_people(actions: Any) -> None:
    actions.add_parser("accounts", help="who may sign in")
    for name, told in (("account-add", "make an account"), ("account-change", "give one another role or password")):
        action = actions.add_parser(name, help=told)
        action.add_argument("name", metavar="NAME")
        action.add_argument("--role", default="admin" if name == "account-add" else None, help="admin, staff, ...")
        action.add_argument("--password-file", metavar="FILE", default="", help="else it is asked for")
    actions.add_parser("account-remove", help="remove an account").add_argument("name", metavar="NAME")


def _add_looks(actions: Any) -> None:
    audit = actions.add_parser("audit", help="who did what, when and from where")
    audit.add_argument("--check", action="store_true", help="whether nothing was taken out of it")
    questions = actions.add_parser("questions", help="who asked what, and what ran")
    questions.add_argument("--status", default="", help="answered, clarify, refused or failed")
    logs = actions.add_parser("logs", help="what the parts wrote down")
    logs.add_argument("--part", default="", help="gateway, bridge, pgflex, llm, postgres, postgrest or box")
    logs.add_argument("--level", default="", choices=("", "info", "warning", "error"), help="as grave as this")
    for action in (audit, questions, logs):
        action.add_argument("--find", default="", metavar="TEXT", help="what holds this text")
        action.add_argument("--limit", type=int, default=30, metavar="N", help="so many at most")
    for name, told in (
        ("jobs", "long work"),
        ("backups", "backups in the box"),
        ("settings", "settings, and where each is from"),
        ("health", "each check, with its fix"),
        ("about", "what this box is"),
        ("models", "models in the box, and how they run"),
        ("updates", "which system runs"),
    ):
        actions.add_parser(name, help=told)
    see = actions.add_parser("see", help="the signals that a screen would hold now")
    see.add_argument("--screen", default="", metavar="ID", help="this screen; else the role and room")
    see.add_argument("--role", default="wall")
    see.add_argument("--room", default="")


def _add_work(actions: Any) -> None:
    actions.add_parser("cancel", help="cancel long work").add_argument("id", metavar="JOB")
    backup = actions.add_parser("backup", help="make a backup in the box")
    backup.add_argument("--recordings", action="store_true", help="recordings too")
    backup.add_argument("--models", action="store_true", help="added models too")
    drill = actions.add_parser("drill", help="restore a backup beside the box and count its rows")
    drill.add_argument("name", metavar="BACKUP")
    for action in (backup, drill):
        action.add_argument("--passphrase-file", metavar="FILE", default="", help="the passphrase that seals it")
    actions.add_parser("backup-remove", help="remove a backup").add_argument("name", metavar="BACKUP")
    chosen = actions.add_parser("set", help="choose a setting")
    chosen.add_argument("name", metavar="SETTING")
    chosen.add_argument("value", metavar="VALUE", help="empty is the default")
    actions.add_parser("restart", help="start all parts anew")
    actions.add_parser("fix", help="have the box mend what a check found").add_argument("name", metavar="CHECK")
    for name, told in (("trial", "ask a model five questions"), ("use", "use a model beside the small one")):
        actions.add_parser(name, help=told).add_argument("name", metavar="MODEL")
    message = actions.add_parser("message", help="show a text on a screen")
    message.add_argument("id", metavar="SCREEN")
    message.add_argument("text", metavar="TEXT")
    message.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long; 0 takes it away")
    actions.add_parser("identify", help="have a screen say which one it is").add_argument("id", metavar="SCREEN")


def run(options: argparse.Namespace, call: Call) -> int:
    """Do what was asked; returns the exit status.

    Raises:
        ApplianceError: the box refuses, or does not answer.
    """
    console = Console(highlight=False, soft_wrap=True)
    if options.action in LOCAL:
        console.print(_local(options))
        return 0
    method, path, body, wanted = _request(options)
    told = call(method, path, body, wanted)
    if options.action in FOLLOWED:
        told = _followed(console, call, told)
    if options.json:
        console.out(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        _show(console, options, told)
    return 0 if told.get("ok", True) and told.get("state") != "failed" else 1


def data_folder(named: str | None) -> Path:
    """The box's data folder: as named, that of the deployment, else the one that has keys."""
    if named:
        return Path(named).expanduser().absolute()
    from appliance.services import deployment  # it knows of the database, which most of these words do not need

    if deployment.FILE.exists():
        return Path(deployment.read()[0].data)
    folders = [default_data(demo) for demo in ("none", "hospital", "lawfirm")]
    return next((folder for folder in folders if (folder / "keys").is_dir()), folders[0])


def _local(options: argparse.Namespace) -> Text:
    folder = data_folder(options.data)
    if not (folder / "keys").is_dir():
        raise ApplianceError("PGF108", f"There is no box in {folder}.", None, "Name its data folder: --data DIR")
    try:
        if options.action == "reset-password":
            code = setup_code.new_code(folder)
            return Text(
                f"{setup_code.grouped(code)}\nOpen /setup on the box: with this code an admin gets a new password."
            )
        code = setup_code.code_of(folder)
    except OSError as error:
        raise ApplianceError("PGF108", "The code cannot be written.", str(error), "Run it as root.") from None
    if not code:
        raise ApplianceError(
            "BRG486",
            "The box waits for no code: it is set up.",
            None,
            "For a new password: appliance admin reset-password",
        )
    return Text(setup_code.grouped(code))


def _request(options: argparse.Namespace) -> tuple[str, str, Any, str]:
    """Method, path, body, and a key that the answer has."""
    name = quote(str(getattr(options, "name", "")), safe="")
    query = {key: getattr(options, key, "") for key in ("limit", "status", "part", "level")}
    query = {key: value for key, value in ({**query, "q": getattr(options, "find", "")}).items() if value}
    match options.action:
        case "accounts":
            return "GET", "/api/accounts", None, "accounts"
        case "account-add":
            body = {"name": options.name, "role": options.role, "password": _password(options)}
            return "POST", "/api/accounts", body, "name"
        case "account-change":
            asked = options.password_file or options.role is None
            body = {"role": options.role} | ({"password": _password(options)} if asked else {})
            return "PATCH", f"/api/accounts/{name}", body, "name"
        case "account-remove":
            return "DELETE", f"/api/accounts/{name}", None, "removed"
        case "audit" if options.check:
            return "GET", "/api/admin/audit/check", None, "ok"
        case "audit":
            return "GET", f"/api/admin/audit?{urlencode(query)}", None, "entries"
        case "questions":
            return "GET", f"/api/admin/questions?{urlencode(query)}", None, "questions"
        case "logs":
            return "GET", f"/api/admin/logs?{urlencode(query)}", None, "lines"
        case "see":
            asked_of = {"screen": options.screen, "role": options.role, "room": options.room}
            return "GET", f"/api/admin/see?{urlencode(asked_of)}", None, "signals"
        case "cancel":
            return "DELETE", f"/api/admin/jobs/{quote(options.id, safe='')}", None, "id"
        case "backup":
            body = {"passphrase": _passphrase(options), "recordings": options.recordings, "models": options.models}
            return "POST", "/api/admin/backups", body, "id"
        case "drill":
            return "POST", f"/api/admin/backups/{name}/drill", {"passphrase": _passphrase(options)}, "id"
        case "backup-remove":
            return "DELETE", f"/api/admin/backups/{name}", None, "removed"
        case "set":
            return "PATCH", "/api/admin/settings", {options.name: options.value}, "settings"
        case "restart":
            return "POST", "/api/admin/restart", None, "id"
        case "fix":
            return "POST", f"/api/admin/health/{name}/fix", None, "done"
        case "trial" | "use":
            return "POST", f"/api/admin/models/{options.action}", {"name": options.name}, "id"
        case "message":
            body = {"text": options.text, "seconds": options.seconds}
            return "POST", f"/api/screens/{quote(options.id, safe='')}/message", body, "screen"
        case "identify":
            return "POST", f"/api/screens/{quote(options.id, safe='')}/identify", None, "screen"
        case _:
            wanted = {"health": "checks", "about": "version", "updates": "version"}.get(options.action, options.action)
            return "GET", f"/api/admin/{options.action}", None, wanted


def _password(options: argparse.Namespace) -> str:
    return _secret(options.password_file) or getpass.getpass("Password: ")


def _passphrase(options: argparse.Namespace) -> str:
    return _secret(options.passphrase_file)


def _secret(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ApplianceError("BRG483", f"{file} cannot be read.", str(error), "Name a text file.") from None


def _followed(console: Console, call: Call, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for a job and say what it does; a Ctrl-C cancels it."""
    said = ""
    try:
        while job["state"] == "running":
            if job["said"] != said:
                said = job["said"]
                print(said, file=sys.stderr, flush=True)
            time.sleep(POLL_S)
            try:
                job = call("GET", f"/api/admin/jobs/{job['id']}", None, "id")
            except ApplianceError as error:
                if error.code not in ("SCR501", "BRG406"):  # it may be starting anew
                    raise
    except KeyboardInterrupt:
        call("DELETE", f"/api/admin/jobs/{job['id']}", None, "id")
        raise
    if job["state"] == "failed":
        raise from_shape(job["error"])
    return job


COLUMNS: Final = {
    "accounts": ("accounts", ("name", "role", "sessions", "seen_at")),
    "audit": ("entries", ("at", "who", "address", "status", "what", "target")),
    "questions": ("questions", ("at", "account", "screen", "role", "status", "took_ms", "confidence", "question")),
    "jobs": ("jobs", ("id", "kind", "state", "by", "started_at", "said")),
    "backups": ("backups", ("name", "bytes", "made_at", "sealed")),
    "settings": ("settings", ("name", "value", "origin", "applies")),
    "set": ("settings", ("name", "value", "next", "origin")),
    "health": ("checks", ("name", "state", "sentence", "fix")),
    "logs": ("lines", ("at", "part", "level", "text")),
    "models": ("models", ("name", "where", "file", "bytes", "licence")),
}


def _show(console: Console, options: argparse.Namespace, told: dict[str, Any]) -> None:
    if options.action not in COLUMNS or (options.action == "audit" and options.check):
        for name, value in told.items():
            if name not in ("licences", "model_card"):
                console.print(Text(f"{name:<13} {_word(name, value)}"))
        return
    key, columns = COLUMNS[options.action]
    table = Table(*columns, box=None, pad_edge=False)
    rows = [row for row in told[key] if options.action != "set" or row["name"] == options.name]
    for row in rows:
        table.add_row(*(Text(_word(name, row.get(name))) for name in columns))
    console.print(table if rows else "Nothing.")


def _word(name: str, value: Any) -> str:
    if value is None or value == "":
        return "-"
    if name in ("at", "seen_at") and isinstance(value, int | float):
        at = value / 1000 if value > 1e11 else value
        return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
