"""The part of the gateway that is the console's: what it holds, and its addresses."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import httpx
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from appliance.config import Runtime
from appliance.observation import logger
from appliance.pgflex.ledger import Asked
from appliance.services import restore_wish
from appliance.services.access import Access
from appliance.services.admin import setup_code
from appliance.services.admin.accounts import Accounts
from appliance.services.admin.chosen import Chosen
from appliance.services.admin.jobs import Jobs
from appliance.services.admin.ledger import LedgerWriter
from appliance.services.admin.sessions import Session, Sessions
from appliance.services.admin.waits import Familiar, Waits
from appliance.services.backup.making import sweep
from appliance.services.door import SESSION
from appliance.types import Answer, Question

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["Desk", "install_doors"]

FREE: Final = 4
LONGEST_S: Final = (60.0, 900.0, 0.05)
"""The longest wait of a name, which anybody may guess at, of an address, and of the setup code.

The code has 40 bits: the wait of addresses does, and that of the code itself, which whoever is on the network can bring
about, only keeps very many addresses from trying more than 20 a second together.
"""
RESTART_S: Final = 1.0
log = logger("gateway")


class Desk:
    """What the gateway holds for the console.

    Args:
        runtime: what the box was started with.
        access: learns of sessions.
        client: of the box's own services.
    """

    def __init__(self, runtime: Runtime, access: Access, client: httpx.AsyncClient) -> None:
        self.runtime, self.settings = runtime, runtime.settings
        data, own = self.settings.data, self.settings.data / "gateway"
        self.chosen = Chosen(runtime)
        self.accounts = Accounts(data / "keys" / "accounts.json")
        self.sessions = Sessions(own / "sessions.json", lambda: self.chosen.value("session_idle_minutes") * 60.0)
        access.sessions = self.sessions
        self.waits_by_name, self.waits_by_address, self.waits_for_code = (Waits(FREE, s) for s in LONGEST_S)
        self.familiar = Familiar()
        self.setting_up = asyncio.Lock()  # one setup code makes one admin
        days = lambda: int(self.chosen.value("questions_days"))  # noqa: E731
        self.ledger = LedgerWriter(client, runtime.pgflex_url, own / "ledger.json", days)
        self.jobs = Jobs(own / "jobs.json")
        self.demo: dict[str, Any] = {}

    def load(self) -> None:
        """Read what the disk holds, sweep up, make the code of the first start. Blocks on the disk.

        Raises:
            ApplianceError: BRG414, the accounts cannot be read.
        """
        for each in (self.chosen, self.accounts, self.sessions, self.ledger, self.jobs):
            each.load()
        self.sessions.check(self._holds)
        sweep(self.settings.data / "backups")
        if not restore_wish.is_wanted(self.settings.data):  # else a file there is about to be restored
            shutil.rmtree(self.settings.data / "incoming", ignore_errors=True)
        if not self.accounts.any and not setup_code.code_of(self.settings.data):
            try:
                setup_code.new_code(self.settings.data)
            except OSError as error:
                log.warn("no setup code can be made", reason=error)

    def _holds(self, session: Session) -> bool:
        """Whether a session that was written down is of an account as it is now."""
        account = self.accounts.find(session.name)
        return account is not None and account.role == session.role and account.changed_at <= session.began

    async def close(self) -> None:
        """End what goes on, and keep what waits."""
        self.jobs.close()
        await self.jobs.stop()
        await self.jobs.keep()
        await self.sessions.keep(now=True)
        await self.ledger.keep()

    def account(self, request: HTTPConnection) -> str:
        """The name of who is signed in, or an empty text."""
        token = request.scope.get(SESSION, "")
        session = self.sessions.find(token) if token else None
        return session.name if session else ""

    def tell_asked(self, question: Question, found: Answer, account: str) -> None:
        """Keep who asked what, and what came of it."""
        asked = Asked(
            ref=f"{question.id}{secrets.token_hex(4)}",
            at=datetime.fromisoformat(question.asked_at),
            screen=question.screen,
            account=account,
            role=question.role,
            room=question.room,
            question=question.text,
            reading=found.reading,
            plan=found.plan,
            rest=found.rest,
            status=found.status,
            took_ms=found.took_ms,
            timings=found.timings,
            confidence=found.confidence if found.status == "answered" else None,
            rows=len(found.rows),
            error=str((found.error or {}).get("code", "")),
        )
        self.ledger.asked(asked)

    def restart_soon(self) -> None:
        """Have the gateway itself started anew, once it has answered."""
        asyncio.get_running_loop().call_later(RESTART_S, os.kill, os.getpid(), signal.SIGTERM)


def install_doors(app: FastAPI, gateway: Gateway) -> None:
    """Add the console's addresses to the gateway, and what is around every request."""
    from appliance.services.admin import (
        door_about,
        door_accounts,
        door_backups,
        door_health,
        door_jobs,
        door_ledger,
        door_logs,
        door_models,
        door_session,
        door_settings,
        door_setup,
        door_updates,
        door_views,
    )
    from appliance.services.admin.signed import Audited, Signed

    app.add_middleware(Audited, gateway=gateway)
    app.add_middleware(Signed, gateway=gateway)
    app.state.endings = [*getattr(app.state, "endings", ()), gateway.jobs.close]
    for door in (door_session, door_setup, door_accounts, door_jobs, door_ledger, door_views, door_backups):
        door.install(app, gateway)
    for door in (door_settings, door_health, door_logs, door_about, door_models, door_updates):
        door.install(app, gateway)
