"""The model service's addresses of speech, for the bridge and the gateway.

POST /listen/ready   load what hears, if it is not loaded
POST /listen         an utterance as MessagePack -> what was heard

What hears takes its turn in a thread, one utterance after another, beside the models that answer: it takes a tenth of
the time that was spoken. It is let go when nobody spoke for ten minutes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import msgspec
from fastapi import FastAPI, Request

from appliance.config import Settings, shipped_listening
from appliance.errors import ApplianceError
from appliance.llm.listening.listener import Listener
from appliance.llm.listening.said import Utterance
from appliance.services.internal import Json

__all__ = ["install"]

WAITING: Final = 8
"""Utterances that may be listened to or wait, all screens together."""
LOOK_S: Final = 60.0


def install(app: FastAPI, settings: Settings) -> Listener:
    """Add the addresses to the model service; returns what hears."""
    model = Path(settings.listening_model).expanduser() if settings.listening_model else shipped_listening()
    listener = Listener(model if settings.listening else None, settings.model_threads or 2, settings.language)
    turns = asyncio.Semaphore(WAITING)

    @app.post("/listen/ready")
    async def ready() -> Json:
        await asyncio.to_thread(listener.ready)
        return Json({"ready": True})

    @app.post("/listen")
    async def listen(request: Request) -> Json:
        try:
            said = msgspec.msgpack.decode(await request.body(), type=Utterance)
        except msgspec.DecodeError as error:
            raise ApplianceError("LLM211", "The request body cannot be read.", str(error)) from None
        if turns.locked():
            raise ApplianceError("LLM209", "Too many people speak at once.", None, "Try again in a moment.")
        async with turns:
            return Json(msgspec.to_builtins(await asyncio.to_thread(listener.hear, said)))

    return listener


async def rest(listener: Listener) -> None:
    """Let the model of speech go while nobody speaks, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        await asyncio.to_thread(listener.rest)
