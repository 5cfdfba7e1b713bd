"""What is said at a kiosk's page is heard by the box, by way of the agent."""

from __future__ import annotations

from typing import Any

from appliance.bridge.ear import Said
from appliance.bridge.session import Member
from appliance.screen.agent import Agent


class Speaking:
    """An :class:`~appliance.bridge.ear.Understanding` that the box has.

    Args:
        agent: the way to it.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def ready(self, member: Member) -> None:
        """The box makes ready when the first of it arrives."""

    async def hear(self, member: Member, said: Said) -> dict[str, Any]:
        """The keys of the box's ``heard``.

        Raises:
            ApplianceError: as :meth:`~appliance.screen.agent.Agent.say`.
        """
        return await self._agent.say(said)
