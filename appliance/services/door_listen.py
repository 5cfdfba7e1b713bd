"""The gateway's address of speech: a sound file in, the words out. Nothing of it is kept."""

from __future__ import annotations

import asyncio
import io
import struct
import wave
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import FastAPI, Request
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.bridge.ear import CHANNELS, RATES, Said
from appliance.errors import ApplianceError
from appliance.services.hearing import Hearing
from appliance.services.internal import Json, body_within
from appliance.types import UTTERANCE_S

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install", "read_wave"]

BYTES: Final = int(UTTERANCE_S * RATES[1] * CHANNELS * 2) + 4096
"""Of a file: the longest utterance, and a header."""
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class HeardBody(BaseModel):
    """What was heard."""

    text: str = BodyField(examples=["How many beds are free in Cardiology?"])
    sure: bool = BodyField(description="Whether it may be asked without looking at it first.")
    others: list[str] = BodyField(description="What else it may have been; at most two.")
    mean: float = BodyField(description="Mean logarithm of a piece's likelihood; 0 is certain.", examples=[-0.08])
    seconds: float = BodyField(description="Of speech.", examples=[2.4])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the address to the gateway."""
    hearing = Hearing(gateway.runtime, gateway.client) if gateway.settings.listening else None
    summary = "The words of a sound file: WAV, 16 bits, up to 30 seconds"

    @app.post("/api/listen", summary=summary, response_model=HeardBody, openapi_extra=_BODY)
    async def listen(request: Request) -> Json:
        role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
        if hearing is None:
            raise ApplianceError("LLM230", "This box does not listen.", None, "The setting listening is off.")
        told = {"seconds": UTTERANCE_S}
        too_long = ApplianceError("LLM232", "That was too long to listen to.", told, "Say it in a sentence.")
        said = await asyncio.to_thread(read_wave, await body_within(request, BYTES, too_long))
        return Json(msgspec.to_builtins(await hearing.heard(role, said)))


def read_wave(raw: bytes) -> Said:
    """The samples of a WAV file.

    Raises:
        ApplianceError: LLM232, it is none, or of another kind.
    """
    try:
        with wave.open(io.BytesIO(raw)) as file:
            bits, rate, channels = 8 * file.getsampwidth(), file.getframerate(), file.getnchannels()
            samples = file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError, struct.error, ZeroDivisionError) as error:
        reason = str(error)[:200] or None
        raise ApplianceError("LLM232", "This is no sound that the box can read.", reason, "Send WAV.") from None
    if bits != 16 or not RATES[0] <= rate <= RATES[1] or not 1 <= channels <= CHANNELS:
        told = {"bits": bits, "rate": rate, "channels": channels}
        hint = "16 bits, 8 to 48 kHz, one channel or two."
        raise ApplianceError("LLM232", "The box does not listen to sound of this kind.", told, hint)
    return Said(samples, rate, channels)
