"""How the gateway speaks to the model's process besides asking for plans: its state, its numbers, prose, reload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import httpx
import msgspec
from httpx_sse import SSEError, aconnect_sse

from appliance.config import Runtime
from appliance.errors import ApplianceError, from_shape
from appliance.llm.plan import Query
from appliance.llm.prompt import Task
from appliance.llm.prose import Prose

__all__ = ["larger_plan", "model_numbers", "model_told", "prose", "reload_model"]

_LOADING_S: Final = 600.0


async def model_told(client: httpx.AsyncClient, runtime: Runtime) -> dict[str, Any]:
    """What the model's process says of itself.

    Raises:
        ApplianceError: LLM203, it does not answer.
    """
    return await _asked(client, "GET", f"{runtime.llm_url}/health", 5.0)


async def reload_model(client: httpx.AsyncClient, runtime: Runtime) -> dict[str, Any]:
    """Have the larger model that is chosen now loaded; what the process then says of itself.

    Raises:
        ApplianceError: LLM208, LLM220, it cannot be loaded; LLM203, the process does not answer.
    """
    return await _asked(client, "POST", f"{runtime.llm_url}/reload", _LOADING_S)


async def model_numbers(client: httpx.AsyncClient, runtime: Runtime) -> bytes:
    """Its numbers for Prometheus; nothing while it does not answer."""
    try:
        answer = await client.get(f"{runtime.llm_url}/metrics", timeout=2.0)
    except httpx.HTTPError:
        return b""
    return answer.content if answer.status_code == 200 else b""


async def larger_plan(
    client: httpx.AsyncClient, runtime: Runtime, task: Task, screen: str, tell: Callable[[dict[str, Any]], None]
) -> Query | None:
    """The larger model's plan, checked against the fields of the task; None where there is none in time.

    `tell` hears its events. The small model is not asked; it takes no more than ``large_model_wait_s``.
    """
    wait = runtime.settings.large_model_wait_s
    body = msgspec.json.encode({"task": task, "screen": screen, "deadline_s": wait, "model": "large"})
    limit = httpx.Timeout(wait + 3, connect=2.0)
    try:
        async with aconnect_sse(client, "POST", f"{runtime.llm_url}/plan", content=body, timeout=limit) as feed:
            async for event in feed.aiter_sse():
                said: dict[str, Any] = msgspec.json.decode(event.data)
                if event.event == "plan":
                    return msgspec.convert(said["plan"], type=Query)
                tell(said)
    except (httpx.HTTPError, SSEError):
        return None
    return None


async def prose(
    client: httpx.AsyncClient, runtime: Runtime, wanted: Prose, screen: str
) -> AsyncIterator[dict[str, Any]]:
    """The events of prose, from queued to told.

    Raises:
        ApplianceError: LLM203, the model does not answer; LLM2xx as the worker says.
    """
    body = msgspec.json.encode({"prose": wanted, "screen": screen, "deadline_s": runtime.settings.answer_timeout_s})
    limit = httpx.Timeout(runtime.settings.answer_timeout_s + 5, connect=2.0)
    try:
        async with aconnect_sse(client, "POST", f"{runtime.llm_url}/prose", content=body, timeout=limit) as feed:
            async for event in feed.aiter_sse():
                said: dict[str, Any] = msgspec.json.decode(event.data)
                if event.event == "error":
                    raise from_shape(said["error"], "LLM200")
                yield said
                if event.event == "told":
                    return
    except (httpx.HTTPError, SSEError) as error:
        raise _absent(error) from None
    raise _absent(None)


async def _asked(client: httpx.AsyncClient, method: str, url: str, timeout_s: float) -> dict[str, Any]:
    try:
        answer = await client.request(method, url, timeout=timeout_s)
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _absent(error) from None
    if answer.status_code != 200:
        raise from_shape(told, "LLM203")
    return dict(told)


def _absent(error: Exception | None) -> ApplianceError:
    reason = (str(error) or type(error).__name__) if error else "it stopped in the middle"
    return ApplianceError("LLM203", "The model does not answer.", reason, "It is being restarted; try again.")
