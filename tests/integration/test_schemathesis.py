"""What the gateway's OpenAPI says is what it does: no 5xx, errors in the one shape, answers as they are described.

schemathesis makes requests that fit the description and requests that do not, for every address, as the admin.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.box import Box, running_box

schemathesis.serializer.alias("audio/wav", "application/octet-stream")
SHAPE: Final = {"code", "message", "details", "hint"}
BUDGET_S: Final = 90.0
EXAMPLES: Final = 6
LEFT_OUT: Final = {
    ("GET", "/api/admin/jobs/events"): "a stream without an end",
    ("GET", "/api/screens"): "waits when it is asked to; it is asked in test_joining",
    ("POST", "/api/prose"): "a stream",
    ("POST", "/api/admin/restart"): "the box would be away",
    ("POST", "/api/model/reload"): "takes as long as a model does",
}
AWAY: Final = frozenset({"BRG406", "LLM203", "LLM209", "LLM210", "PGF101", "PGF102", "PGF114"})
"""What a busy machine answers for a moment; the box says so in the one shape, and is not at fault."""


@pytest.fixture(scope="module")
def own() -> Iterator[Box]:
    """A box of its own: what is made up here changes it."""
    with running_box() as box:
        yield box


def test_every_address_does_what_it_says(own: Box) -> None:
    schema = schemathesis.openapi.from_url(f"{own.url}/api/openapi.json", headers=own.bearer("admin"))
    began, tried, answers = time.monotonic(), 0, 0
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    every = [each for each in found if (each.method.upper(), each.path) not in LEFT_OUT]
    assert len(every) > 80
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for operation in every:
            if time.monotonic() - began > BUDGET_S:
                break
            tried += 1
            answers += _try(own, operation, mode)
    print(f"\n{tried} of {2 * len(every)} addresses and kinds of requests, {answers} answers")
    assert tried >= len(every), "not even every address was tried once"
    assert httpx.get(f"{own.url}/health", trust_env=False, timeout=30).status_code == 200


def _try(own: Box, operation: Any, mode: GenerationMode) -> int:
    count = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        nonlocal count
        count += 1
        answer = case.call(base_url=own.url, headers=own.bearer("admin"), timeout=30)
        told = answer.json() if "json" in answer.headers.get("content-type", [""])[0] and answer.content else {}
        if answer.status_code >= 400:
            assert set(told) == SHAPE, (operation.label, answer.status_code, answer.content[:300])
        if told and told.get("code") in AWAY if isinstance(told, dict) else False:
            return
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no request fits what the description says"
    return count
