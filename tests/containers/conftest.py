"""Docker, the images, and one box in containers that many tests share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.core.config import testcontainers_config

from tests.box import ROOT, environment
from tests.containers.stack import Stack

testcontainers_config.ryuk_disabled = True  # a container from a registry; each test removes what it made


@pytest.fixture(scope="session")
def images() -> None:
    """Docker answers, and the images are made; what it says when it cannot is what the test fails with."""
    for name in [name for name in os.environ if name.startswith(("DREAMSTACK_", "COMPOSE_"))]:
        del os.environ[name]  # stronger than what a test says
    for words in (["scripts/docker.sh"], ["scripts/base_images.sh"], ["scripts/compose.sh", "image"]):
        done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.fail(f"{' '.join(words)}:\n{done.stdout}{done.stderr}", pytrace=False)


@pytest.fixture(scope="session")
def stack(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A box with the demo hospital, for tests that leave it well."""
    with Stack(tmp_path_factory.mktemp("shared"), DREAMSTACK_DEMO="hospital", DREAMSTACK_NAMES="box.test") as stack:
        print(f"\nfrom nothing to a box that is well: {stack.start():.1f} s")
        yield stack


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder whose name is the test's, for a stack of its own."""
    name: str = request.node.name
    return tmp_path / name.removeprefix("test_").replace("_", "-")[:30]
