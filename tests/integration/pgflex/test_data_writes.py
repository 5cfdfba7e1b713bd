"""The data service's addresses of documents."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.integration.pgflex_box import Box, running_box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box(documents_limit=3, depth_limit=2, key_limit=10, fields_limit=5) as box:
        box.start_service()
        yield box


@pytest.fixture
def client(box: Box) -> Iterator[httpx.Client]:
    headers = {**box.bearer, "X-Role": "staff", "X-Screen": "Lobby"}
    with httpx.Client(base_url=box.pgflex_url, headers=headers, timeout=10) as client:
        yield client


def test_a_document_from_its_making_to_its_end(client: httpx.Client, box: Box) -> None:
    made = client.post("/flex/beds", json={"bed": "A", "free": True})
    assert (made.status_code, made.json()) == (201, [{"id": 1, "bed": "A", "free": True}])
    put = client.put("/flex/beds/1", json={"bed": "B"})
    assert (put.status_code, put.json()) == (200, {"id": 1, "bed": "B", "free": None})
    new = client.put("/flex/beds/7", json={"bed": "C"})
    assert (new.status_code, new.json()) == (201, {"id": 7, "bed": "C", "free": None})
    patched = client.patch("/flex/beds/7", json={"free": False})
    assert (patched.status_code, patched.json()) == (200, {"id": 7, "bed": "C", "free": False})
    assert client.delete("/flex/beds/7").status_code == 204
    assert client.patch("/flex/beds/7", json={"free": True}).status_code == 404
    with psycopg.connect(box.dsn) as db:
        assert db.execute("select distinct who from flex.fields where collection = 'beds'").fetchall() == [("Lobby",)]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/flex/beds", [{}] * 4, 413, "may have 3 documents"),
        ("POST", "/flex/beds", {"a": [[[1]]]}, 400, "nested too deep"),
        ("POST", "/flex/beds", {"k" * 11: 1}, 413, "may have 10 characters"),
        ("POST", "/flex/beds", {f"f{number}": 1 for number in range(6)}, 413, "may have 5 fields"),
        ("PUT", "/flex/beds/1", [{"a": 1}], 400, "has to be a JSON object"),
        ("PUT", "/flex/beds/0", {"a": 1}, 400, "cannot have the id 0"),
        ("PUT", "/flex/Beds/1", {"a": 1}, 400, "cannot be the name"),
        ("PATCH", "/flex/nothing/1", {"a": 1}, 404, "no such collection"),
    ],
)
def test_refused(client: httpx.Client, method: str, path: str, body: object, status: int, told: str) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert told in answer.json()["message"]
