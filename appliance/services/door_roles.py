"""The gateway's addresses of roles and tokens, ``/api/roles`` and ``/api/tokens``: answered by the data service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.services.door import credential
from appliance.services.proxy import raw_path
from appliance.services.token_watch import EndWithToken

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Name = Annotated[str, Path(min_length=1, max_length=63, examples=["nurse"])]
CollectionName = Annotated[str, Path(min_length=1, max_length=63, examples=["patients"])]


class RoleBody(BaseModel):
    """The body of ``PUT /api/roles/{role}``."""

    label: str = BodyField("", examples=["Nurse"])
    level: Literal["wall", "staff", "admin"] = BodyField(description="Whose rights the role starts from.")


class ConditionBody(BaseModel):
    """A condition on a field of a row."""

    field: str = BodyField(examples=["ward"])
    op: Literal["eq", "neq", "gt", "gte", "lt", "lte", "in", "null", "like"] = BodyField(examples=["eq"])
    value: Any = BodyField(examples=["Cardiology"])


class PermitBody(BaseModel):
    """The body of ``PUT /api/roles/{role}/collections/{collection}``."""

    where: list[ConditionBody] = BodyField([], description="Conditions that must all hold; none: every row.")
    access: Literal["none", "read", "write"] = BodyField("write", description="What the role does with those rows.")


class MaskBody(BaseModel):
    """The body of ``PUT /api/roles/{role}/collections/{collection}/fields/{field}``."""

    mask: Literal["initials", "year", "last4", "rounded", "hidden"] = BodyField(examples=["initials"])


class ShowBody(BaseModel):
    """The body of ``PUT /api/collections/{collection}``; what is left out stays as it is."""

    audience: Literal["wall", "staff", "admin"] | None = BodyField(
        None, description="The least trusted level that reads the collection at all."
    )
    fields: list[str] | None = BodyField(None, description="What walls read of it.", examples=[["Ward", "Bed"]])


class TokenBody(BaseModel):
    """The body of ``POST /api/tokens``."""

    role: str = BodyField(examples=["nurse"])
    ttl_s: int = BodyField(900, description="Seconds it lasts; at most the setting token_ttl_limit_s.")
    label: str = BodyField("", description="What it is for.", examples=["tablet 3"])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway, and let every request end with its token."""
    app.add_middleware(EndWithToken, gateway=gateway)
    _roles(app, gateway)
    _rights(app, gateway)
    _tokens(app, gateway)


async def _on(gateway: Gateway, request: Request, changes: bool = False) -> Response:
    """Send a request on to the data service, under the role it acts as; after a change go by it at once."""
    token = gateway.access.token(credential(request))
    more = {"X-Token": token.jti} if token else {}
    answer = await gateway.to_data(request, raw_path(request, "/api"), request.headers.get("x-role"), **more)
    if changes:
        await gateway.watch.refresh()
    return answer


def _roles(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/roles", summary="Every role (for the admin), or one's own")
    async def listed(request: Request) -> Response:
        return await _on(gateway, request)

    @app.get("/api/roles/{role}", summary="A role, its conditions and its masks")
    async def one(role: Name, request: Request) -> Response:
        return await _on(gateway, request)

    @app.put("/api/roles/{role}", summary="Declare a role, or change its label or level")
    async def declare(role: Name, request: Request, body: RoleBody) -> Response:
        return await _on(gateway, request, changes=True)

    @app.delete("/api/roles/{role}", summary="Remove a declared role; its tokens end", status_code=204)
    async def remove(role: Name, request: Request) -> Response:
        return await _on(gateway, request, changes=True)

    @app.delete("/api/roles/{role}/tokens", summary="Revoke every token of a role")
    async def revoke_all(role: Name, request: Request) -> Response:
        return await _on(gateway, request, changes=True)


def _rights(app: FastAPI, gateway: Gateway) -> None:
    whose = "/api/roles/{role}/collections/{collection}"

    @app.put(whose, summary="Say which rows a role has, and whether it writes them")
    async def permit(role: Name, collection: CollectionName, request: Request, body: PermitBody) -> Response:
        return await _on(gateway, request, changes=True)

    @app.delete(whose, summary="Give a role every row again that its level has", status_code=204)
    async def unpermit(role: Name, collection: CollectionName, request: Request) -> Response:
        return await _on(gateway, request, changes=True)

    @app.put(whose + "/fields/{field:path}", summary="Mask a field for a role")
    async def mask(role: Name, collection: CollectionName, field: str, request: Request, body: MaskBody) -> Response:
        return await _on(gateway, request, changes=True)

    @app.delete(whose + "/fields/{field:path}", summary="Let a role read a field itself again", status_code=204)
    async def unmask(role: Name, collection: CollectionName, field: str, request: Request) -> Response:
        return await _on(gateway, request, changes=True)

    @app.put("/api/collections/{collection}", summary="Say who reads a collection, and what of it walls read")
    async def show(collection: CollectionName, request: Request, body: ShowBody) -> Response:
        return await _on(gateway, request, changes=True)


def _tokens(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/tokens", summary="Tokens of one's role, the admin's all; never the tokens themselves")
    async def listed(request: Request) -> Response:
        return await _on(gateway, request)

    @app.post("/api/tokens", summary="Ask for a token to act as a role for a while", status_code=201)
    async def issue(request: Request, body: TokenBody) -> Response:
        gateway.access.acting(gateway.role(request), body.role)
        return await _on(gateway, request)

    @app.delete("/api/tokens/{jti}", summary="Revoke a token, and those asked for with it", status_code=204)
    async def revoke(jti: Name, request: Request) -> Response:
        return await _on(gateway, request, changes=True)
