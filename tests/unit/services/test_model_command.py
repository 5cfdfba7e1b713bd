"""``appliance model`` where no box runs: the list, adding, choosing, trying."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.llm.library import Library, catalog
from appliance.services.llm import SHIPPED
from appliance.services.model_probe import Trial, probe
from tests.unit.llm.tiny_model import chat_model

MODEL = Path(__file__).resolve().parents[3] / "models" / SHIPPED
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chat_model(tmp_path_factory.mktemp("tiny") / "Tiny Chat.gguf")


def run(*words: str) -> int:
    return main(["model", *words])


def test_the_list_has_the_shipped_one_and_the_catalog(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--data", str(tmp_path)) == 0
    told = capsys.readouterr().out
    assert SHIPPED in told and "fits" in told
    for entry in catalog():
        assert entry.name in told and entry.file in told and entry.licence in told


def test_a_file_is_added_chosen_and_tried(tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    assert run("add", str(tiny), *data) == 0
    added = capsys.readouterr().out
    [held] = Library(tmp_path).held()
    assert (held.name, held.family, held.context) == ("tiny-chat", "chatml", 2048) and held.sha256 in added
    assert run("use", "tiny-chat", *data) == 0
    assert Library(tmp_path).used() == held and "when it starts" in capsys.readouterr().out
    assert run("list", "--json", *data) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tiny-chat"]["where"] == "in use" and rows["tiny-chat"]["fits"] is True
    assert run("use", "shipped", *data) == 0
    assert Library(tmp_path).used() is None


@pytest.mark.parametrize("name", ["shipped", "file"])
def test_try_shows_the_plan_and_the_time(
    tmp_path: Path, tiny: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both models through the same code; random weights may write a plan that says little."""
    words = ["try", name if name == "shipped" else str(tiny), "How many beds are free in Cardiology?"]
    status = run(*words, "--data", str(tmp_path), "--url", NOWHERE)
    told = capsys.readouterr()
    assert "Collection beds of an example" in told.out
    if status == 0:
        assert '"collection":"beds"' in told.out and "per second" in told.out
    else:
        assert name == "file" and told.err.startswith("LLM206")


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "LLM208"), (b"not a model", "LLM208"), (b"GGUF" + b"\xff" * 5000, "LLM208")]
)
def test_what_is_no_model_is_not_added(
    tmp_path: Path, content: bytes, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "file.gguf").write_bytes(content)
    assert run("add", str(file), "--data", str(tmp_path / "data")) == 1
    assert capsys.readouterr().err.startswith(f"{code}: ")
    assert Library(tmp_path / "data").held() == ()


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", str(tmp_path / "none.gguf"), "--data", str(tmp_path)) == 1
    assert capsys.readouterr().err.startswith("LLM208: ")


def test_a_small_model_does_not_stand_beside_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", str(MODEL), "--data", str(tmp_path)) == 1
    assert capsys.readouterr().err.startswith("LLM221: ")


@pytest.mark.parametrize("action", [("use",), ("try", "How many?")])
def test_a_name_that_is_not_there_is_told(
    tmp_path: Path, action: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *question = action
    assert run(verb, "qwen3-4b", *question, "--data", str(tmp_path)) == 1
    assert "fix: Copy Qwen3-4B-Q4_K_M.gguf" in capsys.readouterr().err


def test_a_file_that_ends_the_process_is_told(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when llama.cpp aborts: the process that tries the file dies, and nothing else."""
    (killer := tmp_path / "python").write_text("#!/bin/sh\nkill -ABRT $$\n")
    killer.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(killer))
    copy = shutil.copy(tiny, tmp_path / "tiny.gguf")
    assert run("add", str(copy), "--data", str(tmp_path)) == 1
    assert "ends the process" in capsys.readouterr().err


def test_the_probe_needs_no_task(tiny: Path) -> None:
    tried = probe(Trial(str(tiny)))
    assert (tried.name, tried.dialect, tried.plan) == ("tiny-chat", "chatml", None) and tried.tokens > 0
