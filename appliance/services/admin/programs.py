"""Running a program of the box for a job: it ends with the job, and its faults come back in the one shape."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Any, Final

import msgspec

from appliance.errors import HTTP_STATUS, ApplianceError, from_shape

__all__ = ["run_command", "run_module"]

END_S: Final = 20.0
_TOLD: Final = 600
_OURS: Final = ("DREAMSTACK_RUNTIME", "DREAMSTACK_RUNTIME_FILE", "DREAMSTACK_DEPLOYMENT")


async def run_command(*words: str, given: str = "") -> str:
    """Run ``appliance`` with these words; what it prints.

    Args:
        words: the command and its options.
        given: its standard input.

    Raises:
        ApplianceError: as the command says.
    """
    status, out, err = await _run(["appliance", *words], given.encode())
    if status != 0:
        raise _fault(err)
    return out.decode(errors="replace")


async def run_module(name: str, given: Any) -> dict[str, Any]:
    """Run a module that takes JSON and gives JSON.

    Raises:
        ApplianceError: as the module says; BRG400, it ended without a word.
    """
    status, out, err = await _run([name], msgspec.json.encode(given))
    try:
        told = msgspec.json.decode(out)
    except msgspec.DecodeError:
        raise ApplianceError(
            "BRG400", "A program of the box failed.", f"status {status}: {err[-_TOLD:].decode(errors='replace')}", None
        ) from None
    if "code" in told:
        raise from_shape(told)
    return dict(told)


async def _run(module: list[str], given: bytes) -> tuple[int, bytes, bytes]:
    environ = {name: value for name, value in os.environ.items() if name not in _OURS}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ,
        start_new_session=True,
    )
    try:
        out, err = await process.communicate(given)
    except asyncio.CancelledError:
        await asyncio.shield(_end(process))
        raise
    return process.returncode or 0, out, err


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it with what it started, such as pg_dump: they are a group of their own. It may clear up first."""
    with contextlib.suppress(TimeoutError):
        _signal(process, signal.SIGTERM)
        await asyncio.wait_for(process.wait(), END_S)
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # all of it has ended
        os.killpg(process.pid, number)


def _fault(said: bytes) -> ApplianceError:
    """What a command printed, as the error it is: ``CODE: sentence``, and a line with the fix."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    for number, line in enumerate(lines):
        code, _, message = line.partition(": ")
        if code in HTTP_STATUS:
            hint = lines[number + 1].strip().removeprefix("fix: ") if number + 1 < len(lines) else None
            return ApplianceError(code, message, None, hint)
    return ApplianceError("BRG400", "A program of the box failed.", "\n".join(lines)[-_TOLD:], None)
