"""Documents in, answers out, and both stay live."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.acceptance.conftest import ANSWER_S, COLLECTION, ROWS, Place
from tests.receiver import joined_over

DARK = "How many lighthouses are dark?"


def values(answer: dict[str, Any]) -> list[Any]:
    return [value for row in answer["rows"] or [] for value in row.values()]


def test_documents_are_kept_as_they_came(lighthouses: Place) -> None:
    with lighthouses.client() as client:
        kept = client.get(f"/rest/{COLLECTION}?select=name,county,height_m,keepers,status&order=name").json()
    assert kept == ROWS


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (DARK, 2),
        ("How many lighthouses are there in Cork?", 2),
        ("What is the average height of the lighthouses in Kerry?", 25),
        ("How many keepers are there in total?", 6),
    ],
)
def test_questions_are_answered_from_the_rows(lighthouses: Place, question: str, answer: int) -> None:
    told = lighthouses.ask(question)
    assert told["status"] == "answered", told
    assert [float(value) for value in values(told)] == [answer], told
    assert told["sentence"] and told["rest"].startswith(f"/rest/{COLLECTION}")


def test_the_request_behind_an_answer_gives_the_same(lighthouses: Place) -> None:
    told = lighthouses.ask("Which lighthouses are in Kerry?")
    with lighthouses.client() as client:
        again = client.get(told["rest"]).json()
    assert sorted(row["name"] for row in again) == ["Bell Point", "Gull Head"]


def test_what_the_box_does_not_know_it_does_not_make_up(lighthouses: Place) -> None:
    for question in ("How many submarines are there?", "What is the capital of Peru?", "asdf qwer zxcv"):
        told = lighthouses.ask(question)
        assert told["status"] in ("clarify", "refused"), told
        assert not told["rows"], told
        assert told["error"]["message"], told


async def test_an_answer_stays_live_on_a_screen(lighthouses: Place) -> None:
    told = await asyncio.to_thread(lighthouses.ask, DARK)
    assert values(told) == [2]

    def shows(count: int) -> Any:
        return lambda signals: _rows(signals.get(f"answer.{told['id']}.rows")) == [count]

    bearer = {"Authorization": f"Bearer {lighthouses.key}"}
    async with joined_over(lighthouses.url, lighthouses.context, bearer) as screen:
        await screen.until(shows(2), ANSWER_S)
        with lighthouses.client() as client:
            client.patch(f"/rest/{COLLECTION}?name=eq.Long Sand", json={"status": "dark"}).raise_for_status()
        await screen.until(shows(3), ANSWER_S)


def _rows(value: Any) -> list[Any]:
    return [each for row in value for each in row.values()] if isinstance(value, list) else []


def test_a_change_reaches_the_feed(lighthouses: Place) -> None:
    with lighthouses.client() as client, client.stream("GET", "/changes") as feed:
        lines = feed.iter_lines()
        next(lines)
        with lighthouses.client() as writer:
            writer.post(f"/flex/{COLLECTION}", json={"name": "Far Light", "county": "Mayo"}).raise_for_status()
        for line in lines:
            if line.startswith("data:") and "Far Light" in line:
                break


def test_a_shape_is_followed(lighthouses: Place) -> None:
    with lighthouses.client() as client:
        first = client.get("/shape", params={"table": COLLECTION, "offset": "-1"})
        assert first.status_code == 200, first.text
        inserted = [each["value"]["name"] for each in first.json() if "value" in each]
    assert sorted(inserted) == sorted(row["name"] for row in ROWS)


def test_a_field_nobody_declared_is_there_at_once(lighthouses: Place) -> None:
    with lighthouses.client() as client:
        client.post(f"/flex/{COLLECTION}", json={"name": "New Tower", "lamp": {"watts": 250}}).raise_for_status()
        kept = client.get(f"/rest/{COLLECTION}?name=eq.New Tower").json()
    assert kept[0]["name"] == "New Tower" and "250" in json.dumps(kept[0])


def test_numbers_for_monitoring(place: Place) -> None:
    with place.client() as client:
        told = client.get("/metrics")
    assert told.status_code == 200 and "# TYPE" in told.text
