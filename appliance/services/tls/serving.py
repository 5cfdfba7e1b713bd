"""The gateway's server where the door speaks HTTPS: uvicorn behind a :class:`Listener`, with the trust page beside."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from appliance.config import Runtime
from appliance.services.internal import Server, bind, config_of, essential, serve
from appliance.services.tls.keeper import Keeper
from appliance.services.tls.listening import Listener


class SecureServer(Server):
    """Serves an app over TLS and another to whoever speaks in the open, on the same port.

    Args:
        app: what callers with TLS get.
        plain: what all others get.
        keeper: holds the certificate.
    """

    def __init__(self, app: FastAPI, plain: ASGIApp, keeper: Keeper) -> None:
        super().__init__(config_of(app), app)
        self._plain = uvicorn.Config(
            plain, log_level="warning", access_log=False, server_header=False, lifespan="off", proxy_headers=False
        )
        self._plain.load()
        self._keeper = keeper
        self._keeping: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the app, then the door: the first socket is for both kinds of callers, a second for plain ones alone."""
        await super().startup(sockets=[])
        for at, each in enumerate(sockets or ()):
            secure = (lambda: self._keeper.context) if at == 0 else None
            listener = Listener(
                each, secure, partial(self._protocol, self.config), partial(self._protocol, self._plain)
            )
            self.servers.append(listener)  # type: ignore[arg-type]  # has the two methods that are called
        self._keeping = essential("gateway", self._keeper.run())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door, then the app."""
        if self._keeping is not None:
            self._keeping.cancel()
        await super().shutdown(sockets)

    def _protocol(self, config: uvicorn.Config) -> asyncio.Protocol:
        made = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )
        assert isinstance(made, asyncio.Protocol)
        return made


def serve_door(app: FastAPI, runtime: Runtime) -> None:
    """Serve the gateway as its address says: ``https`` with the trust page beside it, ``http`` as it is.

    Raises:
        ApplianceError: BRG407, a port is in use; BRG416, a certificate cannot be used.
    """
    keeper: Keeper | None = getattr(app.state, "keeper", None)
    if keeper is None:
        serve(app, runtime.gateway_url)
        return
    from appliance.services.tls.page import TrustPage

    keeper.renew()
    with bind(runtime.gateway_url) as bound:
        sockets = [bound]
        if runtime.settings.trust_port:
            host = runtime.gateway_url.rpartition(":")[0]
            sockets.append(bind(f"{host}:{runtime.settings.trust_port}"))
        SecureServer(app, TrustPage(runtime.settings, keeper.authority), keeper).run(sockets=sockets)
