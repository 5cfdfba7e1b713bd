"""The first start: a code from the box, an account, the house, its data; then signing in, out, being signed out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import Box, appliance, running_box
from tests.browser.conftest import Opens
from tests.browser.console.conftest import PHONE, Console

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "four words that rhyme"


@pytest.fixture(scope="module")
def new_box() -> Iterator[Box]:
    with running_box("--no-mdns", "--demo", "none") as box:
        yield box


async def test_a_new_box_is_set_up_in_german_with_a_demo(new_box: Box, opens: Opens, pictures: Path) -> None:
    page = Console(await opens(new_box.url, "/admin/rooms", reduced_motion="reduce"), new_box)
    await page.page.get_by_role("heading", name="Welcome").wait_for()
    assert page.page.url.endswith("/setup")
    page.forgive(401)  # nobody is signed in
    assert await page.sound() == []
    await page.fill("Setup code", "AAAA-AAAA")
    await page.press("Go on")
    await page.fill("Your name", "Maria")
    await page.fill("Password", PASSWORD)
    await page.fill("The password again", PASSWORD + "s")
    await page.press("Go on")
    await page.sees("The two passwords differ.")
    await page.fill("The password again", PASSWORD)
    await page.page.screenshot(path=pictures / "console-setup.png")
    await page.page.keyboard.press("Enter")
    await page.choose("Language", "de")
    await page.page.get_by_role("heading", name="Ihr Haus").wait_for()
    assert await page.page.evaluate("document.documentElement.lang") == "de"
    await page.fill("Wie das Haus heißt", "Klinik am See")
    await page.choose("Zeitzone", "Europe/Berlin")
    assert await page.sound() == []
    await page.press("Weiter")
    await page.page.get_by_role("radio", name="Mit einem Krankenhaus umsehen").check()
    await page.press("Los")
    await page.page.get_by_role("alert").wait_for()  # the code was wrong
    page.forgive(403)
    await page.press("Zurück zum Code")
    code = (new_box.data / "keys" / "setup.code").read_text().strip()
    await page.fill("Einrichtungscode", code)
    for word in ("Weiter", "Weiter", "Weiter", "Los"):
        await page.press(word)
    await page.page.get_by_role("heading", level=1, name="Klinik am See").wait_for(timeout=30_000)
    await page.page.get_by_role("link", name="Sammlungen").wait_for()
    assert not (new_box.data / "keys" / "setup.code").exists()
    await page.until("fetch('/health').then(answer => answer.ok)", 60)
    await page.page.get_by_role("link", name="Sammlungen").click()
    await page.page.get_by_role("link", name="patients").wait_for(timeout=60_000)
    page.problems.clear()  # the box restarted its parts with another timezone


async def test_signing_out_in_and_where_one_was(new_box: Box, opens: Opens) -> None:
    page = Console(await opens(new_box.url, "/admin/rooms", **PHONE), new_box)
    await page.page.get_by_role("heading", name="Anmelden").wait_for()
    assert await page.sound() == []
    await page.fill("Name", "maria")
    await page.fill("Passwort", "four words that")
    await page.press("Anmelden")
    await page.page.get_by_role("alert").wait_for()
    page.forgive(401)
    await page.fill("Passwort", PASSWORD)
    await page.page.keyboard.press("Enter")
    await page.page.get_by_role("heading", level=1, name="Räume").wait_for()
    assert page.page.url.endswith("/admin/rooms")
    cookie = next(each for each in await page.page.context.cookies() if each["name"] == "dreamstack_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    await page.press("Menü")
    await page.choose("Sprache", "en")
    await page.page.get_by_role("heading", level=1, name="Rooms").wait_for()
    await page.press("Sign out")
    await page.page.get_by_role("heading", name="Sign in").wait_for()
    assert (await page.page.evaluate("fetch('/api/accounts').then(answer => answer.status)")) in (401, 403)
    page.problems.clear()  # it was refused, as it should


async def test_who_does_nothing_is_warned_and_signed_out(new_box: Box, opens: Opens) -> None:
    page = Console(await opens(new_box.url, "/favicon.svg"), new_box)
    await page.page.clock.install()
    await page.page.goto(new_box.url + "/admin/about")
    await page.page.evaluate("localStorage.setItem('dreamstack-language', 'en')")
    await page.page.goto(new_box.url + "/admin/about")
    await page.fill("Name", "Maria")
    await page.fill("Password", PASSWORD)
    await page.press("Sign in")
    await page.page.get_by_role("heading", level=1, name="About").wait_for()
    await page.page.clock.fast_forward(14 * 60_000 + 10_000)
    await page.sees("Are you still there?")
    await page.press("Stay signed in")
    await page.until("!document.querySelector('dialog')")
    await page.page.clock.fast_forward(16 * 60_000)
    await page.sees("You were signed out because nothing happened for a while.")
    assert page.page.url.endswith("/admin/about")
    page.problems.clear()


@pytest.fixture
def another_box() -> Iterator[Box]:
    with running_box("--no-mdns", "--demo", "none") as box:
        yield box


async def test_a_new_box_becomes_the_one_of_a_backup(
    new_box: Box, another_box: Box, opens: Opens, tmp_path: Path
) -> None:
    """Runs last: the box that was set up above goes on in another."""
    secret, file = tmp_path / "secret", tmp_path / "clinic.backup"
    await asyncio.to_thread(secret.write_text, "correct horse\n")
    words = ("--data", str(new_box.data), "--passphrase-file", str(secret))
    made = await asyncio.to_thread(appliance, "backup", str(file), *words)
    assert made.returncode == 0, made.stderr
    page = Console(await opens(another_box.url, "/setup", reduced_motion="reduce"), another_box)
    code = (another_box.data / "keys" / "setup.code").read_text().strip()
    await page.fill("Setup code", code)
    await page.press("Go on")
    await page.fill("Your name", "Somebody")
    await page.fill("Password", "quite another one")
    await page.fill("The password again", "quite another one")
    await page.press("Go on")
    await page.fill("What the house is called", "Nowhere")
    await page.press("Go on")
    await page.page.get_by_role("radio", name="Restore a backup").check()
    await page.page.locator("input[type=file]").set_input_files(file)
    await page.fill("Its passphrase, if it has one", "wrong horse")
    await page.press("Start")
    await page.page.get_by_role("alert").wait_for(timeout=60_000)
    assert "passphrase" in (await page.page.get_by_role("alert").first.inner_text()).lower()
    await page.fill("Its passphrase, if it has one", "correct horse")
    await page.press("Start")
    await page.page.get_by_role("heading", name="The backup is being restored").wait_for(timeout=60_000)
    assert await page.sound() == []
    await page.page.get_by_role("button", name=re.compile("Sign in|Anmelden")).wait_for(timeout=120_000)
    await page.page.get_by_label("Name", exact=True).fill("Maria")
    await page.page.locator("input[type=password]").fill(PASSWORD)
    await page.page.keyboard.press("Enter")
    await page.page.get_by_role("heading", level=1, name="Klinik am See").wait_for(timeout=30_000)
    await page.page.goto(another_box.url + "/admin/collections")
    await page.page.get_by_role("link", name="patients").wait_for(timeout=60_000)
    assert not list((another_box.data / "incoming").glob("*")), "the file is not left behind"
    page.problems.clear()  # the box was away meanwhile, and refused the first passphrase
