"""What compose.yaml promises: one door, no way around it, no default password, the same PostgreSQL as everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from appliance.pgflex.embedded import POSTGRES_OPTIONS, _locale
from appliance.services.deployment import SERVICES, read
from tests.box import ROOT
from tests.containers.stack import Stack

OURS = ("prepare", "tools", *SERVICES)


@pytest.fixture(scope="module")
def told(images: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The file as Docker reads it."""
    with Stack(tmp_path_factory.mktemp("read")) as stack:
        return dict(stack.compose.get_config())


def test_postgresql_has_the_options_of_the_embedded_one(told: dict[str, Any]) -> None:
    words = [word.removeprefix("-c").split("=", 1) for word in told["services"]["postgres"]["command"][1:]]
    here = dict(words)
    assert here.pop("listen_addresses") == "*"
    assert here == {name: value for name, value in POSTGRES_OPTIONS.items() if name != "listen_addresses"}
    made = told["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert set(made) == {"--encoding=UTF8", "--auth=scram-sha-256", "--data-checksums", *_locale(17)}


def test_one_port_is_published(told: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in told["services"].items() if service.get("ports")}
    assert list(published) == ["gateway"] and len(published["gateway"]) == 1


def test_nothing_may_more_than_it_must(told: dict[str, Any]) -> None:
    for name, service in told["services"].items():
        assert service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert int(service["mem_limit"]) <= 1024**3, name
        assert "privileged" not in service and "network_mode" not in service and "pid" not in service, name
        assert service.get("read_only") is True, name
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), name


def test_a_part_mounts_only_what_is_its_own(told: dict[str, Any]) -> None:
    for part in SERVICES:
        volumes = {(each["source"], each["target"], bool(each.get("read_only"))) for each in _volumes(told, part)}
        own = (part, f"/var/lib/dreamstack/box/parts/{part}", False)
        assert volumes == {own, (f"{part}-told", f"/run/dreamstack/{part}", True)}
        assert "secrets" not in told["services"][part]
    assert [each["source"] for each in _volumes(told, "postgrest")] == ["postgrest-told"]
    assert [each["source"] for each in _volumes(told, "postgres")] == ["database"]


def test_the_database_is_far_from_the_door(told: dict[str, Any]) -> None:
    networks = {name: set(service["networks"]) for name, service in told["services"].items()}
    assert networks == {
        "postgres": {"database"},
        "prepare": {"database"},
        "postgrest": {"database", "inside"},
        "pgflex": {"database", "inside"},
        "llm": {"inside"},
        "bridge": {"inside"},
        "gateway": {"inside", "door"},
        "tools": {"database", "inside"},
    }
    assert told["networks"]["database"]["internal"] and told["networks"]["inside"]["internal"]
    assert told["networks"]["door"]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"


def test_no_password_is_in_the_repository() -> None:
    files = (
        ROOT / "compose.yaml",
        ROOT / "compose.screens.yaml",
        ROOT / "Dockerfile",
        *(ROOT / "compose").rglob("*.*"),
    )
    given = re.compile(r"^\s*[\w-]*(?:PASSWORD|SECRET)\w*\s*[:=]\s*(?!\$|/run/secrets)\S", re.MULTILINE)
    assert {file.name: given.findall(file.read_text()) for file in files if given.search(file.read_text())} == {}


def test_secrets_are_made_once_and_are_private(images: None, folder: Path) -> None:
    with Stack(folder):
        first = (folder / "secrets" / "database-password").read_text()
    with Stack(folder):
        assert (folder / "secrets" / "database-password").read_text() == first
    assert len(first.strip()) > 32
    assert (folder / "secrets").stat().st_mode & 0o077 == 0


def test_the_deployment_is_one_that_can_be_read() -> None:
    deployment, settings = read(ROOT / "compose" / "deployment.toml", {})
    assert set(deployment.listen) == {"postgrest", "pgflex", "llm", "bridge"}
    assert settings.lan and not settings.mdns


def _volumes(told: dict[str, Any], service: str) -> list[dict[str, Any]]:
    return list(told["services"][service]["volumes"])
