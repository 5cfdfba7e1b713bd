"""The gateway's addresses of sessions: sign in, who is signed in, sign out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.errors import ApplianceError
from appliance.services.admin.accounts import Account
from appliance.services.admin.ledger import Deed
from appliance.services.admin.sessions import COOKIE, csrf_of, signed_out
from appliance.services.admin.signed import address_of, who
from appliance.services.admin.waits import Waits, attempt_all
from appliance.services.door import COOKIE as KEY_COOKIE
from appliance.services.door import SESSION, credential
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["guess", "install", "name_and_address", "note_door", "signed_in", "told_session"]


class SignInBody(BaseModel):
    """The body of ``POST /api/session``."""

    name: str = BodyField(max_length=200, examples=["maria"])
    password: str = BodyField(max_length=1000, examples=["four words that rhyme"])


class SessionAnswer(BaseModel):
    """Who is signed in. Without an account, with a key, `name` and `csrf` are empty and nothing ends by itself."""

    name: str = BodyField(examples=["maria"])
    role: str = BodyField(examples=["admin"])
    csrf: str = BodyField(description="Goes back as X-CSRF-Token with every request that changes something.")
    idle_s: int | None = BodyField(description="Seconds after which who does nothing is signed out.", examples=[900])
    expires_at: str | None = BodyField(description="When the session ends in any case.")
    language: str = BodyField(examples=["en"])
    box: str = BodyField(examples=["DreamStack"])
    facility: str = BodyField(examples=["St. Brigid Hospital"])
    timezone: str | None = BodyField(description="The facility's, by its IANA name.", examples=["Europe/Berlin"])


class EndedAnswer(BaseModel):
    """The answer to signing out."""

    ended: bool = True


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.post("/api/session", summary="Sign in with a name and a password", response_model=SessionAnswer)
    async def sign_in(request: Request, body: SignInBody) -> Response:
        return await signed_in(gateway, request, await _proved(gateway, request, body))

    @app.get("/api/session", summary="Who is signed in, and until when", response_model=SessionAnswer)
    async def session(request: Request) -> Response:
        return Json(await told_session(gateway, request.scope.get(SESSION, ""), credential(request)))

    @app.delete("/api/session", summary="Sign out", response_model=EndedAnswer)
    async def sign_out(request: Request) -> Response:
        await _end(gateway, request)
        answer = Json({"ended": True})
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=_secure(request))
        answer.delete_cookie(KEY_COOKIE, path="/", httponly=True, samesite="lax", secure=_secure(request))
        return answer


async def _end(gateway: Gateway, request: Request) -> None:
    """End a session; a key is good as long as the box, and only the browser forgets it."""
    token = request.scope.get(SESSION, "")
    if token or KEY_COOKIE in request.cookies:
        with suppress(ApplianceError):
            name, role = who(gateway, request)
            note_door(gateway, request, name, role, "sign out", 200)
    gateway.sessions.end(token)
    await gateway.sessions.keep(now=True)


async def _proved(gateway: Gateway, request: Request, body: SignInBody) -> Account:
    """The account; every guess counts until it was right, the same for names that are none."""
    name, address = body.name.strip().casefold()[:64], address_of(request)
    known = gateway.accounts.find(body.name)  # what else is typed there may be a password
    shown = known.name if known else "unknown name"
    guess(gateway, request, "sign in", shown, name_and_address(gateway, name, address))
    account = await gateway.accounts.prove(body.name, body.password)
    if account is None:
        note_door(gateway, request, shown, "", "sign in", 401)
        raise ApplianceError(
            "BRG480", "The name or the password is wrong.", None, "Try again; both as they were given."
        )
    gateway.waits_by_name.well(name)
    gateway.waits_by_address.well(address)
    gateway.familiar.add(name, address)
    return account


def name_and_address(gateway: Gateway, name: str, address: str) -> list[tuple[Waits, str]]:
    """What a guess at a password counts for: the address, and the name where it never signed in from there."""
    by_name = [] if gateway.familiar.has(name, address) else [(gateway.waits_by_name, name)]
    return [(gateway.waits_by_address, address), *by_name]


def guess(gateway: Gateway, request: Request, action: str, name: str, guesses: list[tuple[Waits, str]]) -> None:
    """Count a guess.

    Raises:
        ApplianceError: BRG481, it came too early; the audit has that once for each wait.
    """
    try:
        attempt_all(guesses)
    except ApplianceError:
        news = [waits.is_news(key) for waits, key in guesses]
        if any(news):
            note_door(gateway, request, name, "", action, 429)
        raise


async def signed_in(gateway: Gateway, request: Request, account: Account, action: str = "sign in") -> Response:
    """Begin a session and answer with it."""
    if old := request.scope.get(SESSION):
        gateway.sessions.end(old)
    token = gateway.sessions.begin(account.name, account.role, address_of(request))
    note_door(gateway, request, account.name, account.role, action, 200)
    await gateway.sessions.keep(now=True)
    answer = Json(await told_session(gateway, token, ""))
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/", secure=_secure(request))
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def told_session(gateway: Gateway, token: str, given: str) -> dict[str, Any]:
    """What is told of a session, or of the admin's key.

    Raises:
        ApplianceError: BRG401, neither.
    """
    settings = gateway.settings
    about: dict[str, Any] = {"language": settings.language, "box": settings.box_name, "facility": gateway.facility}
    about["timezone"] = gateway.timezone
    session = gateway.sessions.find(token) if token else None
    if session is not None:
        until = datetime.fromtimestamp(gateway.sessions.expires_at(session), UTC).isoformat(timespec="seconds")
        idle = int(gateway.sessions.idle_s())
        told = {"name": session.name, "role": session.role, "csrf": csrf_of(token), "idle_s": idle}
        return told | {"expires_at": until} | about
    if given and gateway.access.role(given) == "admin":
        return {"name": "", "role": "admin", "csrf": "", "idle_s": None, "expires_at": None} | about
    raise signed_out()


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


def note_door(gateway: Gateway, request: Request, name: str, role: str, action: str, status: int) -> None:
    """Write down who came in or went, or tried to."""
    words = {"sign in": "Sign in", "sign out": "Sign out", "set up": "Set the box up", "reset": "Give a new password"}
    problem = {401: ": wrong name or password", 403: ": wrong code", 429: ": too many wrong attempts"}.get(status, "")
    what, address = words[action] + problem, address_of(request)
    gateway.ledger.did(Deed(who=name, role=role, address=address, action=action, what=what, status=status))
