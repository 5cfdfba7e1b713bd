from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from scripts import llama_wheel, wheelhouse


def test_the_baselines_are_those_of_the_decision() -> None:
    intel = wheelhouse.ARCHITECTURES["amd64"].options
    assert "-DGGML_NATIVE=OFF" in intel
    assert {f"-D{option}=ON" for option in llama_wheel.OPTIONAL} < set(intel)
    assert not any("AVX512" in option or "AMX" in option for option in intel)
    arm = wheelhouse.ARCHITECTURES["arm64"].options
    assert "-DGGML_NATIVE=OFF" in arm and "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16" in arm
    told = (wheelhouse.ROOT / "docs" / "adr" / "0002-cpu-baseline.md").read_text()
    assert "armv8.2-a+dotprod+fp16" in told


def test_the_same_content_is_the_same_bits(tmp_path: Path) -> None:
    digests = set()
    for number, names in enumerate((("b", "a"), ("a", "b"))):
        wheel = tmp_path / f"{number}.whl"
        with zipfile.ZipFile(wheel, "w") as out:
            for name in names:
                entry = zipfile.ZipInfo(name, (2000 + number, 1, 1, 0, 0, 0))
                entry.external_attr = 0o755 << 16
                out.writestr(entry, name * 100)
        digests.add(hashlib.sha256(wheelhouse.normal(wheel).read_bytes()).hexdigest())
        with zipfile.ZipFile(wheel) as made:
            assert [item.filename for item in made.infolist()] == ["a", "b"]
            assert made.read("a") == b"a" * 100
            assert made.infolist()[0].external_attr == 0o755 << 16
    assert len(digests) == 1


def test_the_project_as_a_wheel_holds_all_it_needs(tmp_path: Path) -> None:
    wheel = wheelhouse.project(tmp_path)
    with zipfile.ZipFile(wheel) as made:
        names = set(made.namelist())
    here = {
        str(path.relative_to(wheelhouse.ROOT))
        for path in (wheelhouse.ROOT / "appliance").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "training" not in path.parts
    }
    assert here - names == set()
    shared = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert {"share/dreamstack/models/ask-1-q8_0.gguf", "share/dreamstack/models/catalog.toml"} <= shared


def test_old_wheels_leave_and_sums_are_of_what_is_there(tmp_path: Path) -> None:
    folder, fresh = tmp_path / "house", tmp_path / "fresh"
    (fresh / "made").mkdir(parents=True)
    folder.mkdir()
    (folder / "old-1.whl").write_bytes(b"old")
    (fresh / "new-2.whl").write_bytes(b"new")
    (fresh / "made" / "ours-3.whl").write_bytes(b"ours")
    (fresh / "project.whl").write_bytes(b"ours")
    wheelhouse.replace(folder, fresh)
    wheelhouse.write_sums(folder)
    assert {path.name for path in folder.iterdir()} == {"new-2.whl", "ours-3.whl", "SHA256SUMS"}
    assert f"{hashlib.sha256(b'new').hexdigest()}  new-2.whl\n" in (folder / "SHA256SUMS").read_text()


def test_no_compiler_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(wheelhouse.Refused, match=r"g\+\+-aarch64-linux-gnu"):
        wheelhouse.llama(wheelhouse.ARCHITECTURES["arm64"], tmp_path)


def test_other_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert wheelhouse.main(["mips"]) == 2
    assert "amd64|arm64" in capsys.readouterr().err
