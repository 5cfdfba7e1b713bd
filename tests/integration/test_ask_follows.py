"""Second questions change the first, on the same screen and for the same role only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.config import Runtime
from appliance.services.assistant import Assistant
from appliance.types import Answer, Question
from tests.integration.ask_box import asking_box, assistant


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with asking_box("hospital") as runtime:
        yield runtime


async def asked(box: Assistant, text: str, screen: str, role: str = "staff") -> Answer:
    return await box.ask(Question("1", text, role, "", screen=screen), lambda _: None)


async def test_a_second_question_changes_the_first(runtime: Runtime) -> None:
    async with assistant(runtime) as box:
        await asked(box, "How many appointments are there today?", "s1")
        tomorrow = await asked(box, "what about tomorrow?", "s1")
        assert tomorrow.reading.endswith("number of appointments where starts at is tomorrow")
        grouped = await asked(box, "per department", "s1")
        assert grouped.reading.endswith("number of appointments where starts at is tomorrow per department")


async def test_not_on_another_screen_nor_for_another_role(runtime: Runtime) -> None:
    async with assistant(runtime) as box:
        await asked(box, "How many appointments are there today?", "s1")
        for screen, role in (("s2", "staff"), ("s1", "admin"), ("", "staff")):
            alone = await asked(box, "what about tomorrow?", screen, role)
            assert "number of appointments" not in alone.reading, (screen, role, alone)


async def test_a_value_that_is_said_stands_in_the_place_of_the_earlier_one(runtime: Runtime) -> None:
    async with assistant(runtime) as box:
        await asked(box, "How many beds are free in maternity?", "s3")
        for said, ward in (("and in surgery?", "Surgery"), ("what about cardiology?", "Cardiology")):
            found = await asked(box, said, "s3")
            assert found.reading.endswith(f"number of beds where status is free and ward is {ward}"), found
        third = await asked(box, "and only standard ones?", "s3")
        assert third.status == "clarify" or "ward is Cardiology" in third.reading, (
            "never the ward of the first question"
        )
