"""Shapes at the public door: passed on to the data service, or to a real Electric where the box has one.

Electric knows no roles. So what a request may see is decided here before it goes on: the table, the columns and
the row filter of the asking role, and the reader's own filter read and written anew; nothing else of the request
but the protocol's own parameters reaches Electric.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI, Request, Response

from appliance.errors import ApplianceError, from_shape
from appliance.services.proxy import forward
from appliance.types import RoleName

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["ShapeDoor", "install"]

_PROTOCOL: Final = (
    "offset handle live cursor live_sse experimental_live_sse log replica expired_handle cache-buster".split()
)


class ShapeDoor:
    """Where requests for shapes go on.

    Args:
        gateway: whose settings and access hold.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        # A reader may wait for minutes: these connections are not those of the rest of the door.
        self._client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))

    def end(self) -> None:
        """The gateway stops: whoever waits is told so, at once."""
        self._closing = asyncio.create_task(self._client.aclose())

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()

    async def answer(self, request: Request) -> Response:
        """The shape a request asks for, as its role sees it.

        Raises:
            ApplianceError: BRG402 (a higher role), BRG406 (no answer), and as the data service says.
        """
        wanted = request.headers.get("x-role") or request.query_params.get("role")
        role = self._gateway.access.acting(self._gateway.role(request), wanted)
        electric = self._gateway.settings.electric_url.rstrip("/")
        answer = await (self._through_electric(request, role, electric) if electric else self._own(request, role))
        answer.headers["Cache-Control"] = "no-store"  # rows are for one role: nobody on the way may keep them
        return answer

    async def _own(self, request: Request, role: RoleName) -> Response:
        return await self._sent(request, f"{self._gateway.runtime.pgflex_url}/v1/shape", self._inside(role))

    async def _through_electric(self, request: Request, role: RoleName, electric: str) -> Response:
        query = await self._permitted(request, role)
        narrowed = Request({**request.scope, "query_string": query.encode()}, request.receive)
        answer = await self._sent(narrowed, f"{electric}/v1/shape", {})
        del answer.headers["location"]  # it would name what was added
        return answer

    async def _permitted(self, request: Request, role: RoleName) -> str:
        """The query as Electric may have it."""
        access = await self._access(request, role)
        table = re.sub(r'^(api|"api")\.', "", request.query_params["table"]).strip('"')
        query = {name: request.query_params[name] for name in _PROTOCOL if name in request.query_params}
        query |= {"table": f"api.{table}", "columns": ",".join(f'"{name}"' for name in access["columns"])}
        query |= {"where": access["where"]} if access["where"] else {}
        secret = self._gateway.settings.electric_secret
        return urlencode(query | ({"secret": secret} if secret else {}))

    async def _access(self, request: Request, role: RoleName) -> dict[str, str]:
        url = httpx.URL(f"{self._gateway.runtime.pgflex_url}/shape-access")
        try:
            answer = await self._client.get(
                url.copy_with(query=request.url.query.encode()), headers=self._inside(role), timeout=10.0
            )
            told: dict[str, str] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _absent(str(error)) from None
        if answer.status_code != 200:
            raise from_shape(told, "BRG406")
        return told

    async def _sent(self, request: Request, url: str, headers: dict[str, str]) -> Response:
        limit = self._gateway.settings.document_limit
        return await forward(request, self._client, url, headers, limit=limit, absent=_absent(None))

    def _inside(self, role: RoleName) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._gateway.runtime.token}", "X-Role": role}


def install(app: FastAPI, gateway: Gateway) -> ShapeDoor:
    """The routes of shapes; close what is returned at the end."""
    door = ShapeDoor(gateway)
    app.state.endings = [*getattr(app.state, "endings", ()), door.end]
    for path in ("/shape", "/v1/shape"):
        app.add_api_route(path, door.answer, methods=["GET"], include_in_schema=False, response_model=None)
    return door


def _absent(reason: str | None) -> ApplianceError:
    return ApplianceError(
        "BRG406", "Shapes are not served just now.", reason, "The service is being restarted; try again in a moment."
    )
