"""What the documentation says is what the code does: tables, addresses, commands, links and examples."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import doctest
import hashlib
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from appliance.bridge import Member, Session, Streams
from appliance.bridge.transports.websocket import WebSocketConnection
from appliance.cli import _parser
from appliance.config import SETTINGS, Runtime, Setting, load
from appliance.errors import HTTP_STATUS
from appliance.services import gateway
from appliance.types import Signal
from tests.accepted import Accepted

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "models" / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
REFERENCE = DOCS / "reference"
IMAGE_LIMIT = 300_000
SOURCES = {".py", ".sql", ".html", ".css", ".js", ".mjs", ".svg"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def rows(page: Path) -> list[list[str]]:
    """The cells of every table row of a page."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced code blocks of a page in a language; further words of the info string count."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def toml(setting: Setting) -> str:
    """A default as the settings file would have it."""
    return json.dumps(setting.default)


def test_every_setting_is_documented_with_its_kind_and_default() -> None:
    told = [tuple(row[:3]) for row in rows(REFERENCE / "settings.md") if len(row) == 4 and row[0].startswith("`")]
    assert sorted(told) == sorted((f"`{s.name}`", s.kind.__name__, f"`{toml(s)}`") for s in SETTINGS)


def test_the_choices_of_a_setting_are_documented() -> None:
    told = {row[0].strip("`"): row[-1] for row in rows(REFERENCE / "settings.md")}
    missing = {s.name: c for s in SETTINGS for c in s.choices if f"`{c}`" not in told[s.name]}
    assert missing == {}


def test_every_error_code_is_documented_with_its_status() -> None:
    told = [(row[0], row[1]) for row in rows(REFERENCE / "errors.md") if re.fullmatch(r"[A-Z]{3}\d{3}", row[0])]
    assert told == [(code, str(status)) for code, status in HTTP_STATUS.items()]


def test_no_page_names_a_code_that_is_not_there() -> None:
    pattern = re.compile(r"\b(?:PGF|LLM|SIG|BRG|SCR)\d{3}\b")
    unknown = {(named(page), code) for page in PAGES for code in pattern.findall(page.read_text())}
    assert {pair for pair in unknown if pair[1] not in HTTP_STATUS} == set()


def test_the_code_map_names_every_file_once_and_nothing_else() -> None:
    text = (DOCS / "explanation" / "architecture.md").read_text().partition("## Code map")[2]
    told = re.findall(r"^\| `(appliance/[^`]+)` \| \S", text, re.MULTILINE)
    there = [path for path in (ROOT / "appliance").rglob("*.*") if path.suffix in SOURCES]
    assert sorted(told) == sorted(named(path) for path in there if path.name != "__init__.py")


def test_every_package_has_its_part_of_the_code_map() -> None:
    text = (DOCS / "explanation" / "architecture.md").read_text()
    packages = [path.parent for path in (ROOT / "appliance").glob("*/__init__.py")]
    assert [named(path) for path in packages if f"**`{named(path)}/`" not in text] == []


def test_every_address_of_the_gateway_is_documented_with_its_methods(tmp_path: Path) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(REFERENCE / "http-api.md") if row[0].startswith("`/")}
    found: dict[str, set[str]] = {}
    for route in gateway.make(runtime(tmp_path)).routes:
        path = str(getattr(route, "path", "")).replace(":path}", "}")
        found[path] = found.get(path, set()) | set(getattr(route, "methods", None) or {"WebSocket"})
    # Where GET is, HEAD may be; the table says so only where both go on to another service.
    assert {path: methods - {"HEAD"} for path, methods in found.items()} == {
        path: set(methods.split(", ")) - {"HEAD"} for path, methods in told.items()
    }


def runtime(data: Path) -> Runtime:
    """A runtime of a box that is not started."""
    nowhere = "http://127.0.0.1:9"
    return Runtime(
        settings=load({"data": str(data)}, environ={}),
        postgres_dsn="",
        postgrest_url=nowhere,
        pgflex_url=nowhere,
        llm_url=nowhere,
        bridge_url=nowhere,
        gateway_url=nowhere,
        token="t",
        secret="s" * 40,
        keys={},
    )


