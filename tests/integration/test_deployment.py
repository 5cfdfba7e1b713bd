"""The full profile: parts are started one by one, each with its own file, and know no more than they need."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.box import appliance, environment
from tests.full_box import SERVICES, FullBox, full_box


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullBox]:
    folder = tmp_path_factory.mktemp("full")
    folder.chmod(0o755)
    with full_box(folder) as made:
        told = made.prepare()
        assert told.returncode == 0, told.stderr
        yield made


def runtime(box: FullBox, part: str) -> dict[str, Any]:
    return dict(json.loads((box.runtime / part / "runtime.json").read_bytes()))


def test_parts_started_one_by_one_answer_a_question(box: FullBox) -> None:
    for part in ("gateway", "bridge", "llm", "pgflex", "postgrest"):
        box.start(part)
    box.wait_well()
    answer = ask(box, "How many patients are in cardiology?")
    assert answer["rows"], answer
    told = appliance("ask", "How many wards are there?", DREAMSTACK_URL=box.url)
    assert told.returncode == 0, told.stderr

    where = appliance("admin", "address", "--deployment", str(box.file))
    assert where.returncode == 0, where.stderr
    assert f":{box.port}/" in where.stdout and re.search(r"--box [0-9a-f]{64}@127", where.stdout)

    box.parts["llm"].kill()
    box.parts["llm"].wait(10)
    box.start("llm")
    box.wait_well()
    assert ask(box, "How many patients are in cardiology?")["rows"] == answer["rows"]


def test_a_second_preparation_changes_nothing_that_runs(box: FullBox) -> None:
    files = [*(box.runtime / part / "runtime.json" for part in SERVICES), box.runtime / "postgrest" / "postgrest.conf"]
    before = [file.read_bytes() for file in files]
    assert box.prepare().returncode == 0
    assert [file.read_bytes() for file in files] == before


def test_no_part_is_told_what_is_not_its_business(box: FullBox) -> None:
    secret = runtime(box, "gateway")["secret"]
    keys = set(runtime(box, "gateway")["keys"].values())
    passwords = json.loads((box.data / "keys" / "postgres.json").read_bytes())
    assert len(secret) >= 48 and len(keys) == 3
    for part in SERVICES:
        text = (box.runtime / part / "runtime.json").read_text()
        assert (secret in text) == (part != "llm")
        assert any(key in text for key in keys) == (part in ("gateway", "bridge"))
        assert (passwords["flex"] in text) == (part == "pgflex")
        assert passwords["authenticator"] not in text and passwords["dreamstack"] not in text
        assert runtime(box, part)["settings"]["data"] == str(box.data / "parts" / part)


def test_what_is_secret_only_its_owner_reads(box: FullBox) -> None:
    files = [*box.runtime.rglob("*.*"), *(box.data / "keys").glob("*.key"), *(box.data / "keys").glob("*.json")]
    assert len(files) >= 10
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((box.data / "keys").stat().st_mode) == 0o700


def test_a_vendors_settings_give_way_to_the_facilitys(box: FullBox) -> None:
    assert runtime(box, "gateway")["settings"]["box_name"] == "Vendor's"
    settings = box.data / "settings.toml"
    settings.write_text('box_name = "St. Anna"\n')
    try:
        assert box.prepare().returncode == 0
        assert runtime(box, "gateway")["settings"]["box_name"] == "St. Anna"
    finally:
        settings.unlink()
        assert box.prepare().returncode == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("data = 3", "BRG412"),
        ("[listen]\nelectric = 'http://127.0.0.1:1'", "BRG412"),
        ("[owners]\nllm = 'nobody-of-this-name'", "BRG412"),
        ("database = 'no such words'", "PGF108"),
        ("colour = 'red'", "BRG412"),
        ("[settings]\nport = 'many'", "BRG412"),
        ("[settings]\nprot = 1", "BRG412"),
    ],
)
def test_a_deployment_that_cannot_be_is_one_line(tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text(
        text if text.startswith("data") else f'data = "{tmp_path}/data"\nruntime = "{tmp_path}/run"\n{text}'
    )
    told = appliance("prepare", "--deployment", str(file))
    assert told.returncode == 1
    assert told.stderr.startswith(f"{code}: "), told.stderr


def test_a_part_that_nobody_prepared_says_so(tmp_path: Path) -> None:

    done = subprocess.run(
        [sys.executable, "-m", "appliance.services.llm"],
        env=environment(DREAMSTACK_RUNTIME_FILE=str(tmp_path / "none.json")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "BRG412" in done.stderr and "appliance prepare" in done.stderr and "Traceback" not in done.stderr


def ask(box: FullBox, question: str) -> dict[str, Any]:
    answer = httpx.post(f"{box.url}/api/ask", json={"question": question}, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
