"""The command `appliance`, run as a person runs it: words, exit status, and errors that name the fix."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import appliance as package
from appliance.bridge.identity import load_or_create
from appliance.config import SETTINGS
from tests.box import Box, appliance, box_folder, free_port, running_box

pytestmark = pytest.mark.alone

QUESTION = "How many beds are free in cardiology?"


@pytest.fixture
def folder() -> Iterator[Path]:
    with box_folder() as folder:
        yield folder


def fault(done_stderr: str, code: str) -> None:
    """Check an error for a terminal: a line with the code, and one with the fix."""
    lines = done_stderr.strip().splitlines()
    assert lines[0].startswith(f"{code}: "), done_stderr
    assert lines[1].startswith("  fix: "), done_stderr
    assert len(lines) == 2, done_stderr


@pytest.mark.parametrize("command", ["", "up", "ask", "import", "screen", "doctor", "version"])
def test_help_has_examples(command: str) -> None:
    done = appliance(*command.split(), "--help")
    assert done.returncode == 0
    assert "examples:\n" in done.stdout
    examples = done.stdout.partition("examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith(f"  appliance {command}".rstrip()) for line in examples)


def test_help_of_up_shows_every_setting() -> None:
    told = appliance("up", "--help").stdout
    for setting in SETTINGS:
        assert "--" + setting.name.replace("_", "-") in told


@pytest.mark.parametrize(
    "words", [[], ["nope"], ["ask"], ["up", "--port", "x"], ["up", "--demo", "nope"], ["ask", "a", "b"]]
)
def test_wrong_words_show_how(words: list[str]) -> None:
    done = appliance(*words)
    assert done.returncode == 2
    assert "usage: appliance" in done.stdout + done.stderr


def test_version() -> None:
    done = appliance("version")
    assert (done.returncode, done.stdout) == (0, package.__version__ + "\n")


def test_ask_prints_the_reading_the_sentence_and_the_request(box: Box) -> None:
    done = appliance("ask", "--url", box.url, QUESTION)
    assert done.returncode == 0, done.stderr
    assert "status is free" in done.stdout
    assert re.search(r"^\d+ beds are free", done.stdout, re.MULTILINE)
    assert "/rest/beds?" in done.stdout


def test_ask_prints_rows_as_a_table(box: Box) -> None:
    done = appliance("ask", "--url", box.url, "Which beds are in cleaning?")
    assert done.returncode == 0
    assert len(re.findall(r"^ *[A-Z]-\d\d +cleaning", done.stdout, re.MULTILINE)) > 1


def test_ask_as_json_is_the_answer_of_the_api(box: Box) -> None:
    done = appliance("ask", "--json", "--role", "wall", QUESTION, DREAMSTACK_URL=box.url)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert {"status", "reading", "plan", "rows", "sentence", "rest", "choices", "took_ms"} <= set(told)
    assert told["status"] == "answered"


def test_ask_tells_why_not_and_what_to_do(box: Box) -> None:
    done = appliance("ask", "--url", box.url, "how many unicorns are in the stable?")
    assert "nothing in this box" in done.stdout
    assert "beds" in done.stdout, "what the box can answer about"
    done = appliance("ask", "--url", box.url, "How many beds are zorgly in cardiology?")
    assert "zorgly" in done.stdout
    assert "1. " in done.stdout, "the choices"


def test_ask_what_is_no_question(box: Box) -> None:
    for question, code in (("", "LLM201"), ("beds " * 2000, "LLM202")):
        done = appliance("ask", "--url", box.url, question)
        assert done.returncode == 1
        fault(done.stderr, code)


def test_ask_with_a_wrong_credential_or_role(box: Box) -> None:
    fault(appliance("ask", "--url", box.url, "--key", "wrong", QUESTION).stderr, "BRG401")
    fault(appliance("ask", "--url", box.url, "--role", "admin", QUESTION).stderr, "BRG402")
    fault(appliance("ask", "--url", box.url, "--role", "boss", QUESTION).stderr, "BRG410")
    done = appliance("ask", "--url", box.url, "--role", "admin", QUESTION, DREAMSTACK_KEY=box.key("admin"))
    assert done.returncode == 0


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "nonsense", "http://[", "ftp://127.0.0.1", "http://127.0.0.1:99999", ""]
)
def test_ask_where_no_box_is(url: str) -> None:
    done = appliance("ask", "--url", url, QUESTION)
    assert done.returncode == 1
    fault(done.stderr, "SCR501")


STRANGERS = {"a list": b"[]", "a page": b"<html>", "another shape": b'{"ok": true}', "an odd error": b'{"code": ["x"]}'}


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("body", STRANGERS.values(), ids=list(STRANGERS))
def test_what_answers_is_no_box(body: bytes, status: int, folder: Path) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        asked = appliance("ask", "--url", url, QUESTION)
        looked = appliance("doctor", "--url", url, "--data", str(folder / "data"))
        server.shutdown()
    assert asked.returncode == 1
    fault(asked.stderr, "SCR501")
    assert "looking at this machine" in looked.stdout


def test_credential_that_no_header_can_carry(box: Box) -> None:
    done = appliance("ask", "--url", box.url, "--key", "schlüssel\n", QUESTION)
    assert done.returncode == 1
    fault(done.stderr, "BRG401")


def test_doctor_with_a_box(box: Box) -> None:
    done = appliance("doctor", "--url", box.url)
    assert done.returncode == 0
    assert f"The box at {box.url} answers." in done.stdout
    for part in ("database", "data service", "REST", "model", "bridge", "disk", "voice"):
        assert re.search(rf"^  (ok|warn) +{part} ", done.stdout, re.MULTILINE), done.stdout


def test_doctor_without_a_box_looks_at_the_machine(folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = appliance("doctor", "--url", url, "--data", str(folder / "data"), DREAMSTACK_PORT=str(free_port()))
    assert done.returncode == 0, done.stdout
    assert "looking at this machine" in done.stdout
    for part in ("PostgreSQL", "PostgREST", "model", "port", "disk"):
        assert re.search(rf"^  ok +{part} ", done.stdout, re.MULTILINE), done.stdout
    assert not (folder / "data").exists(), "a look leaves nothing behind"


def test_doctor_names_what_is_wrong_and_the_fix(box: Box, folder: Path) -> None:
    done = appliance(
        "doctor",
        "--url",
        f"http://127.0.0.1:{free_port()}",
        "--data",
        str(folder / "data"),
        DREAMSTACK_PORT=str(box.port),
        DREAMSTACK_MODEL="/nowhere.gguf",
        DREAMSTACK_POSTGRES_BIN=str(folder),
        DREAMSTACK_POSTGREST="/nowhere",
    )
    assert done.returncode == 1
    for part in ("PostgreSQL", "PostgREST", "model", "port"):
        assert re.search(rf"^  DOWN +{part} .*\n +fix: \S", done.stdout, re.MULTILINE), done.stdout


def test_settings_that_cannot_be_used_are_told(folder: Path) -> None:
    (folder / "settings.toml").write_text("port = [")
    fault(appliance("up", "--data", str(folder)).stderr, "BRG412")
    (folder / "settings.toml").write_text('port = "many"')
    fault(appliance("up", "--data", str(folder)).stderr, "BRG412")
    fault(appliance("up", "--data", str(folder / "new"), DREAMSTACK_LAN="perhaps").stderr, "BRG412")
    fault(appliance("up", "--data", str(folder / "new"), "--timezone", "Mars/Base").stderr, "BRG412")


def test_program_that_is_missing_is_told(folder: Path) -> None:
    done = appliance("up", "--data", str(folder / "data"), "--port", str(free_port()), "--postgres-bin", str(folder))
    assert done.returncode == 1
    fault(done.stderr, "BRG411")
    done = appliance(
        "up", "--data", str(folder / "data"), "--port", str(free_port()), "--postgrest", "/nowhere/postgrest"
    )
    assert done.returncode == 1
    fault(done.stderr, "BRG411")


# screen ---------------------------------------------------------------------------------------------------


def test_screen_finds_the_box_by_mdns(box: Box, folder: Path) -> None:
    """The answer of a screen that was told nothing.

    Where other boxes are on this network, the screen lists them all and asks for one to be named; then ours must be
    among them, which only mDNS can have told.
    """
    appliance("ask", "--url", box.url, QUESTION)
    done = appliance("screen", "--once", "--data", str(folder / "screen"))
    if "SCR503" in done.stderr:
        assert box.ticket() in done.stderr
        done = appliance("screen", "--once", "--data", str(folder / "screen"), "--box", box.ticket())
    assert done.returncode == 0, done.stderr
    shows_the_answer(done.stdout)


def test_screen_by_its_ticket(box: Box, folder: Path) -> None:
    appliance("ask", "--url", box.url, QUESTION)
    done = appliance("screen", "--once", "--box", box.ticket(), "--data", str(folder / "screen"))
    assert done.returncode == 0, done.stderr
    shows_the_answer(done.stdout)
    fault(
        appliance("screen", "--once", "--box", box.ticket(), "--key", "wrong", "--data", str(folder / "two")).stderr,
        "BRG401",
    )


def shows_the_answer(shown: str) -> None:
    assert "St. Brigid Hospital (demo)" in shown
    assert QUESTION in shown
    assert re.search(r"\d+ beds are free in Cardiology\.", shown)


def test_screen_holds_what_it_saw_when_the_box_is_gone(folder: Path) -> None:
    with running_box("--no-mdns") as box:
        ticket = box.ticket()
        first = appliance("screen", "--once", "--box", ticket, "--data", str(folder / "screen"))
        assert first.returncode == 0, first.stderr
    done = appliance("screen", "--once", "--box", ticket, "--timeout", "1", "--data", str(folder / "screen"))
    assert done.returncode == 1, "what is shown is old"
    assert "St. Brigid Hospital (demo)" in done.stdout
    assert "ago" in done.stdout


def test_screen_where_no_box_is(folder: Path) -> None:
    nobody = load_or_create(folder / "key").endpoint_id
    words = ["screen", "--once", "--data", str(folder / "screen")]
    for timeout, code in (("0.2", "SCR500"), ("5", "SCR501")):
        done = appliance(*words, "--timeout", timeout, "--box", f"{nobody}@127.0.0.1:{free_port()}")
        assert done.returncode == 1
        fault(done.stderr, code)
    for ticket in (
        "nonsense",
        "0f@127.0.0.1:1",
        f"{nobody}@localhost:1",
        f"{nobody}@127.0.0.1:99999",
        f"{'0f' * 32}@127.0.0.1:1",
    ):
        done = appliance(*words, "--box", ticket)
        assert done.returncode == 1
        fault(done.stderr, "SCR504")
        assert "/" not in done.stderr, "nobody's source paths"


def test_the_address_of_the_box_with_the_admins_key(box: Box, folder: Path) -> None:
    told = appliance("admin", "--data", str(box.data), "address")
    assert told.returncode == 0, told.stderr
    assert f"http://localhost:{box.port}/" in told.stdout and "\u2588" in told.stdout
    nobody = appliance("admin", "--data", str(folder / "none"), "address")
    assert nobody.returncode == 1 and nobody.stderr.startswith("BRG406: ")
