"""Finding PostgreSQL and PostgREST, and what is said when they are not there."""

from pathlib import Path

import pytest

from appliance.config import Settings, load
from appliance.errors import ApplianceError
from appliance.pgflex.programs import find_postgres_bin, find_postgrest, postgres_version


def settings(**given: str) -> Settings:
    return load(given, environ={"DREAMSTACK_DATA": "/nowhere"})


def program(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_bundled_postgres_is_17() -> None:
    assert postgres_version(find_postgres_bin(settings())) == 17


def test_system_postgres_can_be_chosen(tmp_path: Path) -> None:
    program(tmp_path / "postgres", "postgres (PostgreSQL) 16.4 (Debian 16.4-1)")
    program(tmp_path / "initdb", "")
    assert find_postgres_bin(settings(postgres_bin=str(tmp_path))) == tmp_path


def test_too_old_postgres_is_refused(tmp_path: Path) -> None:
    program(tmp_path / "postgres", "postgres (PostgreSQL) 14.9")
    program(tmp_path / "initdb", "")
    with pytest.raises(ApplianceError, match=r"BRG411.*version 14") as caught:
        find_postgres_bin(settings(postgres_bin=str(tmp_path)))
    assert caught.value.hint


def test_folder_without_postgres_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ApplianceError, match="BRG411"):
        find_postgres_bin(settings(postgres_bin=str(tmp_path)))


def test_program_that_is_no_postgres(tmp_path: Path) -> None:
    program(tmp_path / "postgres", "hello")
    with pytest.raises(ApplianceError, match="BRG411"):
        postgres_version(tmp_path)
    with pytest.raises(ApplianceError, match="BRG411"):
        postgres_version(tmp_path / "nowhere")


def test_named_postgrest_is_taken_or_refused(tmp_path: Path) -> None:
    named = program(tmp_path / "postgrest", "")
    assert find_postgrest(settings(postgrest=str(named))) == named
    with pytest.raises(ApplianceError, match="BRG411"):
        find_postgrest(settings(postgrest=str(tmp_path / "other")))
    with pytest.raises(ApplianceError, match="BRG411"):
        find_postgrest(settings(postgrest=str(tmp_path)))


def test_postgrest_beside_python_then_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, path = tmp_path / "beside", tmp_path / "path"
    beside.mkdir()
    path.mkdir()
    monkeypatch.setattr("sys.executable", str(beside / "python"))
    monkeypatch.setenv("PATH", str(path))
    with pytest.raises(ApplianceError, match="BRG411") as caught:
        find_postgrest(settings())
    assert "make setup" in str(caught.value.hint)
    on_path = program(path / "postgrest", "")
    assert find_postgrest(settings()) == on_path
    own = program(beside / "postgrest", "")
    assert find_postgrest(settings()) == own
