"""The official client of ElectricSQL, unchanged, follows the box; at the end it holds what a direct query finds."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import pytest
from psycopg import sql

from tests.integration.shape_box import KEYS, ShapeBox, following, running_shapes

WARDS = ("Surgery", "Cardiology", "O'Neill", "100%", "back\\slash", "Größe")
EVERY = sql.SQL("true")


@pytest.fixture(scope="module")
def shapes() -> Iterator[ShapeBox]:
    with running_shapes() as shapes:
        yield shapes


class Filter(NamedTuple):
    """A filter as the client sends it, and as a direct query has it."""

    where: str
    params: dict[str, str]
    query: sql.Composable


def some_filter(rng: random.Random, depth: int = 0) -> tuple[str, list[str]]:
    """A filter with ``?`` where a parameter goes, and the parameters."""
    if depth < 2 and rng.random() < 0.6:
        left, given = some_filter(rng, depth + 1)
        right, more = some_filter(rng, depth + 1)
        turned = "NOT " if rng.random() < 0.3 else ""
        return f"{turned}({left} {rng.choice(('AND', 'OR'))} {right})", given + more
    chances: list[tuple[str, list[str]]] = [
        ("ward = ?", [rng.choice(WARDS)]),
        (f"\"ward\" <> '{rng.choice(('Surgery', 'Größe'))}'", []),
        (f"size {rng.choice(('<', '<=', '>', '>='))} ?", [str(rng.randint(0, 9))]),
        (f"size BETWEEN {rng.randint(0, 4)} AND {rng.randint(4, 9)}", []),
        ("price > ?", [f"{rng.randint(0, 20) / 2:.2f}"]),
        ("free", []),
        ("free IS NOT TRUE", []),
        ("ward LIKE ?", [rng.choice(("%a%", "S%", "%\\%", "Gr__e"))]),
        ("ward NOT ILIKE ?", ["%SUR%"]),
        (f"size IN ({rng.randint(0, 9)}, {rng.randint(0, 9)}, -1)", []),
        ("ward IS NULL", []),
        ("day >= ?", [f"2026-01-{rng.randint(1, 28):02}"]),
        ("seen < ?", [f"2026-01-{rng.randint(1, 28):02}T12:00:00+02:00"]),
    ]
    return rng.choice(chances)


def filter_of(seed: int) -> Filter:
    text, values = some_filter(random.Random(seed))
    where, query = "", sql.Composed([])
    for place, part in enumerate(text.split("?")):
        where += (f"${place}" if place else "") + part
        query += sql.Composed([sql.Literal(values[place - 1])] if place else []) + sql.SQL(part)
    return Filter(where, {str(place): value for place, value in enumerate(values, 1)}, query)


def some_document(rng: random.Random) -> dict[str, Any]:
    return {
        "ward": rng.choice((*WARDS, None)),
        "size": rng.choice((rng.randint(0, 9), None)),
        "price": rng.choice((1, 2.5, 9.75, None)),
        "free": rng.choice((True, False, None)),
        "day": f"2026-01-{rng.randint(1, 28):02}",
        "seen": f"2026-01-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:15:00+01:00",
        "told": rng.choice(({"a": [1, "x"]}, None)),
    }


def some_writes(shapes: ShapeBox, rng: random.Random, collection: str, count: int) -> None:
    """Random inserts, updates and deletes, each of which succeeds."""
    for _ in range(count):
        ids = [row["id"] for row in shapes.rows(collection, EVERY, "id")]
        chosen = rng.random()
        if chosen < 0.3 or len(ids) < 5:
            many = [some_document(rng) for _ in range(rng.choice((1, 1, 7)))]
            shapes.write("POST", f"/flex/{collection}", many)
        elif chosen < 0.8:
            changed = some_document(rng)
            few = {name: changed[name] for name in rng.sample(sorted(changed), 2)}
            shapes.write("PATCH", f"/flex/{collection}/{rng.choice(ids)}", few)
        else:
            shapes.write("DELETE", f"/flex/{collection}/{rng.choice(ids)}")


def test_generated_filters_through_writes_a_new_column_and_a_crash(shapes: ShapeBox) -> None:
    rng = random.Random(20261124)
    # One document that tells every type, so that the filters have their columns.
    full = {"ward": "Surgery", "size": 1, "price": 1.5, "free": True, "day": "2026-01-01"}
    shapes.write("POST", "/flex/oracle", full | {"seen": "2026-01-01T00:00:00Z", "told": {}})
    filters = {f"filter {seed}": filter_of(seed) for seed in range(12)}
    asked: list[dict[str, Any]] = [
        {"name": name, "params": {"table": "oracle", "where": told.where, "params": told.params}}
        for name, told in filters.items()
    ]
    asked[1]["liveSse"] = asked[2]["liveSse"] = True
    asked[3]["params"]["replica"] = asked[4]["params"]["replica"] = "full"
    asked.append({"name": "all", "params": {"table": "api.oracle"}})
    filters["all"] = Filter("", {}, EVERY)
    with following(shapes.url, *asked) as client:
        some_writes(shapes, rng, "oracle", 60)
        for name, told in filters.items():
            client.wait_rows(name, shapes.rows("oracle", told.query))
        before = {name: shape["refetches"] for name, shape in client.told().items()}
        shapes.write("POST", "/flex/oracle", {"ward": "Surgery", "Nurse on call": "Ada"})
        some_writes(shapes, rng, "oracle", 30)
        for name, told in filters.items():
            shape = client.wait_rows(name, shapes.rows("oracle", told.query))
            assert shape["refetches"] == before[name] + 1, f"{name}: a new column is told by one new beginning"
        shapes.kill_service()
        shapes.execute("update api.oracle set size = 9 - size, ward = 'Surgery' where id % 3 = 0")
        shapes.execute("delete from api.oracle where id % 7 = 0")
        shapes.restart_service()
        some_writes(shapes, rng, "oracle", 30)
        for name, told in filters.items():
            shape = client.wait_rows(name, shapes.rows("oracle", told.query))
            assert shape["refetches"] == before[name] + 2, f"{name}: {told.where}"
        held = client.told()
        assert sum(bool(shape["rows"]) for shape in held.values()) > 6, "most filters let something through"


def test_a_row_enters_changes_and_leaves(shapes: ShapeBox) -> None:
    (row,) = shapes.write("POST", "/flex/visits", [{"guest": "Ada", "inside": False}])
    with following(
        shapes.url, {"name": "inside", "params": {"table": "visits", "where": "inside", "columns": ["guest"]}}
    ) as client:
        client.wait_rows("inside", [])
        shapes.write("PATCH", f"/flex/visits/{row['id']}", {"inside": True})
        client.wait_rows("inside", [{"id": str(row["id"]), "guest": "Ada"}])
        shapes.write("PATCH", f"/flex/visits/{row['id']}", {"guest": "Bob"})
        client.wait_rows("inside", [{"id": str(row["id"]), "guest": "Bob"}])
        shapes.write("PATCH", f"/flex/visits/{row['id']}", {"inside": False})
        shape = client.wait_rows("inside", [])
        assert shape["refetches"] == 0
        assert shape["requests"] < 12, "a live request is held until there is something to tell"


def test_events_are_streamed_not_polled(shapes: ShapeBox) -> None:
    shapes.write("POST", "/flex/streamed", {"a": 0})
    with following(shapes.url, {"name": "events", "params": {"table": "streamed"}, "liveSse": True}) as client:
        client.wait("events", lambda shape: shape["upToDate"])
        for place in range(1, 9):
            shapes.write("POST", "/flex/streamed", {"a": place})
            shape = client.wait_rows("events", shapes.rows("streamed", EVERY))
        assert shape["requests"] == 2, "one for the rows, one for the stream"


def test_readers_of_one_shape_are_all_woken_and_let_go_when_the_service_stops(shapes: ShapeBox) -> None:
    shapes.write("POST", "/flex/woken", {"a": 0})
    first = httpx.get(f"{shapes.url}/shape?table=woken&offset=-1", trust_env=False)
    handle = first.headers["electric-handle"]

    def live(offset: str) -> httpx.Response:
        query = {"table": "woken", "handle": handle, "offset": offset, "live": "true"}
        return httpx.get(f"{shapes.url}/shape", params=query, timeout=30, trust_env=False)

    with ThreadPoolExecutor(30) as readers:
        asked = [readers.submit(live, first.headers["electric-offset"]) for _ in range(30)]
        shapes.wait_for_readers(30)
        assert not any(answer.done() for answer in asked)
        shapes.write("POST", "/flex/woken", {"a": 1})
        answers = [answer.result(5) for answer in asked]
        assert {answer.text for answer in answers} == {answers[0].text}
        assert len({answer.headers["electric-handle"] for answer in answers}) == 1
        waiting = [readers.submit(live, answers[0].headers["electric-offset"]) for _ in range(10)]
        shapes.wait_for_readers(10)
        try:
            shapes.service.terminate()
            shapes.service.wait(5)
            assert {answer.result(5).status_code for answer in waiting} == {200}
        finally:
            shapes.restart_service()
    assert live(answers[0].headers["electric-offset"]).status_code == 409


def test_values_keep_their_types(shapes: ShapeBox) -> None:
    told = {"many": 2**60, "price": 1.10, "on": True, "day": "2026-02-03", "at": "2026-02-03T04:05:06+02:00"}
    told |= {"text": "007", "nested": {"a": [1, None]}, "none": None, "huge": 2**70}
    shapes.write("POST", "/flex/values_kept", told | {"none": "x"})
    shapes.write("POST", "/flex/values_kept", told)
    with following(shapes.url, {"name": "values", "params": {"table": "values_kept"}}) as client:
        shape = client.wait("values", lambda shape: len(shape["rows"]) == 2)
        shapes.write("PATCH", "/flex/values_kept/2", {"on": False})
        changed = client.wait("values", lambda shape: shape["rows"][1]["on"] is False)
    wanted = {
        "id": "2",
        "many": str(2**60),
        "price": "1.1",
        "on": True,
        "day": "2026-02-03",
        "at": "2026-02-03 02:05:06+00",
        "text": "007",
        "nested": {"a": [1, None]},
        "none": None,
        "huge": str(2**70),
    }
    assert shape["rows"][1] == wanted
    assert changed["rows"][1] == wanted | {"on": False}


def test_a_wall_holds_its_columns_and_no_others(shapes: ShapeBox) -> None:
    shapes.write("POST", "/flex/patients", [{"bed": "C-01", "name": "Ada"}, {"bed": "C-02", "name": "Bob"}])
    shapes.execute("update flex.collections set audience = 'wall', wall_fields = '{bed}' where name = 'patients'")
    shapes.execute("select flex.apply_access('patients')")
    wall = {"headers": {"Authorization": f"Bearer {KEYS['wall']}"}}
    with following(
        shapes.url,
        wall | {"name": "wall", "params": {"table": "patients"}},
        wall | {"name": "asks", "params": {"table": "patients", "columns": ["name", "bed"], "replica": "full"}},
        {"name": "lower", "params": {"table": "patients", "role": "wall"}},
        {"name": "staff", "params": {"table": "patients"}},
    ) as client:
        client.wait("staff", lambda shape: len(shape["rows"]) == 2)
        shapes.write("PATCH", "/flex/patients/1", {"name": "Cay", "bed": "C-09"})
        shapes.write("PATCH", "/flex/patients/2", {"name": "Dan"})
        seen = [{"id": "1", "bed": "C-09"}, {"id": "2", "bed": "C-02"}]
        client.wait_rows("wall", seen)
        client.wait_rows("asks", seen)
        client.wait_rows("lower", seen)
        client.wait_rows("staff", shapes.rows("patients", EVERY))
        shapes.execute("update flex.collections set wall_fields = '{bed,name}' where name = 'patients'")
        shapes.execute("select flex.apply_access('patients')")
        shape = client.wait_rows("wall", shapes.rows("patients", EVERY))
        assert shape["refetches"] == 1
        assert client.told()["staff"]["refetches"] == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("table=patients&where=name = 'Ada'", "PGF119"),
        ("table=hidden_ones", "PGF106"),
        ("table=flex.roles", "PGF120"),
        ("table=patients&role=admin", "BRG402"),
    ],
)
def test_what_a_wall_may_not_ask(shapes: ShapeBox, query: str, code: str) -> None:
    shapes.write("POST", "/flex/hidden_ones", {"a": 1})
    shapes.execute("update flex.collections set wall_fields = '{bed}' where name = 'patients'")
    shapes.execute("select flex.apply_access('patients')")
    headers = {"Authorization": f"Bearer {KEYS['wall']}"}
    answer = httpx.get(f"{shapes.url}/v1/shape?{query}", headers=headers, timeout=10, trust_env=False)
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "PGF120"),
        ("table=", 400, "PGF120"),
        ("table=a b", 400, "PGF120"),
        ("table=public.told", 400, "PGF120"),
        ("table=told&offset=-2", 400, "PGF120"),
        ("table=told&offset=1_2_3&handle=x", 400, "PGF120"),
        (f"table=told&offset={'9' * 41}_0&handle=x", 400, "PGF120"),
        ("table=told&offset=1_0", 400, "PGF120"),
        ("table=told&replica=half", 400, "PGF120"),
        ("table=told&log=some", 400, "PGF120"),
        ("table=told&subset__limit=1", 400, "PGF120"),
        ("table=told&params={", 400, "PGF120"),
        ('table=told&params={"1":{}}', 400, "PGF120"),
        ("table=told&columns=a;b", 400, "PGF119"),
        ("table=told&columns=%00", 400, "PGF119"),
        ("table=told&where=a = '%00'", 400, "PGF119"),
        ("table=told&where=%FF%FE", 400, "PGF119"),
        ("table=told&where=a = $1&params[1]=%00", 400, "PGF119"),
        ("table=told&where=a = $1&params[1]=many", 400, "PGF119"),
        (f"table=told&where={'(' * 9000}", 400, "PGF119"),
    ],
)
def test_what_cannot_be_read_is_told(shapes: ShapeBox, query: str, status: int, code: str) -> None:
    shapes.write("POST", "/flex/told", {"a": 1})
    answer = httpx.get(f"{shapes.url}/shape?{query}", timeout=10, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_from_now_on_without_the_rows(shapes: ShapeBox) -> None:
    shapes.write("POST", "/flex/later", {"a": 1})
    for query in ("offset=now", "offset=-1&log=changes_only"):
        first = httpx.get(f"{shapes.url}/shape?table=later&{query}", trust_env=False)
        assert [list(message) for message in first.json()] == [["headers"]]
        shapes.write("POST", "/flex/later", {"a": 2})
        told = {"handle": first.headers["electric-handle"], "offset": first.headers["electric-offset"]}
        live = httpx.get(
            f"{shapes.url}/shape", params={"table": "later", "live": "true"} | told, timeout=30, trust_env=False
        )
        assert [message["value"]["a"] for message in live.json()[:-1]] == ["2"]
        assert live.headers["cache-control"] == "no-store"
