"""What the admin chose in the console (``chosen.toml``); some of it holds at once, the rest from the next start."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from appliance.config import CHOOSABLE, CHOSEN, SETTINGS, Runtime, checked, chosen
from appliance.errors import ApplianceError
from appliance.screen import cache

__all__ = ["AT_ONCE", "Chosen"]

AT_ONCE: Final = frozenset({"facility", "language", "session_idle_minutes", "questions_days"})
"""What the gateway itself goes by, without a new start."""
FIRM: Final = ("command line", "environment")
"""What is said there cannot be chosen."""


class Chosen:
    """The settings as they are now, and as they will be after the next start.

    Args:
        runtime: what the box was started with.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._path = runtime.settings.data / CHOSEN
        self._values: dict[str, Any] = {}
        self._changing = asyncio.Lock()

    def load(self) -> None:
        """Read the file. Blocks on the disk."""
        self._values = chosen(self._runtime.settings.data)

    def next(self, name: str) -> Any:
        """The value of a setting from the next start on."""
        if self.origin(name) in FIRM:
            return getattr(self._runtime.settings, name)
        return self._values.get(name, getattr(self._runtime.settings, name))

    def value(self, name: str) -> Any:
        """The value of a setting now."""
        return self.next(name) if name in AT_ONCE else getattr(self._runtime.settings, name)

    def origin(self, name: str) -> str:
        """Where the value of the next start is from."""
        origin = self._runtime.origins.get(name, "default")
        return origin if origin in FIRM or name not in self._values else "console"

    def waits(self, name: str) -> bool:
        """Whether a setting was changed and holds from the next start only."""
        return bool(self.value(name) != self.next(name))

    async def set(self, changes: dict[str, Any]) -> None:
        """Choose settings, all or none.

        Raises:
            ApplianceError: BRG490, one of them cannot be chosen here; BRG410, a value cannot be.
        """
        fit = await asyncio.to_thread(self.check, changes)
        async with self._changing:
            values = self._values | fit
            text = "# Chosen in the console.\n"
            text += "".join(f"{name} = {json.dumps(value)}\n" for name, value in sorted(values.items()))
            try:
                await asyncio.to_thread(cache.write, self._path, text.encode(), settled=True)
            except OSError as error:
                raise ApplianceError("PGF108", "The settings cannot be written.", str(error), None) from None
            self._values = values

    def check(self, changes: dict[str, Any]) -> dict[str, Any]:
        """What :meth:`set` would keep, or its fault; changes nothing. It blocks: timezones are read from files."""
        return {name: self._checked(name, value) for name, value in changes.items()}

    def _checked(self, name: str, value: Any) -> Any:
        if name not in CHOOSABLE:
            raise ApplianceError("BRG490", "This setting is not changed here.", name[:60], "Set it in settings.toml.")
        if (origin := self.origin(name)) in FIRM:
            raise ApplianceError("BRG490", f"This setting is given by the {origin}.", name, "Change it there.")
        if isinstance(value, str) and (len(value) > 200 or not value.isprintable()):
            raise ApplianceError("BRG410", f"The setting {name} cannot be that.", value[:80], None)
        try:
            return checked(name, value)
        except ApplianceError as error:
            raise ApplianceError("BRG410", error.message, None, error.hint) from None

    def told(self) -> list[dict[str, Any]]:
        """Every setting: its value, where that is from, what it is for, and whether it may be changed here."""
        return [
            {
                "name": setting.name,
                "value": self.value(setting.name),
                "next": self.next(setting.name) if self.waits(setting.name) else None,
                "default": setting.default,
                "kind": setting.kind.__name__,
                "choices": list(setting.choices),
                "help": setting.help,
                "origin": self.origin(setting.name),
                "changeable": setting.name in CHOOSABLE and self.origin(setting.name) not in FIRM,
                "applies": "now" if setting.name in AT_ONCE else "restart",
            }
            for setting in SETTINGS
            if setting.name not in SECRET
        ]


SECRET: Final = frozenset({"electric_secret"})
