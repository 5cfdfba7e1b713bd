"""The receiver page: one small file that lets nothing but itself run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path

import pytest

from appliance.screen.receiver import close_up, digest, load_page, load_parts, trim
from appliance.screen.receiver.bundling import bundle
from appliance.screen.receiver.layers import LANGUAGES

PAGE, PARTS = load_page(), load_parts()
_FOLDER = Path(str(files("appliance.screen.receiver")))
MODULES = {str(path.relative_to(_FOLDER)): path.read_text() for path in sorted(_FOLDER.glob("*/*.mjs"))}
TEXT = PAGE.plain.decode()
WAYS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "document.write", "srcdoc")


def test_it_is_small() -> None:
    assert len(PAGE.plain) <= 44 * 1024
    assert len(PAGE.gzipped) <= 16 * 1024
    assert gzip.decompress(PAGE.gzipped) == PAGE.plain


def test_nothing_is_left_to_fill_in() -> None:
    assert "{{" not in TEXT
    assert len(re.findall("<style>", TEXT)) == len(re.findall("<script>", TEXT)) == 1


def test_the_policy_allows_what_is_on_the_page_and_nothing_else() -> None:
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        found = re.search(f"<{tag}>(.*)</{tag}>", TEXT, re.DOTALL)
        assert found
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in PAGE.policy
    for directive in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
        assert directive in PAGE.policy
    assert "unsafe" not in PAGE.policy
    assert "*" not in PAGE.policy


def test_it_runs_no_text_as_code() -> None:
    for way in WAYS:
        assert way not in TEXT
    assert re.findall(r"\son[a-z]+=", TEXT.partition("<body>")[2]) == [], "no handler is written in the page's text"
    assert re.findall(r'\sstyle="', TEXT) == []


def test_it_names_no_other_place() -> None:
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w{2,}", re.sub(r"//[^\n]*\n", "\n", TEXT)) == []


def test_the_entity_tag_is_of_its_bytes() -> None:
    assert PAGE.etag == f'"{hashlib.sha256(PAGE.plain).hexdigest()[:16]}"'
    assert load_page() == PAGE


def test_the_icon_is_a_picture() -> None:
    assert ET.fromstring(PAGE.icon).tag.endswith("svg")  # noqa: S314 (our own file)
    assert len(PAGE.icon) < 2048


def test_style_loses_the_spaces_that_say_nothing() -> None:
    assert close_up("a :is(b, c) {\nd: 1px solid; e: f\n}\n@media (g: h) { i { j: k } }") == (
        "a :is(b, c){d:1px solid;e:f}@media (g:h){i{j:k}}"
    )
    style = (files("appliance.screen.receiver") / "receiver.css").read_text(encoding="utf-8")
    assert all(not set(text) & set("{};:") for text in re.findall(r'"([^"]*)"', style))


def test_trimming_takes_nothing_but_indentation_and_comments() -> None:
    assert trim("a {\n  b: c; /* why */\n  /* all comment */\n\n}\n  // note\n  d") == "a {\nb: c; /* why */\n}\nd"
    running = [line for line in "\n".join(MODULES.values()).splitlines() if line.count("`") % 2 or line.endswith("\\")]
    assert running == []  # no text runs over a line's end, so its indentation is never part of it


# Modules ---------------------------------------------------------------------------------------------------


def test_modules_follow_those_that_they_import(tmp_path: Path) -> None:
    (tmp_path / "main.mjs").write_text('// first\nimport { b } from "./b.mjs";\n\nexport const a = b + 1;\n')
    (tmp_path / "b.mjs").write_text('import { c } from "./c.mjs";\nexport function b() {\n  return c;\n}\n')
    (tmp_path / "c.mjs").write_text('import { b } from "./b.mjs";\nexport const c = 1;\n')
    assert bundle(tmp_path) == ('"use strict";{\nconst c = 1;\nfunction b() {\nreturn c;\n}\nconst a = b + 1;\n}')


@pytest.mark.parametrize("folder", ["page", "past", "full"])
def test_every_module_is_in_its_script_and_no_two_have_a_name_in_common(folder: str) -> None:
    names: list[str] = []
    texts = {path: text for path, text in MODULES.items() if path.startswith(folder)}
    for path, text in texts.items():
        imports = [line for line in text.splitlines() if line.startswith("import")]
        assert all(re.fullmatch(r'import \{ .* \} from "\./[\w.]+";', line) for line in imports), path
        assert not re.search(r"\bimport\(|^export (?!const|let|function|async|class)", text, re.MULTILINE), path
        names += re.findall(r"^(?:export )?(?:async )?(?:function\*?|class) (\w+)", text, re.MULTILINE)
        for told in re.findall(r"^(?:export )?(?:const|let) (.*)", text, re.MULTILINE):
            names += re.findall(r"(?:^|, )([A-Za-z_$]\w*)(?=\s*[=,;]|$)", re.sub(r"\(.*?\)|\{.*?\}|\[.*?\]", "", told))
    assert len(names) > 15
    assert sorted(names) == sorted(set(names))
    script = TEXT if folder == "page" else PARTS[f"/{folder}.js"].plain.decode()
    mine = [trim(re.sub(r"^import .*|^export ", "", text, flags=re.MULTILINE)) for text in texts.values()]
    assert [text for text in mine if text not in script] == []
    assert "import " not in re.sub(r'".*?"', "", script.partition("<script>")[2] or script)


def test_a_module_is_a_room_of_its_own() -> None:
    assert {path: lines for path, text in MODULES.items() if (lines := len(text.splitlines())) > 200} == {}


# What is fetched later -------------------------------------------------------------------------------------

RUNS = {path: part for path, part in PARTS.items() if not path.startswith("/words/")}
OURS = {path: part for path, part in RUNS.items() if not path.startswith("/chart.")}


def test_what_is_fetched_is_not_in_the_page_but_named_by_its_policy() -> None:
    assert {"/past.css", "/past.js", "/full.css", "/full.js", "/chart.css", "/chart.js", "/microphone.js"} == set(RUNS)
    for path, part in RUNS.items():
        text = part.plain.decode()
        assert text not in TEXT and text[:200] not in TEXT
        assert f"'{digest(text)}'" in PAGE.policy, path
        assert part.etag == f'"{hashlib.sha256(part.plain).hexdigest()[:16]}"'
        assert gzip.decompress(part.gzipped) == part.plain


@pytest.mark.parametrize(("name", "most"), [("past", 8), ("full", 24), ("chart", 26)])
def test_what_is_fetched_is_small(name: str, most: int) -> None:
    assert sum(len(part.gzipped) for path, part in PARTS.items() if path.startswith(f"/{name}.")) <= most * 1024


def test_what_is_fetched_runs_no_text_as_code() -> None:
    for part in RUNS.values():
        script = part.plain.decode()
        for way in WAYS:
            assert way not in script
    for part in OURS.values():
        assert set(re.findall(r"https?://[^\"]+", part.plain.decode())) <= {"http://www.w3.org/2000/svg"}


def test_the_styles_say_start_and_end_and_not_left_and_right() -> None:
    """So that a language that is written from right to left mirrors the page."""
    styles = [path for path in _FOLDER.glob("*/*.css") if path.parent.name != "chart"] + [_FOLDER / "receiver.css"]
    sided = re.compile(r"(margin|padding|border)-(left|right)|text-align: (left|right)|float:")
    for path in styles:
        rules = re.sub(r"\[dir=.rtl.\](?: \{[^}]*\}|[^\n]*)(?:\n  [^\n]*)*", "", path.read_text())
        found = [line.strip()[:60] for line in rules.splitlines() if sided.search(line) and ".bar i" not in line]
        assert found == [], path.name


def test_the_chart_library_is_as_its_makers_gave_it_out() -> None:
    sums = (_FOLDER / "chart" / "SHA256SUMS").read_text().split()
    told = dict(zip(sums[1::2], sums[::2], strict=True))
    assert set(told) == {"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"}
    for name, expected in told.items():
        assert hashlib.sha256((_FOLDER / "chart" / name).read_bytes()).hexdigest() == expected, name
    assert b"Permission is hereby granted" in PARTS["/chart.js"].plain, "the licence goes with every copy"


# Words -----------------------------------------------------------------------------------------------------

WORDS = {path.stem: json.loads(path.read_text()) for path in (_FOLDER / "words").glob("*.json")}
_CALL = re.compile(r'\btr?\("((?:[^"\\]|\\.)*)"')


def test_every_language_has_every_message_with_the_same_places() -> None:
    assert set(WORDS) == set(LANGUAGES) == {"en", "de"}
    assert all(english == message for english, message in WORDS["en"].items())
    for name, words in WORDS.items():
        assert list(words) == list(WORDS["en"]), name
        for english, message in words.items():
            assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", message)), message


def test_the_page_of_a_kiosk_that_waits_has_all_its_words_in_german() -> None:
    script = (_FOLDER / "waiting.js").read_text()
    german = dict(re.findall(r'^  "(.*)": "(.*)",$', script, re.MULTILINE))
    assert set(re.findall(r'\bt\("([^"]*)"', script)) == set(german)
    assert [text for text in german.items() if text[0].count("{0}") != text[1].count("{0}")] == []


def test_what_is_said_is_in_the_files_and_what_is_in_the_files_is_said() -> None:
    source = "\n".join([*MODULES.values(), (_FOLDER / "receiver.html").read_text()])
    said = {text for module in MODULES.values() for text in _CALL.findall(module)}
    assert said - set(WORDS["en"]) == set()
    unsaid = [message for message in WORDS["en"] if f'"{message}"' not in source and f">{message}<" not in source]
    assert unsaid == []
