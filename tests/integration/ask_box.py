"""A real box to ask: PostgreSQL with demo data, PostgREST, the data service and the model, and an assistant.

The parts run as the processes they are in a box; the assistant runs in the test, so that a test sees its
whole answer.

    with asking_box("hospital") as runtime:
        async with assistant(runtime) as asked:
            answer = await asked.ask(Question("1", "How many beds are free?", "staff", ""), lambda _: None)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import httpx
import msgspec

from appliance.config import Runtime
from appliance.pgflex.rest import Rest
from appliance.services.assistant import Assistant
from appliance.services.clients import loopback_client
from tests.integration.pgflex_box import free_port, running_box, stopped


@contextmanager
def asking_box(demo: str) -> Iterator[Runtime]:
    """A box with the data of a demo, without its ticker; the runtime says where its parts listen."""
    with running_box(demo=demo, mdns=False) as box:
        box.start_postgrest()
        box.start_service()
        runtime = msgspec.structs.replace(box.runtime(), llm_url=f"http://127.0.0.1:{free_port()}")
        with model_service(runtime):
            yield runtime


@contextmanager
def model_service(runtime: Runtime) -> Iterator[subprocess.Popen[bytes]]:
    """The model service as the supervisor starts it, ready."""
    environment = {"PATH": "/usr/bin:/bin", "DREAMSTACK_RUNTIME": runtime.encode()}
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance.services.llm"], stdin=subprocess.DEVNULL, env=environment
    )
    try:
        _wait_ready(process, runtime)
        yield process
    finally:
        stopped(process)


def _wait_ready(process: subprocess.Popen[bytes], runtime: Runtime) -> None:
    headers, until = {"Authorization": f"Bearer {runtime.token}"}, time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx.TransportError):
            told = httpx.get(f"{runtime.llm_url}/health", headers=headers, timeout=5, trust_env=False).json()
            if told["state"] in ("ready", "failed"):
                return
        time.sleep(0.05)
    raise AssertionError("the model service did not start")


@asynccontextmanager
async def assistant(runtime: Runtime) -> AsyncIterator[Assistant]:
    """The assistant of a box, in this process."""
    rest = Rest(runtime.postgrest_url, runtime.secret)
    async with loopback_client(runtime) as client:
        try:
            yield Assistant(runtime, client, rest)
        finally:
            await rest.close()
