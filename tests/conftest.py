"""What all tests share: blocking calls in asynchronous product code fail, and one real box serves many tests."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

from tests.box import Box, running_box

# How long an example takes says how busy the machine is: two of its processes are running tests. The examples are the
# same in each run, so that what fails was changed; `make search` looks for others.
settings.register_profile("box", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if os.environ.get("SEARCH") else "box")


@pytest.fixture(autouse=True)
def no_blocking(request: pytest.FixtureRequest) -> Iterator[None]:
    """In an asynchronous test a call of ours that blocks the event loop is an error."""
    if not inspect.iscoroutinefunction(getattr(request, "function", None)):
        yield
        return
    with blockbuster_ctx(scanned_modules=["appliance"]):
        yield


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """A box with the hospital demo that stands still, for tests that leave it as they found it."""
    with running_box() as box:
        yield box
