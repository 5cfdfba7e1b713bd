"""The door before a real Electric: what a stand-in that writes down each request is asked for.

A stand-in, because Electric itself does not run here: this shows what the door lets through, not how Electric answers.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.integration.shape_box import KEYS, ShapeBox, running_shapes

SECRET = "electric-s3cret"


class Electric:
    """Answers every request alike and remembers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path)
                query = parse_qsl(path.query, keep_blank_values=True)
                assert len(query) == len(dict(query)), "no parameter comes twice"
                outer.asked.append((path.path, dict(query), dict(self.headers)))
                body = json.dumps([{"headers": {"control": "up-to-date"}}]).encode()
                self.send_response(409 if dict(query).get("handle") == "old" else 200)
                self.send_header("electric-handle", "h-1")
                self.send_header("electric-offset", "0_0")
                self.send_header("electric-schema", "{}")
                self.send_header("location", f"/v1/shape?{path.query}")
                self.send_header("cache-control", "public, max-age=604800")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def electric() -> Iterator[Electric]:
    electric = Electric()
    yield electric
    electric.close()


@pytest.fixture(scope="module")
def shapes(electric: Electric) -> Iterator[ShapeBox]:
    with running_shapes(electric_url=electric.url, electric_secret=SECRET) as shapes:
        shapes.write("POST", "/flex/beds", [{"bed": "C-01", "ward": "A", "patient": "Ada"}])
        shapes.execute("update flex.collections set audience='wall', wall_fields='{bed,ward}' where name='beds'")
        shapes.execute(
            "insert into flex.policies (collection, role, condition, expression)"
            " values ('beds', 'wall', '{}', $$ward = 'A' or ward is null$$)"
        )
        shapes.execute("select flex.apply_access('beds')")
        shapes.write("POST", "/flex/staff_only", {"a": 1})
        yield shapes


def ask(shapes: ShapeBox, whose: str, /, **query: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[whose]}", "Cookie": "dreamstack=x"}
    return httpx.get(f"{shapes.url}/shape", params=query, headers=headers, timeout=10, trust_env=False)


def test_what_a_wall_asks_reaches_electric_as_the_wall_may_see_it(shapes: ShapeBox, electric: Electric) -> None:
    answer = ask(
        shapes,
        "wall",
        table="beds",
        where="bed = $1 OR true",
        columns="patient,bed",
        offset="5_0",
        handle="h-1",
        live="true",
        cursor="7",
        log="full",
        secret="mine",
        api_secret="mine",
        source_id="other",
        role="wall",
        **{"params[1]": "C-01' OR ''='"},
    )
    assert answer.status_code == 200
    path, query, headers = electric.asked[-1]
    assert path == "/v1/shape"
    assert query == {
        "table": "api.beds",
        "columns": '"id","bed"',
        "where": """(ward = 'A' or ward is null) AND (("bed" = 'C-01'' OR ''''=''') OR true)""",
        "offset": "5_0",
        "handle": "h-1",
        "live": "true",
        "cursor": "7",
        "log": "full",
        "secret": SECRET,
    }
    assert {"authorization", "cookie", "x-role"} & {name.lower() for name in headers} == set()


def test_staff_has_every_column_and_no_filter(shapes: ShapeBox, electric: Electric) -> None:
    assert ask(shapes, "staff", table="api.beds", offset="-1", replica="full").status_code == 200
    assert electric.asked[-1][1] == {
        "table": "api.beds",
        "columns": '"id","bed","ward","patient"',
        "offset": "-1",
        "replica": "full",
        "secret": SECRET,
    }


def test_what_electric_answers_keeps_the_secret_and_the_cache_out(shapes: ShapeBox) -> None:
    for query in ({"offset": "-1"}, {"offset": "0_0", "handle": "old"}):
        answer = ask(shapes, "wall", table="beds", **query)
        assert answer.status_code == (409 if "handle" in query else 200)
        assert SECRET not in str(answer.headers) + answer.text
        assert answer.headers["electric-handle"] == "h-1"
        assert answer.headers["cache-control"] == "no-store"
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"table": "staff_only"}, "PGF106"),
        ({"table": "flex.roles"}, "PGF120"),
        ({}, "PGF120"),
        ({"table": "beds", "where": "patient = 'Ada'"}, "PGF119"),
        ({"table": "beds", "where": "true) OR (true"}, "PGF119"),
        ({"table": "beds", "subset__where": "patient = 'Ada'"}, "PGF120"),
        ({"table": "beds", "role": "admin"}, "BRG402"),
    ],
)
def test_what_a_wall_may_not_ask_never_reaches_electric(
    shapes: ShapeBox, electric: Electric, query: dict[str, str], code: str
) -> None:
    before = len(electric.asked)
    answer = ask(shapes, "wall", **query)
    assert (answer.json()["code"], len(electric.asked)) == (code, before)


async def test_an_electric_that_is_away_is_told(shapes: ShapeBox, electric: Electric) -> None:
    await asyncio.to_thread(electric.close)
    answer = await asyncio.to_thread(ask, shapes, "staff", table="beds")
    assert (answer.status_code, answer.json()["code"]) == (503, "BRG406")
