"""A root file system is provisioned with the same roles, without starting anything in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ansible import debian
from tests.ansible.playbook import ANSIBLE, run, what_changed

PROVISION = ANSIBLE / "provision-tree"
UNITS = "postgres cluster prepare postgrest pgflex llm bridge gateway backup".split()
EXPOSED = 3.0


class Tree:
    """A root file system that was provisioned, and what was said meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = self.fleeting()
        self.checked = run([PROVISION, path, "--check"])
        assert not (path / "opt/dreamstack").exists()
        self.told = run([PROVISION, path])
        self.after = self.fleeting()

    def fleeting(self) -> set[Path]:
        """What is in the folders that a machine starts with empty."""
        return {path for name in ("run", "tmp", "dev", "proc", "sys") for path in (self.path / name).rglob("*")}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the tree in it."""
        return subprocess.run(["chroot", self.path, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    path = tmp_path_factory.mktemp("tree") / "root"
    path.mkdir()
    subprocess.run(["tar", "--extract", "--file", debian.base(), "--directory", path], check=True)
    yield Tree(path)
    shutil.rmtree(path)


def test_check_mode_tells_what_would_change_and_changes_nothing(tree: Tree) -> None:
    assert tree.checked.changed > 10
    assert tree.told.changed > tree.checked.changed


def test_a_second_run_changes_nothing(tree: Tree) -> None:
    again = run([PROVISION, tree.path])
    assert what_changed(again) == []
    assert again.changed == 0


def test_every_unit_is_one_systemd_understands(tree: Tree) -> None:
    units = [f"/etc/systemd/system/dreamstack-{name}.service" for name in UNITS]
    assert [unit for unit in units if not (tree.path / unit[1:]).exists()] == []
    done = tree.run("systemd-analyze", "verify", "dreamstack.target", "dreamstack-backup.timer", *units)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_no_unit_is_exposed(tree: Tree, name: str) -> None:
    assert exposure(tree, name) <= EXPOSED


def exposure(tree: Tree, name: str) -> float:
    """From 0, which is none, to 10."""
    done = tree.run("systemd-analyze", "security", "--offline=true", "--no-pager", f"dreamstack-{name}.service")
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stderr
    return float(level[1])


def test_services_are_enabled_and_nobody_comes_in(tree: Tree) -> None:
    for unit in ("dreamstack.target", "nftables.service", "chrony.service", "dreamstack-backup.timer"):
        assert tree.run("systemctl", "is-enabled", unit).stdout == "enabled\n", unit
    assert tree.run("systemctl", "is-enabled", "apt-daily.timer").stdout == "masked\n"
    assert not (tree.path / "etc/ssh/sshd_config").exists()
    root = next(line for line in (tree.path / "etc/shadow").read_text().splitlines() if line.startswith("root:"))
    assert root.split(":")[1][:1] in ("!", "*")


def test_there_is_no_database_yet_and_no_key(tree: Tree) -> None:
    assert list((tree.path / "var/lib").glob("postgresql/*")) == []
    assert not (tree.path / "var/lib/dreamstack").exists()
    assert list((tree.path / "etc/postgresql").glob("*")) == []


def test_users_have_the_ids_they_have_on_every_box(tree: Tree) -> None:
    told = {line.split(":")[0]: line.split(":")[2] for line in (tree.path / "etc/passwd").read_text().splitlines()}
    assert (told["postgres"], told["_chrony"], told["dreamstack-gateway"]) == ("600", "601", "615")


def test_the_program_runs_from_where_it_is_linked(tree: Tree) -> None:
    assert tree.run("/usr/local/bin/appliance", "version").stdout.strip()
    said = tree.run(
        "/opt/dreamstack/venv/bin/python", "-c", "import llama_cpp, appliance.config as c; print(c.shipped_models())"
    )
    assert (tree.path / said.stdout.strip()[1:]).is_dir(), said.stderr
    assert tree.run("/opt/dreamstack/venv/bin/postgrest", "--help").returncode == 0


def test_the_build_leaves_nothing_of_itself_behind(tree: Tree) -> None:
    assert not (tree.path / "opt/dreamstack/wheels").exists()
    assert tree.after == tree.before
    assert not (tree.path / "root/.ansible").exists()


def test_the_display_is_no_more_exposed(tree: Tree) -> None:
    # Its unit alone: the browser would take longer to install than all the rest.
    run([PROVISION, tree.path, "--tags", "kiosk", "-e", '{"kiosk_enabled": true, "kiosk_packages": []}'])
    assert exposure(tree, "kiosk") <= EXPOSED
    assert tree.run("systemctl", "is-enabled", "dreamstack-kiosk.service").stdout == "enabled\n"
