"""The demos' ticks: one change at a time, whatever people write; moments, people and their names."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from appliance.pgflex.demo import Write, load_demo
from appliance.pgflex.demo.life import live, number, put, update
from appliance.pgflex.demo.moments import day_of, later, later_day, local, moment_of
from appliance.pgflex.demo.people import People
from tests.unit.pgflex.demo.demo_rows import MONDAY, NAMES, Rows, apply, rows_of


@pytest.mark.parametrize("name", NAMES)
def test_a_tick_makes_one_change_of_rows_that_are_there(name: str) -> None:
    demo = load_demo(name, MONDAY)
    rows = rows_of(demo)
    fields = {item.name: item.rows[0].keys() for item in demo.collections}
    rng, now = random.Random(2), local(MONDAY, 9)
    for _ in range(600):
        now += timedelta(seconds=4)
        writes = demo.tick(rng, now, rows)
        assert 1 <= len(writes) <= 24
        for write in writes:
            assert write.document and write.document.keys() <= fields[write.collection]
            assert "id" not in write.document
            assert write.key is None or 1 <= write.key <= len(rows[write.collection])
        apply(writes, rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_tick_survives_whatever_people_write(name: str) -> None:
    demo = load_demo(name, MONDAY)
    assert demo.tick(random.Random(1), local(MONDAY, 9), {}) == []
    rng, odd = random.Random(8), (None, "", "soon", -3, 2.5, True, ["a"], {"b": 1}, "2026-11-20", "free", "2026-13-45")
    rows = {
        held: [dict(row) for row in rng.sample(list_, min(40, len(list_)))] for held, list_ in rows_of(demo).items()
    }
    for held in rows.values():
        states = sorted({str(row.get("status")) for row in held})
        held.extend({"id": 10_000 + index, "status": state} for index, state in enumerate(states))
        held.append({"id": 20_000})
        for row in held:
            for field in [field for field in row if field != "id" and rng.random() < 0.3]:
                row[field] = rng.choice(odd)
    now = local(MONDAY, 9)
    for _ in range(2000):
        now += timedelta(minutes=5)
        for write in demo.tick(rng, now, rows):
            found = [row for row in rows[write.collection] if row["id"] == write.key]
            assert write.key is None or found
            for row in found:
                row.update(write.document)


def test_live_makes_the_heavier_change_more_often_and_another_where_there_is_none() -> None:
    def often(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
        return [Write("often", {})]

    def seldom(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
        return [Write("seldom", {})]

    def never(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
        return []

    rng, now = random.Random(1), local(MONDAY)
    tick = live(((often, 3), (seldom, 1), (never, 4)))
    counts = Counter(tick(rng, now, {})[0].collection for _ in range(4000))
    assert 2.5 < counts["often"] / counts["seldom"] < 3.5
    assert live(((never, 1),))(rng, now, {}) == []


def test_put_inserts_below_the_limit_and_replaces_at_it() -> None:
    assert put("beds", {"a": 1}, 4, 5, {"id": 2}) == Write("beds", {"a": 1})
    assert put("beds", {"a": 1}, 5, 5, {"id": 2}) == Write("beds", {"a": 1}, 2)
    assert put("beds", {"a": 1}, 5, 5, None) is None
    assert update("beds", {"id": 3, "a": 1}, a=2) == Write("beds", {"a": 2}, 3)


def test_moments_read_what_a_database_or_a_person_wrote() -> None:
    assert day_of("2026-11-23") == day_of(MONDAY) == day_of(local(MONDAY, 9)) == MONDAY
    assert day_of("soon") is day_of(None) is day_of(7) is None
    assert moment_of(local(MONDAY, 9).isoformat()) == moment_of("2026-11-23T09:00:00") == local(MONDAY, 9)
    assert moment_of("soon") is moment_of(None) is moment_of(7) is None
    assert number({"a": True}, "a") is number({"a": "3"}, "a") is None and number({"a": 3}, "a") == 3


def test_later_keeps_the_weekday_and_the_hour() -> None:
    assert later_day(MONDAY, 28, MONDAY) == MONDAY + timedelta(days=28)
    assert later_day(MONDAY, 28, MONDAY + timedelta(days=60)) == MONDAY + timedelta(days=84)
    moved_on = later(local(MONDAY, 9, 30), 28, MONDAY + timedelta(days=200))
    assert moved_on.weekday() == MONDAY.weekday() and (moved_on.hour, moved_on.minute) == (9, 30)


def test_no_name_comes_twice() -> None:
    people = People(random.Random(1))
    names = [people.name() for _ in range(1500)]
    assert len(set(names)) == 1500
    patients = [row["patient"] for row in rows_of(load_demo("hospital", MONDAY))["patients"]]
    assert len(set(patients)) == 600
