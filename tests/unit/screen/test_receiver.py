"""The receiver page: one small file that lets nothing but itself run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import xml.etree.ElementTree as ET
from importlib.resources import files

from appliance.screen.receiver import close_up, load_page, trim

PAGE = load_page()
TEXT = PAGE.plain.decode()


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
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "document.write", "srcdoc"):
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
    script = (files("appliance.screen.receiver") / "receiver.js").read_text(encoding="utf-8")
    running = [line for line in script.splitlines() if line.count("`") % 2 or line.endswith("\\")]
    assert running == []  # no text runs over a line's end, so its indentation is never part of it
