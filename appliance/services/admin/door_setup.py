"""The first start: who knows the code that the box shows makes the admin's account, and says what the house is called.

``appliance admin reset-password`` at the box makes a new code; with it an admin gets a new password the same way.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import unquote

from fastapi import FastAPI, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.config import SETTINGS
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.services import restore_wish
from appliance.services.admin import setup_code
from appliance.services.admin.accounts import Account
from appliance.services.admin.door_session import SessionAnswer, guess, note_door, signed_in
from appliance.services.admin.passwords import check_password
from appliance.services.admin.programs import run_command
from appliance.services.admin.restarting import restart_parts
from appliance.services.admin.signed import address_of
from appliance.services.admin.uploads import receive
from appliance.services.clients import told_by_data
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.admin.jobs import Report
    from appliance.services.gateway import Gateway

__all__ = ["install", "open_with_code"]

LANGUAGES: Final = next(setting.choices for setting in SETTINGS if setting.name == "language")
DEMOS: Final = ("hospital", "lawfirm")
BACKUP_LIMIT: Final = 256 * 1024**3
log = logger("gateway")
OURS: Final = frozenset({"alerts"})


class RestoreAnswer(BaseModel):
    """What came of a backup that was to be restored."""

    state: Literal["running", "done", "failed"]
    error: dict[str, Any] | None = BodyField(description="The one error shape, where it failed.")


class RestoringAnswer(BaseModel):
    """The box stops now, restores the backup and starts again; GET /api/setup says how that went."""

    restoring: bool = True


class SetupAnswer(BaseModel):
    """What the page of the first start needs to know."""

    state: Literal["new", "done"]
    reset: bool = BodyField(description="Whether a code was made to give an admin a new password.")
    box: str = BodyField(examples=["DreamStack"])
    facility: str = BodyField(examples=[""])
    languages: list[str] = BodyField(examples=[["en", "de"]])
    language: str = BodyField(examples=["en"])
    timezone: str = BodyField(description="The setting's, else the machine's.", examples=["Europe/Berlin"])
    join: str = BodyField(examples=["auto"])
    demos: list[str] = BodyField(examples=[["hospital", "lawfirm"]])
    data: Literal["none", "some", "unknown"] = BodyField(description="Whether the box holds data already.")
    restore: RestoreAnswer | None = BodyField(description="What came of a backup that was to be restored.")


class SetupBody(BaseModel):
    """The body of ``POST /api/setup``; all but the first three may be left out."""

    code: str = BodyField(max_length=40, examples=["ABCD-2345"])
    name: str = BodyField(max_length=64, examples=["maria"])
    password: str = BodyField(max_length=1000, examples=["four words that rhyme"])
    facility: str | None = BodyField(None, max_length=200, examples=["St. Brigid Hospital"])
    timezone: str | None = BodyField(None, max_length=100, examples=["Europe/Berlin"])
    language: str | None = BodyField(None, max_length=10, examples=["en"])
    join: str | None = BodyField(None, max_length=20, examples=["approve"])
    data: Literal["empty", "hospital", "lawfirm", "keep"] = BodyField("keep", description="What to begin with.")


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/setup", summary="Whether the box is new, and what to choose from", response_model=SetupAnswer)
    async def look() -> Response:
        return Json(await _told(gateway))

    @app.post(
        "/api/setup",
        summary="Make the first admin's account, and say what the house is called",
        response_model=SessionAnswer,
    )
    async def set_up(request: Request, body: SetupBody) -> Response:
        async with gateway.setting_up:
            code = await open_with_code(gateway, request, body.code)
            await _check_not_restoring(gateway)
            made = _reset if gateway.accounts.any else _set_up
            account, action = await made(gateway, body, code)
        return await signed_in(gateway, request, account, action)

    _restore(app, gateway)


async def _set_up(gateway: Gateway, body: SetupBody, code: str) -> tuple[Account, str]:
    changes = await _checked(gateway, body)
    account = await _used_up(gateway, code, lambda: gateway.accounts.add(body.name, "admin", body.password))
    await gateway.chosen.set(changes)
    gateway.tell_box()
    _begin(gateway, account, body.data)
    return account, "set up"


async def _reset(gateway: Gateway, body: SetupBody, code: str) -> tuple[Account, str]:
    return await _used_up(gateway, code, lambda: _new_password(gateway, body)), "reset"


async def _used_up(gateway: Gateway, code: str, work: Callable[[], Awaitable[Account]]) -> Account:
    """What a code is good for, once: it is gone before anything is done, and back where that was refused."""
    data = gateway.settings.data
    await asyncio.to_thread(setup_code.forget, data)
    try:
        return await work()
    except ApplianceError:
        await asyncio.to_thread(setup_code.keep, data, code)
        raise


def _restore(app: FastAPI, gateway: Gateway) -> None:
    @app.post(
        "/api/setup/restore",
        summary="Restore a backup in the place of a first start: the file as the body",
        status_code=202,
        response_model=RestoringAnswer,
        openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
    )
    async def restore(
        request: Request,
        x_setup_code: Annotated[str, Header(max_length=40, description="The setup code.")] = "",
        x_passphrase: Annotated[str, Header(max_length=9000, description="What opens it, percent-encoded.")] = "",
    ) -> Response:
        code, passphrase = x_setup_code, unquote(x_passphrase)
        await open_with_code(gateway, request, code)
        await _check_restorable(gateway)
        data = gateway.settings.data
        file = await receive(request, data / "incoming" / f"{secrets.token_hex(8)}.backup", BACKUP_LIMIT)
        words = ["--passphrase-file", "/dev/stdin"] if passphrase else []
        try:
            await run_command("restore", str(file), "--check", *words, given=passphrase)
            async with gateway.setting_up:  # the file took its time: somebody may have set the box up meanwhile
                await _matched(gateway, code)
                await _check_restorable(gateway)
                note_restore(gateway, request)
                await asyncio.to_thread(restore_wish.leave, data, restore_wish.Wish(str(file), passphrase))
        except BaseException:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            raise
        return Json({"restoring": True}, 202)


async def _check_restorable(gateway: Gateway) -> None:
    """Raise where nothing can be restored in the place of a first start.

    Raises:
        ApplianceError: BRG486, the box is set up; BRG488, a backup is restored already; BRG489, another kind of box.
    """
    if gateway.accounts.any:
        raise ApplianceError("BRG486", "The box is set up already.", None, "At the box: appliance restore FILE")
    if gateway.runtime.profile != "embedded":
        raise ApplianceError("BRG489", "The system runs this box's parts.", None, "At the box: appliance restore FILE")
    await _check_not_restoring(gateway)


async def _check_not_restoring(gateway: Gateway) -> None:
    """Raise once a backup is to take the box's place: what is done now would be lost.

    Raises:
        ApplianceError: BRG488.
    """
    if await asyncio.to_thread(restore_wish.is_wanted, gateway.settings.data):
        raise ApplianceError("BRG488", "A backup is being restored.", None, "Wait until the box is back.")


def note_restore(gateway: Gateway, request: Request) -> None:
    """Have the log say who restores: the audit is the backup's afterwards."""
    log.info("a backup is to be restored", address=address_of(request))


