"""Accounts and what they do: made, refused at the console, given another role, removed; the audit tells it all."""

from __future__ import annotations

import httpx
import pytest

from tests.box import Box
from tests.browser.conftest import Opens
from tests.browser.console.conftest import Console, Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "another four plain words"


async def test_from_an_account_to_its_lines_in_the_audit(
    box: Box, api: httpx.AsyncClient, opens: Opens, console: Consoles
) -> None:
    page = await console("/admin/accounts")
    await page.press("New account")
    await page.fill("Name", "jonas")
    await page.fill("Password", PASSWORD)
    await page.press("Save")
    await page.sees("jonas can sign in now.")
    assert [each["role"] for each in (await api.get("/api/accounts")).json()["accounts"]] == ["staff"]

    other = Console(await opens(box.url, "/admin/audit"), box)
    await other.fill("Name", "jonas")
    await other.fill("Password", PASSWORD)
    await other.press("Sign in")
    await other.sees("The console is for the admin's account.")

    await page.press("Change jonas")
    await page.choose("Acts as", "admin")
    await page.press("Save")
    await page.sees("jonas was changed.")
    await other.fill("Password", PASSWORD)
    await other.press("Sign in")
    await other.page.get_by_role("heading", level=1, name="Audit").wait_for()
    await other.page.get_by_role("row", name="jonas").first.wait_for()
    await other.press("Is it whole?")
    await other.sees("and none is missing.")
    await other.page.get_by_label("Find a line").press_sequentially("jonas", delay=120)
    await other.until("location.search === '?q=jonas'")
    assert await other.page.get_by_label("Find a line").input_value() == "jonas"
    await other.page.go_back()
    await other.page.go_forward()
    await other.until("document.querySelector('input[type=search]').value === 'jonas'")

    await other.page.get_by_role("link", name="Accounts").click()
    await other.press("Remove jonas")
    await other.page.locator("dialog").get_by_role("button", name="Remove it").click()
    await other.page.get_by_role("alert").wait_for()  # the last admin stays
    other.problems.clear()


async def test_what_was_asked_is_told_with_what_ran(api: httpx.AsyncClient, console: Consoles) -> None:
    question = "How many beds are free in oncology?"
    found = (await api.post("/api/ask", json={"question": question})).json()
    page = await console("/admin/questions?q=oncology")
    await page.press(f"Details of: {question}")
    await page.sees(found["reading"])
    assert (await page.text("dialog .code")).strip() == found["rest"]
    await page.press("Close")
    await page.page.get_by_label("Outcome").select_option("failed")
    await page.sees("No question is like that")
    page.problems.clear()
