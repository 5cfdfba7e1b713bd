"""The command ``appliance``: start a box, ask it, show it on a terminal, look after it.

Every error is one line with its code and a second one with the fix; a traceback is never shown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import appliance
from appliance.config import SETTINGS, load, origins
from appliance.errors import HTTP_STATUS, ApplianceError, from_shape
from appliance.screen import command as screen_command
from appliance.screen.trust import as_fault, door_of_this_machine, key_of_this_machine, verified
from appliance.services import backup_words, past_words

_EXAMPLES = """\
  appliance up --demo hospital
  appliance ask "How many beds are free in cardiology?"
  appliance screen"""

Handler = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 well, 1 a fault, 2 wrong words, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "handler"):
        parser.print_help()
        return 2
    handler: Handler = options.handler
    try:
        return handler(options)
    except ApplianceError as error:
        print(error.line(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="appliance",
        description="A private AI box: its answers live on every screen of the building.",
        epilog=f"examples:\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_up(commands)
    _add_ask(commands)
    _add_import(commands)
    _add_screen(commands)
    _add_past(commands)
    _add_admin(commands)
    _add_model(commands)
    _add_doctor(commands)
    _add_prepare(commands)
    _add_image(commands)
    _add_copies(commands)
    _command(commands, "version", "print the version", "  appliance version", _version)
    return parser


def _orderly(handler: Handler) -> Handler:
    """Have SIGTERM end a command as a fault does: what it wrote halfway is taken away."""

    def end(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(128 + number)

    def run(options: argparse.Namespace) -> int:
        signal.signal(signal.SIGTERM, end)
        return handler(options)

    return run


def _command(commands: Any, name: str, told: str, examples: str, handler: Handler) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=told,
        description=told[0].upper() + told[1:] + ".",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(handler=handler)
    return parser


# up ------------------------------------------------------------------------------------------------------


def _add_up(commands: Any) -> None:
    examples = (
        "  appliance up --demo hospital          a box with demo data, on this machine only\n"
        "  appliance up --lan --port 443         for the whole network; prints the key that opens it\n"
        "  appliance up --data /srv/box --demo none"
    )
    parser = _command(commands, "up", "start the box and keep it running until Ctrl-C", examples, _up)
    parser.add_argument("--data", metavar="DIR", help="where the box keeps its data")
    for setting in SETTINGS:
        flag = "--" + setting.name.replace("_", "-")
        if setting.kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=setting.help)
        else:
            parser.add_argument(
                flag,
                metavar=setting.name.rsplit("_", 1)[-1].upper(),
                type=setting.kind,
                choices=setting.choices or None,
                help=setting.help,
            )


def _up(options: argparse.Namespace) -> int:
    from appliance.services.running import run_box

    given = {setting.name: getattr(options, setting.name) for setting in SETTINGS} | {"data": options.data}
    return asyncio.run(run_box(load(given), lambda: (load(given), origins(given))))


# ask -----------------------------------------------------------------------------------------------------


def _add_ask(commands: Any) -> None:
    examples = (
        '  appliance ask "How many beds are free in cardiology?"\n'
        '  appliance ask --json "Which appointments are tomorrow?" | jq .rows'
    )
    parser = _command(commands, "ask", "ask the box in plain words", examples, _ask)
    parser.add_argument("question", help="the question, in quotes")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument("--prose", action="store_true", help="have a larger model tell the rows in its own words")
    parser.add_argument("--role", help="act as this role: wall, staff or admin")
    _add_door(parser)


def _add_door(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default=door_of_this_machine(), help="the box's address")
    parser.add_argument(
        "--key", default=os.environ.get("DREAMSTACK_KEY", ""), help="the credential, where the box asks for one"
    )
    _add_ca(parser)


def _add_ca(parser: argparse.ArgumentParser) -> None:
    told = "the authority to trust behind https, a PEM file; a box on this machine needs none"
    parser.add_argument("--ca", metavar="FILE", default=os.environ.get("DREAMSTACK_CA", ""), help=told)


def _ask(options: argparse.Namespace) -> int:
    from appliance.screen.shell import print_answer

    if options.prose:
        from appliance.services.prose_command import ask_for_prose

        return ask_for_prose(options.url, options.key, options.question, options.role, options.ca)
    body = {"question": options.question, "role": options.role}
    answer = _request(options, "POST", "/api/ask", body, "status", timeout_s=60)
    print_answer(answer, as_json=options.json)
    return 0 if answer.get("status") != "failed" else 1


def _request(
    options: argparse.Namespace, method: str, path: str, body: Any, wanted: str, timeout_s: float
) -> dict[str, Any]:
    """What the box answers: an object that has the key `wanted`, whatever its status."""
    import httpx

    headers = {b"Authorization": f"Bearer {options.key.strip()}".encode()} if options.key else {}
    try:
        answer = httpx.request(
            method,
            options.url.rstrip("/") + path,
            json=body,
            headers=headers,
            timeout=timeout_s,
            trust_env=False,
            verify=verified(options.ca),
        )
        told = answer.json()
    except httpx.InvalidURL as error:
        raise ApplianceError(
            "SCR501", "This is no address.", str(error), "Give one such as --url http://127.0.0.1:8080"
        ) from None
    except (httpx.HTTPError, ValueError) as error:
        raise as_fault(options.url, error) or ApplianceError(
            "SCR501",
            "The box does not answer.",
            f"{options.url}: {error}",
            "Is `appliance up` running? Else name it: --url http://...",
        ) from None
    if isinstance(told, dict) and wanted in told:
        return told
    if isinstance(told, dict) and str(told.get("code")) in HTTP_STATUS:
        raise from_shape(told)
    raise ApplianceError(
        "SCR501", "What answers at this address is no box.", options.url, "Name the box: --url http://..."
    )


# import --------------------------------------------------------------------------------------------------


def _add_import(commands: Any) -> None:
    examples = (
        "  appliance import stock.csv                     into the collection stock\n"
        "  appliance import stock.csv --dry-run           show what would be stored, and store nothing\n"
        "  appliance import export.jsonl --collection visits --role admin --key KEY"
    )
    told = "import a CSV or JSON file into a collection of the running box"
    parser = _command(commands, "import", told, examples, _import)
    parser.add_argument(
        "file", metavar="FILE", help="CSV (.csv, .tsv), JSON objects in lines (.jsonl) or a list (.json)"
    )
    parser.add_argument("--collection", default="", metavar="NAME", help="where to; else the file's name")
    parser.add_argument("--format", default="", choices=("csv", "ndjson", "json"), help="where its name does not tell")
    parser.add_argument("--encoding", default="", metavar="NAME", help="where it is not UTF-8, such as cp1252")
    parser.add_argument("--dry-run", action="store_true", help="report what is in it, and write nothing")
    parser.add_argument("--skip-bad", action="store_true", help="leave lines out that cannot be read, and list them")
    parser.add_argument("--role", help="act as this role: staff or admin")
    _add_door(parser)


def _import(options: argparse.Namespace) -> int:
    from appliance.services.importer import Import, import_file

    names = ("url", "key", "ca", "role", "collection", "format", "encoding", "dry_run", "skip_bad")
    try:
        import_file(Import(Path(options.file), **{name: getattr(options, name) for name in names}))
    except KeyboardInterrupt:
        print("Cancelled; nothing of the file is kept.", file=sys.stderr)
        raise
    return 0


# screen --------------------------------------------------------------------------------------------------


def _add_screen(commands: Any) -> None:
    told = "show the box's live answers in this terminal"
    parser = _command(commands, "screen", told, screen_command.EXAMPLES, screen_command.run)
    screen_command.add_words(parser, _add_ca)


# replay, archive -----------------------------------------------------------------------------------------


def _add_past(commands: Any) -> None:
    told = "show what screens showed, at any recorded moment"
    parser = _command(commands, "replay", told, past_words.REPLAY_EXAMPLES, past_words.run_replay)
    past_words.add_replay_words(parser)
    _add_door(parser)
    told = "fetch finished recordings by their hash, and serve them"
    parser = _command(commands, "archive", told, past_words.ARCHIVE_EXAMPLES, past_words.run_archive)
    past_words.add_archive_words(parser)


# admin ---------------------------------------------------------------------------------------------------


def _add_admin(commands: Any) -> None:
    from appliance.services.admin_command import add_actions

    examples = (
        "  appliance admin address                             where the box is, and the key that opens it\n"
        "  appliance admin screens                             who is in, and who shows a code\n"
        '  appliance admin approve K7XQ2P --room icu --name "Wall by the door"\n'
        "  appliance admin ticket --room icu --uses 10         for screens that join by themselves\n"
        "  appliance admin revoke s1a2b3c4d"
    )
    parser = _command(commands, "admin", "let screens in, give them rooms and roles", examples, _admin)
    add_actions(parser, _add_door)


def _admin(options: argparse.Namespace) -> int:
    if options.action == "address":
        from appliance.services import address_command

        return address_command.run(options.data, options.deployment)
    from appliance.services.admin_command import run

    return run(options, _request)


# model ---------------------------------------------------------------------------------------------------


def _add_model(commands: Any) -> None:
    examples = (
        "  appliance model list                                what there is, and what fits this machine\n"
        "  appliance model add Qwen3-4B-Q4_K_M.gguf            check a file and copy it into the data folder\n"
        "  appliance model use qwen3-4b                        from now on, beside the small model\n"
        '  appliance model try qwen3-4b "How many beds are free?"'
    )
    parser = _command(commands, "model", "add a larger model, choose it, try it", examples, _model)
    parser.set_defaults(action="list", json=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action")
    for name, told in (
        ("list", "list the models of the box and of the catalog"),
        ("add", "check a GGUF file and copy it into the data folder"),
        ("use", "use a model beside the small one; `shipped` is the small one alone"),
        ("try", "load a model and show its plan for a question"),
    ):
        action = actions.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
        action.add_argument("--data", metavar="DIR", help="the box's data folder; else that of the box that runs here")
        if name == "list":
            action.add_argument("--json", action="store_true", help="print it as JSON")
        elif name == "add":
            action.add_argument("file", metavar="FILE", help="the GGUF file")
            action.add_argument("--name", default="", help="what to call it; else as in the catalog, or as the file")
        else:
            action.add_argument("name", metavar="NAME", help="its name in the list")
        if name == "try":
            action.add_argument("question", help="the question, in quotes")
            _add_door(action)


def _model(options: argparse.Namespace) -> int:
    from appliance.services import model_command

    settings = model_command.box_settings(getattr(options, "data", None))
    if options.action == "add":
        model_command.add_model(settings, Path(options.file), options.name)
    elif options.action == "use":
        model_command.use_model(settings, options.name)
    elif options.action == "try":
        model_command.try_model(settings, options.name, options.question, options.url, options.key, options.ca)
    else:
        model_command.list_models(settings, options.json)
    return 0


def _add_doctor(commands: Any) -> None:
    examples = "  appliance doctor\n  appliance doctor --url http://127.0.0.1:9000"
    parser = _command(commands, "doctor", "check the box and name what is wrong, with the fix", examples, _doctor)
    parser.add_argument("--data", metavar="DIR", help="the data folder to look at when the box is not running")
    _add_door(parser)


def _doctor(options: argparse.Namespace) -> int:
    from appliance.services.doctor import examine_machine

    try:
        options.key = options.key or key_of_this_machine(options.url)
        told = _request(options, "GET", "/health", None, "status", timeout_s=10)
        checks = told.get("checks") or [_unknown_checks(str(told["status"]))]
        print(f"The box at {options.url} answers.")
    except ApplianceError as error:
        if error.code in ("SCR505", "BRG417"):
            raise
        print(f"No box answers at {options.url}: looking at this machine instead.\n  ({error.message})")
        checks = [
            {"name": f.name, "state": f.state, "sentence": f.sentence, "fix": f.fix}
            for f in examine_machine(load({"data": options.data}))
        ]
    for check in checks:
        mark = {"ok": "ok  ", "warn": "warn", "down": "DOWN"}[check["state"]]
        print(
            f"  {mark}  {check['name']:<13} {check['sentence']}"
            + (f"\n        fix: {check['fix']}" if check.get("fix") else "")
        )
    return 0 if all(check["state"] != "down" for check in checks) else 1


def _unknown_checks(status: str) -> dict[str, str]:
    """What stands for the checks of a box that tells them only to whom it knows."""
    sentence = f"The box says that it is {status}; which part is how it tells only to whom it knows."
    return {
        "name": "box",
        "state": "ok" if status == "ok" else "down",
        "sentence": sentence,
        "fix": "Add --key KEY, or run it at the box as the user who runs it.",
    }


def _add_prepare(commands: Any) -> None:
    examples = "  appliance prepare\n  appliance prepare --deployment /etc/dreamstack/deployment.toml"
    told = "make keys, folders and database of a box that systemd or containers run, before its parts start"
    parser = _command(commands, "prepare", told, examples, _prepare)
    parser.add_argument("--deployment", metavar="FILE", help="the TOML file that says where things are")


def _prepare(options: argparse.Namespace) -> int:
    from appliance.services import deployment

    declared, settings = deployment.read(Path(options.deployment) if options.deployment else None)
    deployment.prepare(declared, settings)
    print(f"Prepared: {declared.data}, {declared.runtime}")
    return 0


def _add_image(commands: Any) -> None:
    """What only a machine that was installed from an image has."""
    examples = "  appliance update /media/stick\n  appliance update dreamstack-nuc_0.2.0.update --restart"
    parser = _command(
        commands, "update", "install a signed update on a box made from an image", examples, _orderly(_update)
    )
    parser.add_argument("bundle", metavar="PATH", help="the file, or a folder such as a stick's that has it")
    parser.add_argument("--restart", action="store_true", help="start the new system at once")
    told = "show where the box is on an attached display, again and again"
    examples = "  appliance console\n  appliance console --on /dev/tty1 --on /dev/ttyS0"
    parser = _command(commands, "console", told, examples, _console)
    parser.add_argument("--on", metavar="TTY", action="append", default=[], help="a terminal; this one when left out")
    parser.add_argument("--deployment", metavar="FILE", help="the TOML file that says where things are")


def _update(options: argparse.Namespace) -> int:
    from appliance.services import update

    path = Path(options.bundle)
    version = update.install(update.newest(path, update.this_system().image) if path.is_dir() else path)
    print(f"Version {version} is installed" + ("; the box restarts." if options.restart else ". Restart to use it."))
    return update.restart() if options.restart else 0


def _console(options: argparse.Namespace) -> int:
    from appliance.services import console

    return console.watch(Path(options.deployment) if options.deployment else None, [Path(each) for each in options.on])


def _add_copies(commands: Any) -> None:
    told = "write the whole box into one file, while it runs"
    parser = _command(commands, "backup", told, backup_words.BACKUP_EXAMPLES, _orderly(backup_words.run_backup))
    backup_words.add_backup_words(parser)
    told = "bring a box back from a backup, whole or not at all"
    parser = _command(commands, "restore", told, backup_words.RESTORE_EXAMPLES, _orderly(backup_words.run_restore))
    backup_words.add_restore_words(parser)


def _version(_: argparse.Namespace) -> int:
    print(appliance.__version__)
    return 0
