"""What all tests share: blocking calls in asynchronous product code fail, and one real box serves many tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

from tests.box import Box, running_box


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
