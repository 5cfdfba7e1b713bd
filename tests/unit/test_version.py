"""The version is looked up when it is asked for, and only that; the command loads what it needs."""

import subprocess
import sys

import pytest

import appliance


def test_the_version_is_there_and_nothing_else_is_made_up() -> None:
    assert appliance.__version__.count(".") == 2
    with pytest.raises(AttributeError):
        appliance.nothing_of_this_name  # noqa: B018


def test_a_word_that_needs_little_loads_little() -> None:
    """``appliance`` says its help in a third of a second: what runs for a word is loaded when it runs."""
    heavy = {"fastapi", "numpy", "llama_cpp", "psycopg", "iroh", "zeroconf", "httpx"}
    program = f"import sys, appliance.cli; appliance.cli.main(['version']); print(*{heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [appliance.__version__, ""]