async def _told(gateway: Gateway) -> dict[str, Any]:
    chosen, code = gateway.chosen, await asyncio.to_thread(setup_code.code_of, gateway.settings.data)
    new = not gateway.accounts.any
    return {
        "state": "new" if new else "done",
        "reset": bool(code) and not new,
        "box": gateway.settings.box_name,
        "facility": gateway.facility,
        "languages": list(LANGUAGES),
        "language": chosen.value("language"),
        "timezone": chosen.next("timezone") or await asyncio.to_thread(machine_timezone),
        "join": chosen.next("join"),
        "demos": list(DEMOS),
        "data": await _held(gateway) if new else "some",
        "restore": await asyncio.to_thread(restore_wish.outcome, gateway.settings.data),
    }


async def _held(gateway: Gateway) -> str:
    try:
        catalog = await gateway.assistant.catalog("admin")
    except ApplianceError:
        return "unknown"
    return "some" if any(each.name not in OURS for each in catalog.collections) else "none"


async def open_with_code(gateway: Gateway, request: Request, given: str) -> str:
    """Make sure that somebody knows the code; returns it as it is kept. Every guess counts until it was right.

    Raises:
        ApplianceError: BRG481, too many guesses; BRG486, it is wrong, or no code is asked for.
    """
    address, action = address_of(request), "reset" if gateway.accounts.any else "set up"
    guesses = [(gateway.waits_by_address, address), (gateway.waits_for_code, "code")]
    guess(gateway, request, action, "unknown name", guesses)
    try:
        code = await _matched(gateway, given)
    except ApplianceError:
        note_door(gateway, request, "unknown name", "", action, 403)
        raise
    for waits, key in guesses:
        waits.well(key)
    return code


