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
from appliance.config import SETTINGS, Runtime, Settings, load
from appliance.errors import HTTP_STATUS, ApplianceError, from_shape
from appliance.screen.trust import as_fault, door_of_this_machine, verified
from appliance.services import past_words

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
    _command(commands, "version", "print the version", "  appliance version", _version)
    return parser


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
    given = {setting.name: getattr(options, setting.name) for setting in SETTINGS} | {"data": options.data}
    return asyncio.run(_run_box(load(given)))


async def _run_box(settings: Settings) -> int:
    from appliance.services.greeting import greet
    from appliance.services.supervisor import Box

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, stopped.set)
    box = Box(settings)
    starting = asyncio.create_task(box.start())
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            runtime = starting.result()
            ticket = await asyncio.to_thread(_ticket, runtime)
            await asyncio.to_thread(greet, settings, runtime.keys["staff"], ticket)
            watching = asyncio.create_task(box.watch())
            await stopped.wait()
            watching.cancel()
        print("\nStopping; the data stays in", settings.data, flush=True)
    finally:
        starting.cancel()
        await asyncio.gather(starting, stopping if stopping.done() else _cancel(stopping), return_exceptions=True)
        await box.stop()
    return 0


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _ticket(runtime: Runtime) -> str:
    """How a screen that mDNS does not reach finds this box: ``ID@IP:PORT``."""
    import httpx

    headers = {"Authorization": f"Bearer {runtime.token}"}
    try:
        told = httpx.get(f"{runtime.bridge_url}/health", headers=headers, trust_env=False).json()
        return f"{told['endpoint_id']}@{told['addresses'][0]}"
    except (httpx.HTTPError, ValueError, LookupError):
        return "ID@IP:PORT (in the bridge's log line)"


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


# screen, doctor, version ---------------------------------------------------------------------------------


def _add_screen(commands: Any) -> None:
    examples = (
        "  appliance screen                       find the box by mDNS and show its answers\n"
        "  appliance screen --once                print what it shows now, and end\n"
        "  appliance screen --box ID@192.0.2.7:4433 --key KEY\n"
        "  appliance screen --ticket dreamstack-...    join by itself, in the ticket's room\n"
        "  appliance screen --keep beds,wards     keep these rows on this disk, for when the box is gone\n"
        "  appliance screen --relay               and pass on what it gets to screens that do not reach the box\n"
        "  appliance screen --kiosk --chromium    fill this machine's screen with the box's page"
    )
    parser = _command(commands, "screen", "show the box's live answers in this terminal", examples, _screen)
    parser.add_argument("--box", metavar="ID@IP:PORT", help="the box, where mDNS does not reach")
    parser.add_argument("--stream", default="main", metavar="NAME", help="what to show: main, or a fork by its name")
    parser.add_argument(
        "--key", default=os.environ.get("DREAMSTACK_KEY", ""), help="the credential, where the box asks for one"
    )
    parser.add_argument(
        "--ticket", default="", metavar="TICKET", help="a ticket for new screens, from `appliance admin ticket`"
    )
    parser.add_argument(
        "--kind",
        default="text",
        choices=("wall", "tablet", "phone", "watch", "text"),
        help="what it tells the box it is",
    )
    parser.add_argument("--data", metavar="DIR", help="where the screen keeps its key and what it last showed")
    parser.add_argument("--keep", metavar="NAMES", default="", help="collections to keep on this disk: beds,wards")
    parser.add_argument(
        "--door",
        metavar="URL",
        default=door_of_this_machine(),
        help="the box's address, where --keep takes them from",
    )
    parser.add_argument("--relay", action="store_true", help="pass on what it gets to other screens")
    parser.add_argument(
        "--listen", metavar="IP:PORT", default="0.0.0.0:0", help="where it passes on; 0 keeps a free port"
    )
    parser.add_argument("--peers", type=int, default=16, metavar="N", help="how many screens it passes on to")
    parser.add_argument("--via", metavar="ID@IP:PORT", action="append", help="a screen to take from, before the box")
    _add_ca(parser)
    parser.add_argument("--once", action="store_true", help="print the state and end")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="how long to look for the box")
    _add_kiosk(parser)


def _add_kiosk(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kiosk", action="store_true", help="serve the page to a browser of this machine")
    parser.add_argument("--port", type=int, default=8090, help="of that page, on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--chromium", action="store_true", help="with --kiosk: show it in Chromium, filling the screen")
    parser.add_argument("--browser", default="", metavar="PROGRAM", help="that browser, where it is not found")
    parser.add_argument(
        "--inputs-kept", type=int, default=50, metavar="N", help="questions that may wait while the box is away"
    )
    parser.add_argument(
        "--inputs-age",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="how long one may wait",
    )


def _screen(options: argparse.Namespace) -> int:
    from appliance.screen import ScreenOptions, run_screen

    given = {"data": Path(options.data)} if options.data else {}
    screen = ScreenOptions(
        box=options.box or "",
        stream=options.stream,
        credential=options.ticket or options.key,
        kind="wall" if options.kiosk and options.kind == "text" else options.kind,
        once=options.once,
        timeout_s=options.timeout,
        keep=tuple(name.strip() for name in options.keep.split(",") if name.strip()),
        door=options.door,
        ca=options.ca,
        **given,
        relay=options.relay,
        listen=options.listen,
        peers=options.peers,
        via=tuple(options.via or ()),
    )
    if not options.kiosk:
        return asyncio.run(run_screen(screen))
    from appliance.screen.kiosk import KioskOptions, run_kiosk

    kiosk = KioskOptions(
        port=options.port,
        chromium=options.chromium,
        browser=options.browser,
        inputs_kept=options.inputs_kept,
        inputs_age_s=options.inputs_age,
    )
    return asyncio.run(run_kiosk(screen, kiosk))


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
        "  appliance admin screens                             who is in, and who shows a code\n"
        '  appliance admin approve K7XQ2P --room icu --name "Wall by the door"\n'
        "  appliance admin ticket --room icu --uses 10         for screens that join by themselves\n"
        "  appliance admin revoke s1a2b3c4d"
    )
    parser = _command(commands, "admin", "let screens in, give them rooms and roles", examples, _admin)
    add_actions(parser, _add_door)


def _admin(options: argparse.Namespace) -> int:
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
        checks = _request(options, "GET", "/health", None, "checks", timeout_s=10)["checks"]
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


def _version(_: argparse.Namespace) -> int:
    print(appliance.__version__)
    return 0
