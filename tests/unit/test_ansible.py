"""The roles say what the product says: variables, PostgreSQL's options, parts, users, ports, memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.config import SETTINGS
from appliance.pgflex.embedded import POSTGRES_OPTIONS, _locale
from appliance.services.deployment import FILE, LISTEN, PARTS, Deployment

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = ROOT / "ansible"
ROLES = sorted(path.name for path in (ANSIBLE / "roles").iterdir())
SHARED = "All roles"
PAGE = (ROOT / "docs/reference/ansible.md").read_text()
KIB = {"K": 1, "M": 1024, "G": 1024 * 1024}
BOX_KIB = 7.6 * 1024 * 1024
"""What the kernel of a machine with 8 GB has to give."""
SYSTEM_KIB = 600 * 1024
"""What is left to the system itself."""


def defaults(role: str) -> dict[str, Any]:
    file = ANSIBLE / ("group_vars/all.yml" if role == SHARED else f"roles/{role}/defaults/main.yml")
    return yaml.safe_load(file.read_text()) or {}


def documented(role: str) -> dict[str, str]:
    part = PAGE.partition(f"\n## {role}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z_]+)` \| (.+?) \| .+ \|$", part, re.MULTILINE))


def template(path: str) -> str:
    return (ANSIBLE / path).read_text()


def test_the_roles_are_those_of_the_playbook() -> None:
    told = re.findall(r"- \{role: (\w+), tags: (\w+)", template("site.yml"))
    assert sorted(role for role, _ in told) == ROLES
    assert all(role == tag for role, tag in told)


@pytest.mark.parametrize("role", [SHARED, *ROLES])
def test_every_variable_is_documented_with_its_default(role: str) -> None:
    told, there = documented(role), defaults(role)
    assert list(told) == list(there)
    for name, shown in told.items():
        if shown != "see the file":
            value = there[name]
            written = json.dumps(value) if isinstance(value, bool | list | dict) or value == "" else str(value)
            assert shown == f"`{written}`", name


@pytest.mark.parametrize("role", [SHARED, *ROLES])
def test_every_variable_says_what_it_is_where_it_is_set(role: str) -> None:
    file = ANSIBLE / ("group_vars/all.yml" if role == SHARED else f"roles/{role}/defaults/main.yml")
    lines = file.read_text().splitlines()
    bare = [line for before, line in pairwise(lines) if re.match(r"\w+:", line) and before[:1] != "#"]
    assert bare == []


@pytest.mark.parametrize("role", ROLES)
def test_variables_of_a_role_bear_its_name(role: str) -> None:
    assert [name for name in defaults(role) if not name.startswith(f"{role}_")] == []


def test_postgresql_is_told_what_the_box_tells_its_own() -> None:
    told = defaults("postgres")["postgres_options"]
    # Users of their own reach it here, through a group.
    assert told == {name: value for name, value in POSTGRES_OPTIONS.items() if name != "unix_socket_permissions"}
    assert "unix_socket_permissions = 0770\n" in template("roles/postgres/templates/postgresql.conf.j2")


def test_the_cluster_is_made_as_the_box_makes_its_own() -> None:
    unit = template("roles/postgres/templates/dreamstack-cluster.service.j2")
    for word in ("--encoding=UTF8", "--data-checksums", *_locale(defaults("postgres")["postgres_version"])):
        assert f" {word}" in unit


def test_the_deployment_is_where_the_program_looks_for_it() -> None:
    shared, usual = defaults(SHARED), Deployment()
    assert f"dest: {FILE}" in template("roles/base/tasks/parts.yml")
    assert (shared["dreamstack_data"], shared["dreamstack_runtime"]) == (usual.data, usual.runtime)
    assert usual.database == f"host={defaults('postgres')['postgres_socket']} user=postgres"
    assert {part: f"http://127.0.0.1:{port}" for part, port in shared["dreamstack_listen"].items()} == LISTEN


def test_every_setting_the_deployment_names_is_one() -> None:
    made = template("roles/base/templates/deployment.toml.j2").partition("[settings]")[2]
    named = re.findall(r"'(\w+)':", made)
    assert named == ["lan", "port", "trust_port", "iroh_port"]
    assert set(named) <= {setting.name for setting in SETTINGS}


def test_every_part_has_a_unit_a_user_and_a_place_in_the_target() -> None:
    users = {user["name"] for user in defaults(SHARED)["dreamstack_users"]}
    target = template("roles/base/templates/dreamstack.target.j2")
    owners = template("roles/base/templates/deployment.toml.j2")
    for part in PARTS:
        assert f"part: {part}\n" in template(f"roles/{part}/tasks/main.yml")
        assert f"dreamstack-{part}" in users
        assert f"dreamstack-{part}.service" in target
        assert f"'{part}'" in owners.partition("[owners]")[2].partition("{% endfor %}")[0]


def test_ids_of_users_are_fixed_and_told_apart() -> None:
    shared = defaults(SHARED)
    ids = [user["id"] for user in shared["dreamstack_users"]] + [shared["dreamstack_database_group"]["id"]]
    assert len(set(ids)) == len(ids)
    assert all(600 <= number < 1000 for number in ids)
    members = set(shared["dreamstack_database_group"]["members"])
    assert members == {"postgres", "dreamstack-postgrest", "dreamstack-pgflex"}


def test_the_firewall_opens_the_door_and_nothing_else() -> None:
    told = defaults("hardening")
    assert "[dreamstack_port, dreamstack_trust_port]" in told["hardening_tcp_ports"]
    assert "[dreamstack_iroh_port, 5353]" in told["hardening_udp_ports"]
    assert (told["hardening_ssh"], told["hardening_egress"]) == (False, "building")
    assert template("roles/hardening/templates/nftables.conf.j2").count("policy drop") == 1


def kib(size: str) -> float:
    return BOX_KIB * int(size[:-1]) / 100 if size.endswith("%") else int(size[:-1]) * KIB[size[-1]]


def test_the_memory_of_the_parts_adds_up_on_a_box_with_8_gb() -> None:
    most = {part: kib(defaults(part)[f"{part}_memory_max"]) for part in ("postgres", *PARTS)}
    assert sum(most.values()) + SYSTEM_KIB <= BOX_KIB, most
    for part, limit in most.items():
        assert kib(defaults(part)[f"{part}_memory_high"]) < limit


@pytest.mark.parametrize("kind", ["box", "screen"])
def test_the_packages_of_a_kind_are_listed(kind: str) -> None:
    done = subprocess.run([sys.executable, ANSIBLE / "packages", kind], capture_output=True, text=True, check=True)
    listed = done.stdout.split()
    assert listed == sorted(set(listed))
    assert ("postgresql-17" in listed) == (kind == "box")
    assert ("cage" in listed) == (kind == "screen")


def test_only_what_comes_with_ansible_core_is_used() -> None:
    files = [*ANSIBLE.glob("*.yml"), *ANSIBLE.glob("tasks/*.yml"), *ANSIBLE.glob("roles/*/[th]*/*.yml")]
    used = {word for file in files for word in re.findall(r"^\s*(\w+\.\w+\.\w+):", file.read_text(), re.MULTILINE)}
    assert {word.rpartition(".")[0] for word in used} == {"ansible.builtin"}


def test_no_inventory_holds_a_secret_or_a_network_of_somebody() -> None:
    for file in (ANSIBLE / "inventories").rglob("*.yml"):
        assert not re.search(r"password|BEGIN|\d+\.\d+\.\d+\.\d+", file.read_text()), file.name
