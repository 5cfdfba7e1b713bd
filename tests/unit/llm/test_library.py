"""The models of a box, and the catalog."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.llm import library
from appliance.llm.dialects import FAMILIES
from appliance.llm.library import Library, catalog, default_name, fits

OPEN = {"Apache-2.0", "MIT", "BSD-3-Clause"}


def test_the_catalog_is_whole() -> None:
    entries = catalog()
    assert 4 <= len(entries) == len({entry.name for entry in entries}) == len({entry.file for entry in entries})
    for entry in entries:
        assert entry.licence in OPEN, entry.name
        assert entry.family in {family.name for family in FAMILIES}
        assert entry.file.endswith(".gguf") and entry.context >= 4096
        assert entry.size_gb < entry.ram_gb < 64
        assert re.fullmatch(r"([0-9a-f]{64})?", entry.sha256), entry.name
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", entry.name)


def test_what_is_too_large_for_the_machine_is_known() -> None:
    assert fits(0.1) and not fits(100_000)


@pytest.fixture
def shelf(tmp_path: Path) -> Library:
    return Library(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (path := tmp_path / "My Model v1.gguf").write_bytes(b"GGUF and more")
    return path


def test_a_file_is_copied_with_its_checksum(shelf: Library, file: Path) -> None:
    held = shelf.add(file, "", "chatml", 2048)
    assert (held.name, held.family, held.context, held.bytes) == ("my-model-v1", "chatml", 2048, 13)
    assert held.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert shelf.path(held).read_bytes() == file.read_bytes()
    assert shelf.held() == (held,) and shelf.used() is None
    assert shelf.add(file, "", "chatml", 2048) == held and shelf.held() == (held,)


def test_one_is_chosen_and_the_shipped_one_again(shelf: Library, file: Path) -> None:
    held = shelf.add(file, "mine", "phi", 2048)
    assert shelf.use("mine") == held and shelf.used() == held
    assert shelf.use("shipped") is None and shelf.used() is None


def test_one_that_is_not_there_is_told(shelf: Library) -> None:
    with pytest.raises(ApplianceError, match="LLM220"):
        shelf.use("none")
    with pytest.raises(ApplianceError, match="LLM220") as caught:
        shelf.use("qwen3-4b")
    assert "Qwen3-4B-Q4_K_M.gguf" in str(caught.value.hint)


def test_another_file_of_the_same_name_is_refused(shelf: Library, file: Path, tmp_path: Path) -> None:
    held = shelf.add(file, "", "chatml", 2048)
    (other := tmp_path / "other.gguf").write_bytes(b"GGUF other")
    with pytest.raises(ApplianceError, match="LLM221"):
        shelf.add(other, held.name, "chatml", 2048)
    assert shelf.path(held).read_bytes() == file.read_bytes()
    assert sorted(path.name for path in shelf.folder.iterdir()) == ["models.json", "my-model-v1.gguf"]


def test_a_file_of_the_catalog_has_to_be_that_file(shelf: Library, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = msgspec.structs.replace(catalog()[0], file=file.name, sha256="0" * 64)
    monkeypatch.setattr(library, "catalog", lambda: (entry,))
    with pytest.raises(ApplianceError, match="LLM221") as caught:
        shelf.add(file, "", "chatml", 2048)
    assert caught.value.details["expected"] == "0" * 64 and shelf.held() == ()
    monkeypatch.setattr(library, "catalog", lambda: (msgspec.structs.replace(entry, sha256=""),))
    held = shelf.add(file, "", "chatml", 2048)
    assert (held.name, held.licence, held.ram_gb) == (entry.name, entry.licence, entry.ram_gb)


@pytest.mark.parametrize("name", ["shipped", "../x", "A", "-x", "x/y", "ä", "x" * 64])
def test_a_name_that_cannot_be_is_refused(shelf: Library, file: Path, name: str) -> None:
    with pytest.raises(ApplianceError, match="LLM221"):
        shelf.add(file, name, "chatml", 2048)


def test_no_room_is_told(shelf: Library, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage(file)._replace(free=3)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(ApplianceError, match="PGF107"):
        shelf.add(file, "", "chatml", 2048)


def test_a_file_that_is_not_there_is_told(shelf: Library, tmp_path: Path) -> None:
    with pytest.raises(ApplianceError, match="LLM208"):
        shelf.add(tmp_path / "none.gguf", "", "chatml", 2048)


def test_a_list_that_cannot_be_read_is_told(shelf: Library) -> None:
    shelf.folder.mkdir(parents=True)
    (shelf.folder / "models.json").write_text("{")
    with pytest.raises(ApplianceError, match="PGF108"):
        shelf.held()


@pytest.mark.parametrize(("name", "made"), [("Qwen3 4B.gguf", "qwen3-4b"), ("..gguf", "model"), ("日本.gguf", "model")])
def test_a_name_is_made_of_the_files(name: str, made: str) -> None:
    assert default_name(Path(name)) == made
