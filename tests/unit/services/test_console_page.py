"""The console's files: what is vendored is npm's, every text has its German, and nothing runs that is not ours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from appliance.services import door_console

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "appliance" / "services" / "console_page"
NODE = ROOT / "tests" / "integration" / "node" / "node_modules"
ORIGINALS = {
    "preact.mjs": "preact/dist/preact.mjs",
    "hooks.mjs": "preact/hooks/dist/hooks.mjs",
    "htm.mjs": "htm/dist/htm.mjs",
    "LICENSE.preact": "preact/LICENSE",
    "LICENSE.htm": "htm/LICENSE",
}
TEXT = r'"((?:[^"\\]|\\.)*)"'
SPOKEN = (
    rf"\b[tw]\({TEXT}",  # t("...") and w("...")
    rf'\bt\([^"()]*\? {TEXT} : {TEXT}',  # one of two
    rf'\btn\((?:[^",]|\([^)]*\))+, {TEXT}, {TEXT}',  # one or many
)
MODULES = [path for path in PAGE.rglob("*.mjs") if path.parent.name not in ("vendor", "words", "de")]


def spoken() -> dict[str, str]:
    """Every text that the pages say, with the file that says it."""
    found: dict[str, str] = {}
    for path in MODULES:
        for pattern in SPOKEN:
            for match in re.finditer(pattern, path.read_text()):
                found |= {text.replace('\\"', '"'): path.name for text in match.groups()}
    return found


def german(*, of_the_box: bool = False) -> list[str]:
    """What has a German of its own: of the pages, or of the box's faults."""
    files = (path for path in (PAGE / "words" / "de").glob("*.mjs") if (path.stem == "faults") is of_the_box)
    texts = [path.read_text() for path in files]
    return [key.replace('\\"', '"') for text in texts for key in re.findall(rf"^  {TEXT}: ", text, re.MULTILINE)]


def test_what_is_vendored_is_what_npm_has() -> None:
    assert {path.name for path in (PAGE / "vendor").iterdir()} == set(ORIGINALS)
    for name, original in ORIGINALS.items():
        assert (PAGE / "vendor" / name).read_bytes() == (NODE / original).read_bytes(), name


def test_every_text_has_its_german_and_nothing_else_has() -> None:
    said, there = spoken(), german()
    assert len(said) > 500
    assert {text: file for text, file in said.items() if text not in there} == {}
    assert [text for text in there if text not in said] == []
    assert len(there) == len(set(there))


def test_what_the_box_says_is_translated_as_it_says_it() -> None:
    """Sentences and hints of faults are looked up whole: one that was reworded would be English again."""
    there = german(of_the_box=True)
    texts = [
        node.value
        for path in (PAGE.parents[1]).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(there) == len(set(there)) > 100
    assert [text for text in there if text not in texts] == []


def test_faults_of_the_console_have_their_german() -> None:
    known = {*german(), *german(of_the_box=True)}
    said = {
        node.args[1].value: path.name
        for path in (PAGE.parent / "admin").glob("*.py")
        if not path.name.startswith(("command", "desk"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ApplianceError"
        if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    }
    assert {text: name for text, name in said.items() if text not in known} == {}


def test_a_translation_fills_in_what_the_text_fills_in() -> None:
    texts = "".join(path.read_text() for path in (PAGE / "words" / "de").glob("*.mjs"))
    pairs, blank = re.findall(rf"^  {TEXT}: {TEXT},$", texts, re.MULTILINE), re.compile(r"\{\w+\}")
    blanks = [(one, other) for one, other in pairs if set(blank.findall(one)) != set(blank.findall(other))]
    assert len(pairs) == len(german()) + len(german(of_the_box=True))
    assert blanks == []


def test_no_file_is_long() -> None:
    lines = {
        path.name: len(path.read_text().splitlines()) for path in PAGE.rglob("*.*") if path.parent.name != "vendor"
    }
    assert {name: count for name, count in lines.items() if count > 300} == {}


def test_styles_know_no_left_and_right() -> None:
    sided = re.compile(r"\b(margin|padding|border)-(left|right)\b|text-align: (left|right)|[{;] (left|right):")
    assert [(path.name, found) for path in (PAGE / "look").iterdir() for found in sided.findall(path.read_text())] == []


def test_the_page_names_its_files_and_runs_nothing_else() -> None:
    version, parts = door_console.load()
    text = door_console._page("Ward & <house>").plain.decode()
    assert "Ward &amp; &lt;house&gt;" in text
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", text) == []
    named = re.findall(rf'(?:src|href)="/console/{version}/([^"]+)"', text)
    assert set(named) <= set(parts)
    assert "main.mjs" in named
    assert "unsafe" not in door_console.POLICY
    assert "script-src 'self'" in door_console.POLICY


def test_every_import_leads_to_a_file_that_is_served() -> None:
    _, parts = door_console.load()
    for name in (name for name in parts if name.endswith(".mjs")):
        text = parts[name].plain.decode()
        for target in re.findall(r'(?m)(?:\bfrom ?|^import |import\()"(?=[.\w@])([^"]+)"', text):
            assert target.startswith("."), f"{name} imports {target}"
            at = ((PAGE / name).parent / target).resolve()
            assert str(at.relative_to(PAGE)) in parts, f"{name} imports {target}"


class Nobody:
    """A gateway that knows no credential."""

    class settings:
        box_name = "Box"


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    door_console.install(app, Nobody())  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://box")


async def test_the_page_is_served_at_every_address_of_it_and_is_kept(client: httpx.AsyncClient) -> None:
    for path in ("/admin", "/admin/screens", "/admin/collections/lab%20results/fields", "/setup"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == door_console.POLICY
        assert (await client.get(path, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304


async def test_files_are_kept_for_good_and_only_there_are_they(client: httpx.AsyncClient) -> None:
    version, _ = door_console.load()
    answer = await client.get(f"/console/{version}/main.mjs")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (await client.get("/console/other/main.mjs")).status_code != 200
    assert (await client.get(f"/console/{version}/index.html")).status_code != 200


@pytest.mark.parametrize("path", ["/api/admin/audit", "/administrator", "/adminx", "/", "/setup2", "/admin/../api"])
def test_what_is_not_the_page_is_not_open(path: str) -> None:
    assert door_console.is_open("/admin/screens")
    assert not door_console.is_open(path)
