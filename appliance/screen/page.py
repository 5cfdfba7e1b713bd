"""The local page of a kiosk: what the agent holds, for the browser of this machine and this account alone.

``/`` is the page (or the code, until the box lets the screen in), ``/ws`` its frames, ``/screen`` how things are.

Nobody else gets in: it listens on 127.0.0.1; Host must name that, so that another site's name which points here gets
nothing (DNS rebinding); Origin, where a browser sends one, must be the page's own; and the program at the other end
must belong to the account that the agent runs as, or to root.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, Final
from urllib.parse import urlsplit

import segno
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from appliance.bridge.frame import Frame, control
from appliance.bridge.members import Member
from appliance.bridge.session import Session
from appliance.bridge.transports.websocket import WebSocketConnection
from appliance.errors import ApplianceError
from appliance.screen import neighbour
from appliance.screen.agent import Agent
from appliance.screen.mirror import Mirror
from appliance.screen.outbox import KINDS, Outbox
from appliance.screen.receiver import Page, load_page, load_parts, load_waiting, with_microphone
from appliance.types import ROLES, Role

PAGES_LIMIT: Final = 8
INPUT_LIMIT: Final = 65_536
ASKED_LIMIT: Final = 64
_PASSING: Final = frozenset({"cancel", "pin", "pointer", "touch", "key"})
_OURS: Final = frozenset({"127.0.0.1", "localhost"})


class LocalPage:
    """Serves the page.

    Args:
        agent: what is shown.
        mirror: its signals as a stream.
        outbox: takes what people ask.
    """

    def __init__(self, agent: Agent, mirror: Mirror, outbox: Outbox) -> None:
        self._agent, self._mirror, self._outbox = agent, mirror, outbox
        self._receiver, self._waiting, self._parts = load_page(), load_waiting(), load_parts()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: dict[str, Session] = {}  # who waits for what the box says of its input, by the input's ref
        agent.done.append(lambda ref: self._answer(ref, control("ack", ref=ref)))
        agent.denied.append(lambda ref, error: self._answer(ref, control("error", **error.shape(), ref=ref)))

    def app(self) -> FastAPI:
        """The addresses."""
        app = FastAPI(title="appliance-screen", docs_url=None, redoc_url=None, openapi_url=None)
        app.add_exception_handler(ApplianceError, _told)
        app.add_exception_handler(HTTPException, _told)
        app.add_api_route("/", self._page)
        app.add_api_route("/favicon.svg", self._icon)
        for path in self._parts:
            if not path.startswith("/past"):  # a screen that keeps itself shows no past
                app.add_api_route(path, self._part)
        app.add_api_route("/screen", self._screen)
        app.add_api_websocket_route("/ws", self._socket)
        return app

    async def _page(self, request: Request) -> Response:
        await check_ours(request)
        page = self._waiting if self._mirror.link["state"] in ("waiting", "refused") else self._receiver
        return Response(page.plain, headers=_headers(page, request), media_type="text/html; charset=utf-8")

    async def _icon(self, request: Request) -> Response:
        await check_ours(request)
        return Response(self._receiver.icon, media_type="image/svg+xml")

    async def _part(self, request: Request) -> Response:
        await check_ours(request)
        part = self._parts[request.url.path]
        return Response(part.plain, headers={"Cache-Control": "no-store"}, media_type=part.media)

    async def _screen(self, request: Request) -> Response:
        await check_ours(request)
        error = self._mirror.refused
        code = self._agent.code
        told = {**self._mirror.link, "box": self._agent.box_name, "code": code, "hint": error.hint if error else None}
        if code:
            told["qr"] = segno.make(code, error="m").svg_data_uri(border=2, dark="#0e1f1d", light="#fff")
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def _socket(self, socket: WebSocket) -> None:
        try:
            await check_ours(socket)
            if self._mirror.pages >= PAGES_LIMIT:
                raise ApplianceError("BRG409", "Too many pages show this screen.", PAGES_LIMIT, "Close the others.")
        except ApplianceError as error:
            await socket.send_denial_response(JSONResponse(error.shape(), error.status))
            return
        await socket.accept()
        road = WebSocketConnection(socket, "page", INPUT_LIMIT)
        said = self._agent.role
        role: Role = said if said in ROLES else "wall"
        member = Member("screen", role, self._agent.room)

        def hear(_: Member, said: dict[str, Any]) -> None:
            self._hear(session, said)

        streams, name = self._mirror.streams, self._agent.box_name
        session = Session(road, streams, name, hear, member, understanding=self._agent.speaking)
        self._mirror.joined(session)
        try:
            await session.run()
        finally:
            self._mirror.left(session)
            self._asked = {ref: waits for ref, waits in self._asked.items() if waits is not session}

    def _hear(self, session: Session, said: dict[str, Any]) -> None:
        kind = str(said.get("type"))
        if kind not in KINDS | _PASSING:
            raise ApplianceError("SIG307", "The input frame says something unknown.", kind[:80])
        if kind in KINDS:
            self._soon(self._keep(said))
        else:
            if said.get("ack") and "ref" in said:
                self._asked[str(said["ref"])] = session
                while len(self._asked) > ASKED_LIMIT:
                    del self._asked[next(iter(self._asked))]
            self._soon(self._pass_on(said))

    async def _keep(self, said: dict[str, Any]) -> None:
        try:
            await self._outbox.add(said)
        except ApplianceError as error:
            self._mirror.tell(control("error", **error.shape()))

    async def _pass_on(self, said: dict[str, Any]) -> None:
        """Say it to the box; what the box says of it goes to the page that said it, and so does that it is away."""
        try:
            await self._agent.tell(said)
        except ApplianceError as error:
            ref = str(said.get("ref"))
            self._answer(ref, control("error", **error.shape(), ref=ref))

    def _answer(self, ref: str, frame: Frame) -> None:
        session = self._asked.pop(ref, None)
        if session is not None:
            self._soon(session.tell(frame))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def check_ours(connection: HTTPConnection) -> None:
    """Refuse what does not come from the page of this account's own browser.

    Raises:
        ApplianceError: BRG403.
    """
    host = connection.headers.get("host", "")
    origin = connection.headers.get("origin")
    if _name(host) not in _OURS:
        raise _foreign({"host": host[:100]})
    if origin is not None and origin.casefold() != f"http://{host}".casefold():
        raise _foreign({"origin": origin[:100]})
    site = connection.headers.get("sec-fetch-site", "none")
    if site not in ("none", "same-origin"):
        raise _foreign({"site": site[:20]})
    if not await asyncio.to_thread(_is_same_account, connection):
        raise _foreign({"account": "another"})


def _is_same_account(connection: HTTPConnection) -> bool:
    if not neighbour.TABLE.exists():
        return True  # a system that does not say
    client = connection.client
    return client is not None and neighbour.owner_of(client.host, client.port) in (0, os.geteuid())


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def _foreign(details: dict[str, str]) -> ApplianceError:
    return ApplianceError(
        "BRG403", "This page is for the screen it runs on.", details, "Open it on that screen, as the same user."
    )


def _headers(page: Page, request: Request) -> dict[str, str]:
    return {
        "Content-Security-Policy": with_microphone(page.policy, request.headers["host"]),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


async def _told(_: Request, error: Exception) -> Response:
    if not isinstance(error, ApplianceError):
        assert isinstance(error, HTTPException)
        code = "BRG405" if error.status_code == 405 else "BRG404"
        error = ApplianceError(code, "There is nothing at this address.")
    return JSONResponse(error.shape(), error.status)
