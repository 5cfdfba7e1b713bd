"""Tokens at the door: the gateway follows which were revoked, and ends what a token began when the token ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import msgspec
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from appliance.bridge.sources.feed import follow
from appliance.errors import ApplianceError, from_shape
from appliance.pgflex.access.role_book import State
from appliance.pgflex.access.roles import Access as Readable
from appliance.pgflex.access.tokens import Token, refused
from appliance.services.door import credential
from appliance.services.ending import serve_until
from appliance.types import RoleName

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["EndWithToken", "TokenWatch"]


class TokenWatch:
    """Keeps the door's knowledge of roles and tokens that of the data service.

    Args:
        gateway: whose access it tells.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._url = gateway.runtime.pgflex_url
        self._readable: dict[RoleName, dict[str, Readable]] = {}
        self._edition = 0

    async def run(self) -> None:
        """Follow until cancelled; while nothing is heard no token is good."""
        async for event in follow(self._gateway.client, f"{self._url}/access/events"):
            if event.event == "access":
                self._learn(msgspec.json.decode(event.data, type=State))
            elif event.event == "lost":
                self._learn(None)

    async def refresh(self) -> None:
        """Go from now on by what the data service knows at this moment."""
        try:
            answer = await self._gateway.client.get(f"{self._url}/access/state")
            answer.raise_for_status()
        except httpx.HTTPError:
            self._learn(None)  # until it is heard again: then it tells everything
            return
        self._learn(msgspec.json.decode(answer.content, type=State))

    async def readable(self, role: RoleName) -> dict[str, Readable]:
        """What a role may read, by collection.

        Raises:
            ApplianceError: BRG406, the data service does not answer.
        """
        if role in self._readable:
            return self._readable[role]
        edition = self._edition
        try:
            answer = await self._gateway.client.get(f"{self._url}/access", params={"role": role})
        except httpx.HTTPError as error:
            raise ApplianceError(
                "BRG406", "The data service does not answer.", str(error), "It is being restarted; try again."
            ) from None
        if answer.status_code != 200:
            raise from_shape(msgspec.json.decode(answer.content), "BRG406")
        found = msgspec.json.decode(answer.content, type=dict[str, Readable])
        if edition == self._edition:
            self._readable[role] = found
        return found

    def _learn(self, state: State | None) -> None:
        self._edition += 1
        self._readable.clear()
        self._gateway.access.learn(state)
        self._gateway.assistant.forget_catalog()
        if state is not None:
            self._gateway.board.changed(None)  # an answer may show what its role may not see any more


class EndWithToken:
    """Ends every request when the token that it came with ends: a stream stops, an answer not begun is refused.

    Plain ASGI around everything else, so that it holds for every address alike.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        token = self._token(scope) if scope["type"] == "http" else None
        if token is None:
            await self._app(scope, receive, send)
            return
        gone, error = self._gateway.access.gone(token), refused("The token has ended.")
        await serve_until(self._app, scope, receive, send, gone, error)

    def _token(self, scope: Scope) -> Token | None:
        try:
            return self._gateway.access.token(credential(HTTPConnection(scope)))
        except ApplianceError:
            return None  # the guard says so