def commands() -> dict[str, argparse.ArgumentParser]:
    actions = [a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(actions[0].choices)


def test_every_command_is_documented() -> None:
    told = re.findall(r"^## appliance (\S+)$", (REFERENCE / "command-line.md").read_text(), re.MULTILINE)
    assert told == list(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_of_a_command_is_documented(name: str) -> None:
    text = (REFERENCE / "command-line.md").read_text()
    part = text.partition(f"## appliance {name}\n")[2].partition("\n## ")[0]
    settings = {"--" + setting.name.replace("_", "-") for setting in SETTINGS}
    options = {o for action in commands()[name]._actions for o in action.option_strings if o.startswith("--")}
    options = {option for option in options if not option.startswith("--no-")} - {"--help"}
    if name == "up":
        assert settings < options
        options -= settings
    assert {option for option in options if f"`{option}" not in part} == set()


def test_every_target_of_make_is_documented() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (REFERENCE / "command-line.md").read_text()
    assert [target for target in targets if target != "help" and f"`make {target}`" not in text] == []


def without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    """The relative links and images of a page, outside of code."""
    text = "\n".join(line for line in without_blocks(page).splitlines() if not line.startswith("    "))
    found = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text))
    return [link for link in found if not link.startswith(("http://", "https://"))]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "README.md"
    led = {(index.parent / link).resolve() for link in links(index)}
    assert [named(page) for page in DOCS.rglob("*.md") if page not in led | {index}] == []


def test_pictures_are_small_and_shown() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    for picture in (DOCS / "images").iterdir():
        assert picture.resolve() in shown, f"{picture.name} is on no page"
        assert picture.stat().st_size < IMAGE_LIMIT, picture.name


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "pycon")], ids=named)
def test_examples_do_what_they_show(page: Path) -> None:
    test = doctest.DocTestParser().get_doctest("\n".join(blocks(page, "pycon")), {}, named(page), str(page), 0)
    told: list[str] = []
    ran = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert ran.attempted > 0
    assert ran.failed == 0, "".join(told)


def test_python_blocks_are_python() -> None:
    for page in PAGES:
        for block in [*blocks(page, "python"), *blocks(page, "python receiver")]:
            compile(block, named(page), "exec")


def test_the_readme_says_the_two_commands_and_what_is_licensed_how() -> None:
    text = (ROOT / "README.md").read_text()
    assert "    make up\n" in text
    assert "    make test\n" in text
    assert "Apache License 2.0" in text
    assert "WikiSQL" in text and "BSD" in text


def test_the_model_card_is_of_the_shipped_file() -> None:
    card = (ROOT / "models" / "README.md").read_text()
    for name in ("ask-1-q8_0.gguf", "ask-bootstrap-q8_0.gguf"):
        file = ROOT / "models" / name
        assert hashlib.sha256(file.read_bytes()).hexdigest() in card
        assert f"{file.stat().st_size:,} bytes" in card


@asynccontextmanager
async def bridge(streams: Streams) -> AsyncIterator[str]:
    """The bridge's own session behind a WebSocket; gives its address."""

    async def meet(socket: ServerConnection) -> None:
        road = WebSocketConnection(Accepted(socket), "test", 1_000_000)
        await Session(road, streams, "Box", lambda member, said: None, Member("test", "staff")).run()

    async with serve(meet, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ws"


@asynccontextmanager
async def printing(file: Path, *arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """A Python program while it runs; gives what it prints."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(file), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert program.stdout is not None
    try:
        yield program.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            program.kill()
        await program.communicate()


async def test_the_receiver_of_the_guide_follows_a_stream(tmp_path: Path) -> None:
    [source] = blocks(DOCS / "how-to" / "write-a-receiver.md", "python receiver")
    (file := tmp_path / "receiver.py").write_text(source)
    streams = Streams()
    stream = streams.open("main")
    stream.write("test", [Signal("box.facility", "Our house"), Signal("beds.free", 7)])
    async with bridge(streams) as url, printing(file, url) as out:

        async def line() -> str:
            return (await asyncio.wait_for(out.readline(), 10)).decode().strip()

        assert await line() == "1 Our house 2"
        stream.write("test", [Signal("beds.free", None), Signal("box.facility", "Your house")])
        assert await line() == "2 Your house 1"
