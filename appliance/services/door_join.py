"""Joining at the public door: a browser that the box does not know shows a code until the admin has let it in."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

import httpx
import segno
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.errors import ApplianceError, from_shape
from appliance.services.browsers import is_browser, new_credential
from appliance.services.door import SCREEN_COOKIE
from appliance.services.internal import Json
from appliance.services.notice import wants_page
from appliance.services.small_pages import small_page

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

KEPT_S: Final = 400 * 86_400
PATHS: Final = frozenset({"/api/join", "/api/join/nonce"})
"""What an unknown browser may ask."""


class JoinBody(BaseModel):
    """The body of ``POST /api/join``; a browser without a key of its own leaves the last three out."""

    kind: str = BodyField("", max_length=20, examples=["wall"])
    ticket: str = BodyField("", max_length=2000, description="From POST /api/tickets.")
    public: str = BodyField("", max_length=200, description="P-256 key, 65 bytes, base64.")
    nonce: str = BodyField("", max_length=100, description="From GET /api/join/nonce.")
    signature: str = BodyField("", max_length=200, description="r and s over 'dreamstack join ' and the nonce, base64.")


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/join/nonce", summary="Something new for a browser's key to sign")
    async def nonce() -> Json:
        return Json({"nonce": gateway.access.browsers.nonce()})

    @app.post("/api/join", summary="Ask to be let in as a screen, or whether one is")
    async def join(request: Request, body: JoinBody) -> Response:
        given = _credential(gateway, request, body)
        told = await _knock(gateway, request, given, body)
        answer = Json({"box": gateway.settings.box_name, **told, **_qr(request, told.get("code"))})
        if given != request.cookies.get(SCREEN_COOKIE):
            secure = request.url.scheme == "https"
            answer.set_cookie(SCREEN_COOKIE, given, KEPT_S, httponly=True, samesite="lax", path="/", secure=secure)
        return answer


def wants_to_join(gateway: Gateway, request: Request) -> bool:
    """Whether a person opened the box's page with a browser that the box does not know, and may ask to join."""
    if request.url.path != "/" and not request.url.path.startswith("/s/"):
        return False
    heard = gateway.access.browsers.heard
    person = wants_page(request.headers.get("accept", ""), request.method)
    return person and heard is not None and heard.join in ("approve", "ticket")


def join_page(gateway: Gateway) -> Response:
    """The page that shows the code."""
    return small_page("join", gateway.settings.box_name)


def _credential(gateway: Gateway, request: Request, body: JoinBody) -> str:
    """What the browser is known by from now on."""
    if body.public:
        try:
            public, signature = base64.b64decode(body.public), base64.b64decode(body.signature)
        except (binascii.Error, ValueError):
            public = signature = b""
        return gateway.access.browsers.proved(public, body.nonce, signature)
    held = request.cookies.get(SCREEN_COOKIE, "")
    return held if is_browser(held) and gateway.access.browsers.key_of(held) else new_credential()


async def _knock(gateway: Gateway, request: Request, given: str, body: JoinBody) -> dict[str, Any]:
    key = gateway.access.browsers.key_of(given)
    address = request.client.host if request.client else ""
    said = {"key": key, "kind": body.kind, "address": address, "ticket": body.ticket}
    try:
        answer = await gateway.client.post(f"{gateway.runtime.bridge_url}/screens/knock", json=said)
    except httpx.HTTPError as error:
        raise ApplianceError("BRG406", "The bridge does not answer.", str(error), "It is being restarted.") from None
    told: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise from_shape(told, "BRG406")
    if told["state"] == "approved":
        await gateway.learn_browsers()
    return told


def _qr(request: Request, code: str | None) -> dict[str, str]:
    """A QR code for the admin's own phone: it opens the console at this code."""
    if not code:
        return {}
    address = f"{request.url.scheme}://{request.headers.get('host', '')}/admin#join={code}"
    return {"qr": segno.make(address, error="m").svg_data_uri(border=2, dark="#0e1f1d", light="#fff")}
