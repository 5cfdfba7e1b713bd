"""Collections: a file becomes rows, rows are found, fields are masked and computed, roles see what they should."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.browser.console.conftest import Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "tools_2026"


async def test_a_file_is_looked_at_and_then_stored(api: httpx.AsyncClient, console: Consoles, files: Path) -> None:
    page = await console("/admin/import")
    await page.page.get_by_label("Choose a file").set_input_files(files)
    await page.press("Look into it")
    await page.sees("3 rows would be stored (a new collection). Nothing was written yet.")
    await page.sees("Torque wrench")
    assert NAME not in [each["name"] for each in (await api.get("/api/catalog")).json()["collections"]]
    await page.press("Store them")
    await page.sees(f"3 rows are in {NAME}.")
    assert [row["tool"] for row in (await api.get(f"/rest/{NAME}?order=id")).json()] == [
        "Lathe",
        "Torque wrench",
        "Saw",
    ]
    await page.sees("All work is done")
    await page.page.get_by_role("link", name="Look at the rows").click()
    await page.sees("1 to 3 of 3")


async def test_a_bad_line_is_named_and_nothing_is_stored(
    api: httpx.AsyncClient, console: Consoles, tmp_path: Path
) -> None:
    (file := tmp_path / "broken.csv").write_text("A,B\n1,2\n3,4,5\n6,7\n")
    page = await console("/admin/import")
    await page.page.get_by_label("Choose a file").set_input_files(file)
    await page.press("Look into it")
    await page.sees("Line 3 cannot be read")
    await page.page.get_by_label("Leave lines out that cannot be read").check()
    await page.press("Look into it")
    await page.sees("2 rows would be stored")
    assert (await api.get("/rest/broken")).status_code == 404


async def test_rows_are_filtered_sorted_and_paged_and_the_address_keeps_it(console: Consoles) -> None:
    page = await console("/admin/collections/patients")
    await page.sees("1 to 50 of 600")
    await page.opens_page("/admin/collections/patients?field=age&op=eq&value=old", "patients")
    await page.page.get_by_role("alert").first.wait_for()
    page.forgive(400)
    await page.press("Show all")
    await page.sees("1 to 50 of 600")
    await page.press("Next")
    await page.sees("51 to 100 of 600")
    await page.choose("Where", "ward")
    await page.fill("Value", "Cardiology")
    await page.press("Show")
    await page.until("/of \\d\\d$/m.test(document.querySelector('main').innerText.match(/to .* of \\d+/)?.[0] ?? '')")
    assert "field=ward" in page.page.url and "from=" not in page.page.url
    await page.press("Sort by patient")
    await page.press("Sort by patient, the largest first")
    await page.until("location.search.includes('order=patient.desc')")
    names = "[...document.querySelectorAll('tbody tr td:nth-child(2)')].map(cell => cell.textContent)"
    await page.until(f"({names}).every((name, i, all) => !i || all[i - 1] >= name)")
    await page.page.reload()
    await page.until(f"({names}).length > 10 && ({names}).every((name, i, all) => !i || all[i - 1] >= name)")
    assert set(
        await page.page.evaluate("[...document.querySelectorAll('tbody tr td:nth-child(7)')].map(c => c.textContent)")
    ) == {"Cardiology"}


async def test_a_role_with_one_ward_and_initials_and_what_it_sees(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/roles")
    await page.press("New role")
    await page.fill("Name", "Ward nurse")
    await page.press("Declare it")
    await page.page.get_by_role("heading", level=1, name="Ward nurse").wait_for()
    await page.opens_page("/admin/roles", "Roles and policies")
    await page.press("New role")
    await page.fill("Name", "Wärd nurse")
    await page.press("Declare it")
    await page.sees("There is a role of this name already.")
    await page.press("Cancel")
    await page.opens_page("/admin/roles/ward_nurse", "Ward nurse")
    await page.press("Change what Ward nurse sees of patients")
    await page.page.get_by_role("radio", name="Reads Changes nothing.").check()
    await page.press("Add a condition")
    await page.choose("Field", "ward")
    await page.choose("Value", "Cardiology")
    await page.press("Save")
    await page.sees("reads · only where ward is Cardiology")

    await page.opens_page("/admin/collections/patients/fields", "patients")
    await page.press("Mask patient")
    await page.choose("For the role", "ward_nurse")
    await page.press("Mask it")
    await page.sees("Ward nurse: Initials")
    told = (await api.get("/api/roles/ward_nurse")).json()["collections"]["patients"]
    assert told["masks"] == {"patient": "initials"} and told["access"] == "read"

    await page.opens_page("/admin/roles/see?role=ward_nurse&collection=patients", "Roles and policies")
    await page.settled()
    names = await page.page.evaluate(
        "[...document.querySelector('table').tBodies[0].rows].map(row => row.cells[0].innerText)"
    )
    assert names and all(len(name) <= 6 and "." in name for name in names)
    seen = (await api.get("/rest/patients?select=ward", headers={"X-Role": "ward_nurse"})).json()
    assert {row["ward"] for row in seen} == {"Cardiology"}

    await page.opens_page("/admin/roles/ward_nurse", "Ward nurse")
    await page.press("Remove")
    await page.page.locator("dialog").get_by_role("button", name="Remove it").click()
    await page.sees("Ward nurse was removed.")
    assert (await api.get("/api/roles/ward_nurse")).status_code == 404


async def test_a_field_is_computed_and_the_collection_opened_to_walls(
    api: httpx.AsyncClient, console: Consoles
) -> None:
    page = await console(f"/admin/collections/{NAME}/fields")
    await page.press("Add a field")
    await page.fill("Name", "Left")
    await page.fill("Formula", "hours -")
    await page.press("Check the formula")
    await page.page.locator("dialog [role=alert]").wait_for()
    page.forgive(400)
    await page.fill("Formula", "hours - spare")
    await page.press("Check the formula")
    await page.sees("It fits, and gives a number.")
    await page.press("Add it")
    await page.sees("= hours - spare")
    assert [row["left"] for row in (await api.get(f"/rest/{NAME}?order=id")).json()] == [8, 2, 3]

    await page.page.get_by_role("radio", name="Everybody").check()
    await page.press("Save")
    await page.sees(f"Who sees {NAME} was changed.")
    for field in ("Spare", "Tool"):  # the second while the first is on its way
        await page.page.get_by_label(f"Walls show {field}", exact=True).check()
    await page.sees("Walls show Tool now.")
    await page.until("[...document.querySelectorAll('td input')].filter((it) => it.checked).length === 2")
    assert (await api.get(f"/rest/{NAME}?select=tool,spare&limit=1", headers={"X-Role": "wall"})).status_code == 200
    assert (await api.get(f"/rest/{NAME}?select=tool&limit=1", headers={"X-Role": "wall"})).json() == [
        {"tool": "Lathe"}
    ]
    assert (await api.get(f"/rest/{NAME}?select=hours", headers={"X-Role": "wall"})).status_code == 403
    await page.press("Undo", exact=True)
    await page.press("Remove Left")
    await page.page.locator("dialog").get_by_role("button", name="Remove it").click()
    await page.sees("Left was removed.")


async def test_a_relation_is_declared_and_removed(api: httpx.AsyncClient, console: Consoles) -> None:
    for name, rows in {"sheds": [{"shed": "A"}, {"shed": "B"}], "rakes": [{"rake": "long", "place": 1}]}.items():
        assert (await api.post(f"/flex/{name}", json=rows)).status_code == 201
    page = await console("/admin/collections/rakes/relations")
    await page.press("Declare a relation")
    await page.choose("Its field", "place")
    await page.choose("leads to", "sheds")
    await page.press("Declare it")
    await page.sees("rakes.place → sheds.id")
    assert (await api.get("/flex/rakes/relations")).json()[0]["target"] == "sheds"
    await page.press("Remove rakes.place")
    await page.page.locator("dialog").get_by_role("button", name="Remove it").click()
    await page.sees("No relations yet")
    assert (await api.get("/flex/rakes/relations")).json() == []


async def test_a_token_is_shown_once_works_and_is_revoked(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/roles/tokens")
    await page.press("New token")
    await page.fill("What it is for", "Tablet 3")
    await page.press("Make it")
    token = (await page.text(".note .code")).strip()
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await api.get("/rest/beds?limit=1", headers=bearer)).status_code == 200
    await page.press("I have it")
    await page.press("Revoke Tablet 3")
    await page.page.locator("dialog").get_by_role("button", name="Revoke it").click()
    await page.sees("The token was revoked.")
    assert (await api.get("/rest/beds?limit=1", headers=bearer)).status_code == 401
