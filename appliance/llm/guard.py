"""The guard: a model that ends the process again and again is set aside, so that the small one can answer.

llama.cpp runs inside the process. Should a large model bring it down, the process is started anew and would load
the same model again. So a file says while the large model works; a start that finds it knows how the last one ended.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from appliance.errors import ApplianceError

DEATHS_AT_MOST: Final = 3


class _Kept(msgspec.Struct):
    deaths: int = 0
    working: bool = False


class Guard:
    """Entered around whatever the large model does.

    Args:
        file: where it is kept; None keeps it nowhere.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._kept = self._read()
        if self._kept.working:
            self._write(_Kept(self._kept.deaths + 1, False))

    @property
    def deaths(self) -> int:
        """How often in a row the process ended in the middle of it."""
        return self._kept.deaths

    def check(self) -> None:
        """Refuse a model that ended the process too often.

        Raises:
            ApplianceError: LLM224.
        """
        if self.deaths >= DEATHS_AT_MOST:
            raise ApplianceError(
                "LLM224",
                "The larger model is set aside: the process ended in the middle of its work.",
                {"times": self.deaths},
                "Choose a smaller one, or try it again: appliance model use NAME.",
            )

    def pardon(self) -> None:
        """Forget what was: another model, or another try."""
        self._write(_Kept())

    def __enter__(self) -> Guard:
        """The work begins."""
        self._write(_Kept(self.deaths, True))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """The work is over, well or not: the process lives."""
        self._write(_Kept(self.deaths, False))

    def well(self) -> None:
        """It did what was asked: earlier ends do not count any more."""
        if self.deaths:
            self._write(_Kept())

    def stopping(self) -> None:
        """The process is being stopped: this is no end of that kind."""
        self._write(_Kept(self.deaths, False))

    def _read(self) -> _Kept:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept) if self._file else _Kept()
        except (OSError, msgspec.DecodeError):
            return _Kept()

    def _write(self, kept: _Kept) -> None:
        if self._file is None or kept == self._kept:
            return
        self._kept = kept
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            fresh.write_bytes(msgspec.json.encode(kept))
            os.replace(fresh, self._file)
        except OSError:  # a full disk keeps no model from its work
            return
