"""Tries a model file in a process of its own: a file that brings llama.cpp down takes nothing else with it.

It reads a :class:`Trial` from standard input and writes a :class:`Tried`, or an error in the one shape, to standard
output.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError, from_shape
from appliance.llm.dialects import pick
from appliance.llm.model import Model
from appliance.llm.prompt import Dialect, Task

__all__ = ["Trial", "Tried", "probe"]

_SIX_WORDS: Final = 6


class Trial(msgspec.Struct, frozen=True):
    """A file, and a task for it, or several; without one it only has to load and to write a little."""

    file: str
    family: str = "auto"
    threads: int = 0
    context: int = 4096
    task: Task | None = None
    tasks: tuple[Task, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """What came of one of several tasks; times are in milliseconds."""

    plan: dict[str, Any] | None
    tokens: int
    model_ms: float
    first_token_ms: float


class Tried(msgspec.Struct, frozen=True):
    """What came of it; times are in milliseconds."""

    name: str
    dialect: str
    load_ms: float
    context: int
    written: str = ""
    plan: dict[str, Any] | None = None
    model_ms: float = 0.0
    first_token_ms: float = 0.0
    tokens: int = 0
    runs: tuple[Run, ...] = ()


def probe(trial: Trial, timeout_s: float = 900.0) -> Tried:
    """Try a file.

    Raises:
        ApplianceError: LLM208, it cannot be loaded or ends the process; LLM2xx, it writes no plan.
    """
    command = [sys.executable, "-m", "appliance.services.model_probe"]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(trial), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=timeout_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ApplianceError("LLM210", "The model took too long.", {"seconds": timeout_s}, _SMALLER) from None
    try:
        told = msgspec.json.decode(done.stdout)
    except msgspec.DecodeError:
        raise ApplianceError(
            "LLM208",
            "The model file ends the process that loads it.",
            f"{trial.file}: status {done.returncode}",
            _SMALLER,
        ) from None
    if "code" in told:
        raise from_shape(told, "LLM208")
    return msgspec.convert(told, type=Tried)


_SMALLER: Final = "Try a smaller model, or copy the file again."


def _try(trial: Trial) -> Tried:
    model = Model.load(Path(trial.file), trial.threads, trial.context)
    dialect = pick(trial.family, model.name, model.template)
    tried = Tried(model.name, dialect.name, round(model.load_s * 1000, 1), model.context)
    if trial.tasks:
        return msgspec.structs.replace(tried, runs=tuple(_run(model, dialect, task) for task in trial.tasks))
    task = trial.task or Task("How many rows are there?", "rows", "Rows", ())
    limit = dialect.token_limit if trial.task else _SIX_WORDS
    text, tokens, took, first = _write(model, dialect, task, limit)
    plan = msgspec.to_builtins(dialect.parse(text, task)) if trial.task else None
    return msgspec.structs.replace(tried, written=text, plan=plan, tokens=tokens, model_ms=took, first_token_ms=first)


def _run(model: Model, dialect: Dialect, task: Task) -> Run:
    """One of several tasks; one of which no plan comes has None."""
    text, tokens, took, first = _write(model, dialect, task, dialect.token_limit)
    try:
        plan = msgspec.to_builtins(dialect.parse(text, task))
    except ApplianceError:
        plan = None
    return Run(plan, tokens, took, first)


def _write(model: Model, dialect: Dialect, task: Task, limit: int) -> tuple[str, int, float, float]:
    """What it writes, in how many tokens, and after how many milliseconds all of it and the first."""
    began, first, pieces = time.perf_counter(), 0.0, list[str]()
    for piece in model.write(dialect.pieces(task, model.template), dialect.grammar(task), limit):
        first = first or time.perf_counter() - began
        pieces.append(piece)
    took = time.perf_counter() - began
    return "".join(pieces), len(pieces), round(took * 1000, 1), round(first * 1000, 1)


def main() -> None:
    """Entry point of the process."""
    trial = msgspec.json.decode(sys.stdin.buffer.read(), type=Trial)
    told: object
    try:
        told = _try(trial)
    except ApplianceError as error:
        told = error.shape()
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
