"""The console's API on a real box, as an admin uses it: the first start, signing in, looking after it."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from appliance.bridge import input_frame
from appliance.services.admin.sessions import COOKIE
from tests.box import Box, appliance, running_box
from tests.receiver import joined

NAME, WORDS = "maria", "four words that rhyme"
JOB_S = 120.0


@pytest.fixture(scope="module")
def own() -> Iterator[Box]:
    """A box of its own, which is set up here."""
    with running_box() as box:
        yield box


@pytest.fixture
async def door(own: Box) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=own.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
async def admin(own: Box, door: httpx.AsyncClient) -> httpx.AsyncClient:
    """Signed in as the account that the first start made."""
    code = own.data / "keys" / "setup.code"
    if await asyncio.to_thread(code.exists):
        given = {"code": await asyncio.to_thread(code.read_text), "name": NAME, "password": WORDS}
        answer = await door.post("/api/setup", json={**given, "facility": "St. Brigid", "language": "de"})
    else:
        answer = await door.post("/api/session", json={"name": NAME, "password": WORDS})
    assert answer.status_code == 200, answer.text
    door.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return door


def told(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert set(answer.json()) == {"code", "message", "details", "hint"}


async def done(admin: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    """The job of an answer, once it has ended."""
    assert answer.status_code == 202, answer.text
    until = time.monotonic() + JOB_S
    while time.monotonic() < until:
        job: dict[str, Any] = (await admin.get(f"/api/admin/jobs/{answer.json()['id']}")).json()
        if job["state"] != "running":
            return job
        await asyncio.sleep(0.2)
    raise AssertionError(job)


# The first start -----------------------------------------------------------------------------------------


async def test_a_new_box_is_set_up_with_the_code_it_shows(own: Box, door: httpx.AsyncClient) -> None:
    look = (await door.get("/api/setup")).json()
    assert (look["state"], look["data"], look["languages"]) == ("new", "some", ["en", "de"])
    code = await asyncio.to_thread((own.data / "keys" / "setup.code").read_text)
    shown = f"{code[:4]}-{code[4:8]}"
    assert f"/setup   with the code {shown}" in own.log()
    said = await asyncio.to_thread(appliance, "admin", "--data", str(own.data), "setup-code")
    assert said.stdout.strip() == shown
    account = {"name": NAME, "password": WORDS}
    told(await door.post("/api/setup", json={**account, "code": "AAAA-AAAA"}), 403, "BRG486")
    told(await door.post("/api/setup", json={**account, "code": shown, "password": "short"}), 422, "BRG483")
    told(await door.post("/api/setup", json={**account, "code": shown, "join": "nonsense"}), 422, "BRG410")
    told(await door.post("/api/setup", json={**account, "code": shown, "data": "lawfirm"}), 409, "BRG485")
    made = await door.post("/api/setup", json={**account, "code": shown, "facility": "St. Brigid", "language": "de"})
    assert made.status_code == 200, made.text
    assert (made.json()["name"], made.json()["role"], made.json()["facility"]) == (NAME, "admin", "St. Brigid")
    told(await door.post("/api/setup", json={**account, "code": shown}), 403, "BRG486")
    assert (await door.get("/api/setup")).json()["state"] == "done"


# Sessions ------------------------------------------------------------------------------------------------


async def test_the_cookie_is_hidden_from_scripts_and_other_sites(own: Box, admin: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(base_url=own.url, timeout=30, trust_env=False) as other:
        answer = await other.post("/api/session", json={"name": NAME.upper(), "password": WORDS})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=ses-")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.casefold()


async def test_a_page_from_elsewhere_changes_nothing(admin: httpx.AsyncClient) -> None:
    del admin.headers["X-CSRF-Token"]
    told(await admin.post("/api/accounts", json={"name": "eve", "role": "admin", "password": WORDS}), 403, "BRG482")
    assert [each["name"] for each in (await admin.get("/api/accounts")).json()["accounts"]] == [NAME]


async def test_who_signs_out_is_out(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/api/session")).json()["name"] == NAME
    assert (await admin.delete("/api/session")).status_code == 200
    told(await admin.get("/api/session"), 401, "BRG401")
    told(await admin.get("/api/admin/audit"), 401, "BRG401")


async def test_an_account_ends_with_its_sessions(own: Box, admin: httpx.AsyncClient) -> None:
    made = await admin.post("/api/accounts", json={"name": "jonas", "role": "staff", "password": WORDS})
    assert made.status_code == 201, made.text
    async with httpx.AsyncClient(base_url=own.url, timeout=30, trust_env=False) as his:
        answer = await his.post("/api/session", json={"name": "jonas", "password": WORDS})
        assert answer.json()["role"] == "staff"
        told(await his.get("/api/accounts"), 403, "BRG402")
        assert (await his.get("/api/catalog")).status_code == 200
        assert (await admin.delete("/api/accounts/jonas")).status_code == 200
        told(await his.get("/api/session"), 401, "BRG401")
    told(await admin.delete(f"/api/accounts/{NAME}"), 409, "BRG485")


async def test_guesses_wait_and_say_nothing_of_names(own: Box, admin: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(base_url=own.url, timeout=30, trust_env=False) as other:
        answers = [await other.post("/api/session", json={"name": "nobody", "password": "x"}) for _ in range(3)]
        known = await other.post("/api/session", json={"name": NAME, "password": "x"})
        assert [each.json() for each in answers] == [known.json()] * 3
        at_once = [other.post("/api/session", json={"name": "nobody", "password": "x"}) for _ in range(4)]
        codes = {each.json()["code"] for each in await asyncio.gather(*at_once)}
    assert "BRG481" in codes
    await asyncio.sleep(2)  # the next test signs in from the same address


async def test_the_key_is_an_admin_without_an_account(own: Box, door: httpx.AsyncClient) -> None:
    answer = await door.get("/api/session", headers=own.bearer("admin"))
    assert (answer.json()["name"], answer.json()["role"], answer.json()["csrf"]) == ("", "admin", "")


# What was done and asked ---------------------------------------------------------------------------------


async def test_the_audit_says_who_did_what_and_is_whole(own: Box, admin: httpx.AsyncClient) -> None:
    await admin.put("/api/rooms/icu", json={"label": "Intensive care"})
    found = (await admin.get("/api/admin/audit", params={"q": "/api/rooms/"})).json()["entries"]
    assert (found[0]["who"], found[0]["action"], found[0]["target"]) == (NAME, "PUT /api/rooms/{room}", "icu")
    everything = (await admin.get("/api/admin/audit", params={"limit": 1000})).text
    assert WORDS not in everything
    assert {"sign in", "set up"} & {each["action"] for each in (await admin.get("/api/admin/audit")).json()["entries"]}
    assert (await admin.get("/api/admin/audit/check")).json()["ok"] is True
    pages = (await admin.get("/api/admin/audit", params={"limit": 2})).json()
    more = (await admin.get("/api/admin/audit", params={"limit": 2, "before": pages["next"]})).json()
    assert pages["entries"][-1]["id"] == more["entries"][0]["id"] + 1


async def test_a_room_that_is_taken_away_takes_its_pins_along(own: Box, admin: httpx.AsyncClient) -> None:
    def pins() -> list[str]:
        board = json.loads((own.data / "gateway" / "board.json").read_text())
        return [each["question"]["text"] for each in board if each["question"]["room"] == "attic"]

    await admin.put("/api/rooms/attic", json={"label": "Attic"})
    question = "How many devices are in maintenance?"
    answer = (await admin.post("/api/ask", json={"question": question})).json()
    async with joined(own.url, **own.bearer("admin")) as screen:
        await screen.until(lambda signals: f"answer.{answer['id']}.rows" in signals)
        await screen.send(input_frame("pin", answer=answer["id"], room="attic"))
        until = time.monotonic() + 10
        while await asyncio.to_thread(pins) != [question]:
            assert time.monotonic() < until, screen.errors
            await asyncio.sleep(0.1)
    assert (await admin.delete("/api/rooms/attic")).status_code == 200
    assert await asyncio.to_thread(pins) == []


async def test_questions_are_kept_with_what_ran(admin: httpx.AsyncClient) -> None:
    answer = (await admin.post("/api/ask", json={"question": "How many beds are free in cardiology?"})).json()
    [first] = (await admin.get("/api/admin/questions", params={"q": "cardiology", "limit": 1})).json()["questions"]
    assert (first["account"], first["rest"], first["status"]) == (NAME, answer["rest"], "answered")
    day = (await admin.get("/api/admin/questions/summary")).json()
    assert day["count"] >= day["answered"] >= 1
    assert sum(hour["count"] for hour in day["hours"]) == day["count"]


# Screens -------------------------------------------------------------------------------------------------


async def test_what_a_screen_shows_is_drawn_and_known_again(admin: httpx.AsyncClient) -> None:
    look = {"role": "wall", "width": "320"}
    answer = await admin.get("/api/admin/see/picture.png", params=look)
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.size, len(picture.getcolors(1 << 20) or []) > 20) == ((320, 180), True)
    signals = (await admin.get("/api/admin/see", params={"role": "wall"})).json()["signals"]
    assert signals["box.facility"] == "St. Brigid"
    assert not any(name.startswith("answer.a") and name.endswith(".rows") for name in signals)
    told(await admin.get("/api/admin/see", params={"screen": "none"}), 404, "BRG442")


async def test_the_admin_speaks_to_one_screen(own: Box, admin: httpx.AsyncClient) -> None:
    ticket = (await admin.post("/api/tickets", json={"room": "icu", "role": "wall"})).json()
    assert ticket["url"].endswith(f"/#ticket={ticket['ticket']}")
    async with httpx.AsyncClient(base_url=own.url, timeout=30, trust_env=False) as browser:
        joined = await browser.post("/api/join", json={"kind": "wall", "ticket": ticket["ticket"]})
        assert joined.json()["state"] == "approved", joined.text
    [screen] = (await admin.get("/api/screens")).json()["screens"]
    assert {"live", "seen_at", "latency_ms", "surface", "version", "stream"} <= set(screen)
    where, name = f"/api/screens/{screen['id']}", f"to.{screen['id']}"
    assert (await admin.post(f"{where}/message", json={"text": "Call the desk."})).status_code == 200
    assert (await admin.post(f"{where}/identify")).status_code == 200
    assert (await admin.patch(where, json={"surface": "phone"})).json()["surface"] == "phone"
    seen = (await admin.get("/api/admin/see", params={"screen": screen["id"]})).json()
    assert (seen["stream"], seen["surface"]) == ("room/icu", "phone")
    assert seen["signals"][f"{name}.message"]["text"] == "Call the desk."
    assert seen["signals"][f"{name}.identify"]["name"] == screen["name"]
    assert seen["signals"][f"{name}.surface"] == "phone"
    elsewhere = (await admin.get("/api/admin/see", params={"role": "admin"})).json()["signals"]
    assert not any(each.startswith("to.") for each in elsewhere)
    picture = Image.open(io.BytesIO((await admin.get(f"{where}/picture.png")).content))
    assert picture.width < picture.height
    told(await admin.post("/api/screens/none/message", json={"text": "Hello"}), 404, "BRG442")


# Long work -----------------------------------------------------------------------------------------------


async def test_a_backup_is_made_tried_and_taken_away(admin: httpx.AsyncClient) -> None:
    job = await done(admin, await admin.post("/api/admin/backups", json={"passphrase": "sealed words"}))
    assert job["state"] == "done", job
    name = job["result"]["name"]
    file = await admin.get(f"/api/admin/backups/{name}")
    assert file.content.startswith(b"DREAMSTACK SEALED")
    wrong = await done(admin, await admin.post(f"/api/admin/backups/{name}/drill", json={"passphrase": "no"}))
    assert (wrong["state"], wrong["error"]["code"]) == ("failed", "BRG471")
    drill = await done(admin, await admin.post(f"/api/admin/backups/{name}/drill", json={"passphrase": "sealed words"}))
    assert drill["result"]["ok"] is True
    beds = next(each for each in drill["result"]["collections"] if each["name"] == "beds")
    assert beds["written"] == beds["restored"] > 0
    [listed] = (await admin.get("/api/admin/backups")).json()["backups"]
    assert (listed["sealed"], listed["drill"]["ok"]) == (True, True)
    assert (await admin.delete(f"/api/admin/backups/{name}")).status_code == 200
    told(await admin.get(f"/api/admin/backups/{name}"), 404, "BRG487")


async def test_a_backup_that_is_cancelled_leaves_nothing(own: Box, admin: httpx.AsyncClient) -> None:
    job = (await admin.post("/api/admin/backups", json={})).json()
    assert (await admin.delete(f"/api/admin/jobs/{job['id']}")).json()["state"] == "cancelled"
    assert (await admin.get("/api/admin/backups")).json()["backups"] == []
    left = await asyncio.to_thread(lambda: [file.name for file in (own.data / "backups").glob("**/*.backup*")])
    assert left == []


# Looking after it ----------------------------------------------------------------------------------------


async def test_the_box_mends_what_it_can(own: Box, admin: httpx.AsyncClient) -> None:
    before = own.pids()["llm"]
    answer = await admin.post("/api/admin/health/model/fix", timeout=90)
    assert answer.status_code == 200, answer.text
    assert answer.json()["check"]["state"] == "ok"
    assert own.pids()["llm"] != before
    told(await admin.post("/api/admin/health/database/fix"), 409, "BRG489")


async def test_settings_say_where_they_are_from(admin: httpx.AsyncClient) -> None:
    answer = await admin.patch("/api/admin/settings", json={"session_idle_minutes": 20, "answers_kept": 9})
    found = {each["name"]: each for each in answer.json()["settings"]}
    assert (found["session_idle_minutes"]["value"], found["session_idle_minutes"]["origin"]) == (20, "console")
    assert (found["answers_kept"]["value"], found["answers_kept"]["next"]) == (12, 9)
    assert answer.json()["restart_needed"] is True
    assert found["port"]["origin"] == "command line"
    assert (await admin.get("/api/session")).json()["idle_s"] == 1200


async def test_logs_and_about_tell_of_this_box(admin: httpx.AsyncClient) -> None:
    lines = (await admin.get("/api/admin/logs", params={"part": "bridge", "q": "iroh endpoint"})).json()["lines"]
    assert lines[0]["part"] == "bridge"
    about = (await admin.get("/api/admin/about")).json()
    assert about["versions"]["PostgreSQL"].startswith("17")
    assert {"msgspec", "fastapi"} <= {each["name"] for each in about["licences"]}
    assert (await admin.get("/api/admin/updates")).json()["image"] is None


async def test_a_forgotten_password_is_given_anew_at_the_box(own: Box, door: httpx.AsyncClient) -> None:
    said = await asyncio.to_thread(appliance, "admin", "--data", str(own.data), "reset-password")
    code = said.stdout.splitlines()[0]
    assert (await door.get("/api/setup")).json()["reset"] is True
    answer = await door.post("/api/setup", json={"code": code, "name": NAME, "password": "five other plain words"})
    assert answer.status_code == 200, answer.text
    old = await door.post("/api/session", json={"name": NAME, "password": WORDS})
    told(old, 401, "BRG480")
