"""Accounts and what they do: made, refused at the console, given another role, removed; the audit tells it all."""

from __future__ import annotations

import httpx
import pytest

from tests.box import Box
from tests.browser.conftest import Opens
from tests.browser.console.conftest import Console, Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "another four plain words"


ASK = """async () => {
  const { get } = await import(new URL("core/api.mjs", document.querySelector("script[type=module]").src));
  await get("/api/session").catch(() => {});
}"""


async def signed_out(page: Console) -> None:
    """End the session, and have the page notice."""
    await page.page.context.clear_cookies()
    await page.page.evaluate(ASK)
    await page.page.get_by_role("heading", level=1, name="Sign in").wait_for()


async def signs_in(page: Console) -> None:
    form = page.page.locator("form.card", has=page.button("Sign in"))
    await form.get_by_label("Name", exact=True).fill("jonas")
    await form.get_by_label("Password", exact=True).fill(PASSWORD)
    await form.get_by_role("button", name="Sign in").click()
    await page.page.get_by_role("heading", level=1, name="Accounts").wait_for()


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
    await other.until("document.querySelector('input[type=search]')?.value === 'jonas'")

    await other.page.get_by_role("link", name="Accounts").click()
    await other.press("New account")
    await other.fill("Name", "half a name")
    await signed_out(other)
    assert await other.page.locator("dialog:visible").count() == 0
    assert await other.page.get_by_role("heading", name="Accounts").count() == 0, "nobody sees or reaches it"
    await signs_in(other)
    assert await other.page.locator("dialog").get_by_label("Name", exact=True).input_value() == "half a name"
    assert (await other.page.title()).startswith("Accounts")
    await other.press("Close")
    await other.press("Remove jonas")
    await other.page.locator("dialog").get_by_role("button", name="Remove it").wait_for()
    await signed_out(other)
    await signs_in(other)
    assert await other.page.locator("dialog").count() == 0, "whoever is signed out has not said yes"
    assert "jonas" in [each["name"] for each in (await api.get("/api/accounts")).json()["accounts"]]
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
