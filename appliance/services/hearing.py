"""How the bridge and the gateway have speech understood: by the model's process, with the names the speaker may see.

    a role's catalog ──► names ──┐
    samples ─────────────────────┴──► model service ──► {text, sure, others}

Samples are kept nowhere and logged nowhere; what was understood is a question like a typed one, once it is asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec

from appliance.bridge.ear import Said
from appliance.config import Runtime
from appliance.errors import ApplianceError, from_shape
from appliance.llm.listening.names import names_in
from appliance.llm.listening.said import Heard, Utterance
from appliance.services import clients
from appliance.types import RoleName

if TYPE_CHECKING:
    from appliance.bridge import Member

NAMES_S: Final = 30.0
"""How long the names of a role are gone by."""
ROLES_KEPT: Final = 50
_LIMIT: Final = httpx.Timeout(30.0, connect=2.0)


class Hearing:
    """Asks the model's process what was said.

    Args:
        runtime: where the parts are.
        client: for the box's own services.
    """

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient) -> None:
        self._runtime, self._client = runtime, client
        self._names: dict[RoleName, tuple[float, list[str]]] = {}

    async def ready(self, member: Member) -> None:
        """Somebody begins to speak: have the model loaded and the names at hand.

        Raises:
            ApplianceError: as :meth:`heard`.
        """
        await self._asked("/listen/ready", b"")
        await self.names(member.role)

    async def hear(self, member: Member, said: Said) -> dict[str, Any]:
        """The keys of a ``heard``: see :meth:`heard`."""
        found = await self.heard(member.role, said)
        return {"text": found.text, "sure": found.sure, "others": found.others}

    async def heard(self, role: RoleName, said: Said) -> Heard:
        """What was said, as somebody of this role may mean it.

        Raises:
            ApplianceError: LLM203, the model does not answer; LLM209, LLM230, LLM231, LLM232.
        """
        utterance = Utterance(said.samples, said.rate, said.channels, await self.names(role))
        return msgspec.json.decode(await self._asked("/listen", msgspec.msgpack.encode(utterance)), type=Heard)

    async def names(self, role: RoleName) -> list[str]:
        """What the role's catalog calls its things; none while the data service is away."""
        known = self._names.get(role)
        if known is not None and time.monotonic() - known[0] < NAMES_S:
            return known[1]
        try:
            names = names_in(await clients.catalog(self._client, self._runtime, role))
        except ApplianceError:
            return known[1] if known else []
        self._names.pop(role, None)
        self._names[role] = (time.monotonic(), names)
        while len(self._names) > ROLES_KEPT:
            self._names.pop(next(iter(self._names)))
        return names

    async def _asked(self, path: str, body: bytes) -> bytes:
        try:
            answer = await self._client.post(f"{self._runtime.llm_url}{path}", content=body, timeout=_LIMIT)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ApplianceError("LLM203", "The model does not answer.", reason, "It is being restarted.") from None
        if answer.status_code != 200:
            raise from_shape(answer.json(), "LLM203")
        return answer.content