async def _matched(gateway: Gateway, given: str) -> str:
    """The code that is kept, where `given` is that.

    Raises:
        ApplianceError: BRG486, it is not, or there is none.
    """
    kept = await asyncio.to_thread(setup_code.code_of, gateway.settings.data)
    if not setup_code.matches(kept, given):
        hint = "It is on the box's display and in its log: appliance admin setup-code" if kept else "Sign in instead."
        message = "The setup code is wrong." if kept else "The box is set up already."
        raise ApplianceError("BRG486", message, None, hint)
    return kept


async def _new_password(gateway: Gateway, body: SetupBody) -> Account:
    """With a code that was made at the box: an admin's new password, or a new admin."""
    if gateway.accounts.find(body.name) is None:
        return await gateway.accounts.add(body.name, "admin", body.password)
    account = await gateway.accounts.change(body.name, "admin", body.password)
    gateway.sessions.end_of(account.name)
    gateway.waits_by_name.well(account.name.casefold())
    return account


async def _checked(gateway: Gateway, body: SetupBody) -> dict[str, Any]:
    """The settings that were chosen, all of them checked before anything is done."""
    check_password(body.password, body.name)
    given = {name: getattr(body, name) for name in ("facility", "timezone", "language", "join")}
    changes = {name: value for name, value in given.items() if value not in (None, "", gateway.chosen.next(name))}
    if not gateway.chosen.next("timezone") and changes.get("timezone") == await asyncio.to_thread(machine_timezone):
        del changes["timezone"]  # it is that already, and nothing has to start anew
    await asyncio.to_thread(gateway.chosen.check, changes)
    if body.data != "keep" and await _held(gateway) == "some":
        raise ApplianceError("BRG485", "The box holds data already.", None, "Choose to keep it.")
    return changes


def _begin(gateway: Gateway, account: Account, data: str) -> None:
    """What takes longer: load a demo, and start the parts anew that go by another setting now."""
    parts = gateway.chosen.waits("timezone") or gateway.chosen.waits("join")
    if data not in DEMOS and not parts:
        return

    async def work(report: Report) -> dict[str, Any] | None:
        if data in DEMOS:
            report.tell("The demo's data is loaded.")
            await told_by_data(gateway.client, gateway.runtime, "POST", "/demo", "admin", {"name": data}, 120.0)
            await gateway.learn_demo()
        if parts and gateway.runtime.profile == "embedded":
            report.tell("The parts start anew with the settings.")
            await restart_parts(gateway, ("pgflex", "bridge", "llm"))
            gateway.restart_soon()
        return {"demo": data if data in DEMOS else None}

    gateway.jobs.start("import", account.name, "The box is prepared.", work)


def machine_timezone() -> str:
    """The machine's own timezone, ``UTC`` where it has none. Blocks on the disk."""
    if named := os.environ.get("TZ", "").lstrip(":"):
        return named
    place = str(Path("/etc/localtime").resolve())
    _, found, name = place.partition("/zoneinfo/")
    return name if found else "UTC"
