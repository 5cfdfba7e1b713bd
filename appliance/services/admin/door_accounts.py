"""The gateway's addresses of accounts, ``/api/accounts``: the admin's; one's own password everybody changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.errors import ApplianceError
from appliance.services.admin.accounts import Account
from appliance.services.admin.door_session import guess, name_and_address
from appliance.services.admin.sessions import Session
from appliance.services.admin.signed import address_of, note
from appliance.services.door import SESSION
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["admin_only", "install"]

Name = Annotated[str, Path(min_length=1, max_length=64, examples=["maria"])]


class NewAccountBody(BaseModel):
    """The body of ``POST /api/accounts``."""

    name: str = BodyField(max_length=64, examples=["jonas"])
    role: str = BodyField(
        "admin", max_length=63, description="admin, staff, wall or a declared role.", examples=["staff"]
    )
    password: str = BodyField(max_length=1000, examples=["another four plain words"])


class AccountChangeBody(BaseModel):
    """The body of ``PATCH /api/accounts/{name}``; what is left out stays."""

    role: str | None = BodyField(None, max_length=63, examples=["staff"])
    password: str | None = BodyField(None, max_length=1000)
    current_password: str | None = BodyField(
        None, max_length=1000, description="Needed to change one's own as no admin."
    )


class AccountAnswer(BaseModel):
    """An account. Times are seconds since 1970."""

    name: str = BodyField(examples=["jonas"])
    role: str = BodyField(examples=["staff"])
    made_at: float
    changed_at: float
    seen_at: float | None = BodyField(description="When it last signed in.")
    sessions: int = BodyField(description="How often it is signed in now.", examples=[1])


class AccountsAnswer(BaseModel):
    """All accounts."""

    accounts: list[AccountAnswer]


class RemovedAnswer(BaseModel):
    """What was removed."""

    removed: str = BodyField(examples=["jonas"])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    accounts, sessions = gateway.accounts, gateway.sessions

    @app.get("/api/accounts", summary="Who may sign in", response_model=AccountsAnswer)
    async def listed(request: Request) -> Response:
        admin_only(gateway, request)
        return Json({"accounts": [_told(gateway, account) for account in accounts.all()]})

    @app.post("/api/accounts", summary="Make an account", status_code=201, response_model=AccountAnswer)
    async def add(request: Request, body: NewAccountBody) -> Response:
        admin_only(gateway, request)
        _check_role(gateway, body.role)
        made = await accounts.add(body.name, body.role, body.password)
        note(request, name=made.name, role=made.role)
        return Json(_told(gateway, made), 201)

    @app.patch("/api/accounts/{name}", summary="Give an account another role or password", response_model=AccountAnswer)
    async def change(name: Name, request: Request, body: AccountChangeBody) -> Response:
        await _may_change(gateway, request, name, body)
        if body.role is not None:
            _check_role(gateway, body.role)
        changed = await accounts.change(name, body.role, body.password)
        note(request, role=body.role, password="changed" if body.password is not None else None)
        own = _session(gateway, request)
        mine = own is not None and own.name == changed.name and body.role in (None, changed.role) and body.role is None
        sessions.end_of(changed.name, besides=request.scope.get(SESSION, "") if mine else "")
        await sessions.keep(now=True)
        return Json(_told(gateway, changed))

    @app.delete(
        "/api/accounts/{name}", summary="Remove an account; it is signed out at once", response_model=RemovedAnswer
    )
    async def remove(name: Name, request: Request) -> Response:
        admin_only(gateway, request)
        gone = await accounts.remove(name)
        sessions.end_of(gone.name)
        await sessions.keep(now=True)
        return Json({"removed": gone.name})


async def _may_change(gateway: Gateway, request: Request, name: str, body: AccountChangeBody) -> None:
    """The admin may change every account; everybody their own password, who knows it."""
    if gateway.role(request) == "admin":
        return
    own = _session(gateway, request)
    if own is None or own.name.casefold() != name.casefold() or body.role is not None or body.password is None:
        admin_only(gateway, request)
    key, address = name.casefold(), address_of(request)
    guess(gateway, request, "sign in", name, name_and_address(gateway, key, address))
    if await gateway.accounts.prove(name, body.current_password or "") is None:
        raise ApplianceError("BRG480", "The current password is wrong.", None, "Type the one you signed in with.")
    gateway.waits_by_name.well(key)
    gateway.waits_by_address.well(address)


def _session(gateway: Gateway, request: Request) -> Session | None:
    token = request.scope.get(SESSION, "")
    return gateway.sessions.find(token) if token else None


def _told(gateway: Gateway, account: Account) -> dict[str, Any]:
    return account.told() | {"sessions": gateway.sessions.count(account.name)}


def _check_role(gateway: Gateway, role: str) -> None:
    if role not in gateway.access.levels:
        known = ", ".join(gateway.access.levels)
        raise ApplianceError("BRG483", "There is no such role.", role[:63], f"One of {known}.")


def admin_only(gateway: Gateway, request: Request) -> None:
    """Refuse who is not the admin.

    Raises:
        ApplianceError: BRG401, nobody is signed in; BRG402, somebody else is.
    """
    role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
    if role != "admin":
        nobody = not request.scope.get(SESSION) and not request.headers.get("authorization")
        if nobody:
            raise ApplianceError(
                "BRG401", "This is the admin's.", None, "Sign in as an admin, or send the admin's key."
            )
        raise ApplianceError("BRG402", f"The role {role} may not do that.", None, "Sign in as an admin.")
