"""What a subscription to the box may carry besides signals: the viewer, a picture, speech."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from appliance.bridge import Member
from appliance.bridge.flow import Flow
from appliance.bridge.stream import Stream
from appliance.bridge.viewer import ViewerFlow
from appliance.config import Settings
from appliance.screen.receiver import load_page
from appliance.services.pictures import Pictures
from appliance.services.speech import SpeechFlow
from appliance.services.voice import Voice, no_voice


class Offers:
    """Makes the flows that screens ask for; its :meth:`offer` is given to every session.

    Args:
        settings: limits and the voice.
        kept_up: whether somebody keeps the answers true.
    """

    def __init__(self, settings: Settings, kept_up: Callable[[], bool]) -> None:
        self.pictures = Pictures(settings, kept_up)
        self.voice = Voice(settings.speech_voice, settings.speech_limit, settings.speech_timeout_s)
        self._page = b""

    async def offer(self, member: Member, stream: Stream, said: dict[str, Any]) -> list[Flow]:
        """What `said`, a ``subscribe`` or a ``speak``, asks for; the viewer comes first.

        Raises:
            ApplianceError: BRG411, BRG450 or BRG451; nothing is left open then.
        """
        if said.get("type") == "speak":
            return [await self._speech(member, stream, asked=False)]
        flows: list[Flow] = []
        if said.get("app") is True:
            self._page = self._page or (await asyncio.to_thread(load_page)).plain
            flows.append(ViewerFlow(stream.viewer or self._page))
        if said.get("speak") is True:
            flows.append(await self._speech(member, stream, asked=True))
        if said.get("pixels") is not None:
            flows.append(await self.pictures.open(stream, member.role, said["pixels"]))
        return flows

    async def _speech(self, member: Member, stream: Stream, *, asked: bool) -> SpeechFlow:
        if await self.voice.find() is None:
            raise no_voice()
        return SpeechFlow(stream, member.role, self.voice, asked=asked)
