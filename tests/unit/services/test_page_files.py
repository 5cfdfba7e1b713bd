"""The page and what it fetches later, as the door gives them out."""

from __future__ import annotations

import gzip

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from appliance.screen.receiver import Page, Part, load_page, load_parts
from appliance.services.page_files import install_parts, served

PAGE, PARTS = load_page(), load_parts()


@pytest.fixture
def door() -> httpx.AsyncClient:
    app = FastAPI()
    install_parts(app)

    @app.get("/")
    async def page(request: Request) -> Response:
        return served(request, PAGE)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def test_each_comes_whole_small_or_not_at_all(door: httpx.AsyncClient) -> None:
    parts: list[tuple[str, Page | Part]] = [("/", PAGE), *PARTS.items()]
    for path, part in parts:
        plain = await door.get(path, headers={"Accept-Encoding": "identity"})
        small = await door.get(path, headers={"Accept-Encoding": "gzip"})
        again = await door.get(path, headers={"If-None-Match": plain.headers["etag"]})
        assert plain.content == small.content == gzip.decompress(part.gzipped) == part.plain
        assert (small.headers["content-encoding"], int(small.headers["content-length"])) == ("gzip", len(part.gzipped))
        assert (again.status_code, again.content) == (304, b"")
        assert plain.headers["x-content-type-options"] == "nosniff"


async def test_the_page_has_its_policy_and_the_files_say_what_they_are(door: httpx.AsyncClient) -> None:
    assert (await door.get("/")).headers["content-security-policy"] == PAGE.policy
    assert (await door.get("/past.js")).headers["content-type"] == "text/javascript; charset=utf-8"
    assert (await door.get("/past.css")).headers["content-type"] == "text/css; charset=utf-8"
    assert (await door.get("/words/de.json")).headers["content-type"] == "application/json; charset=utf-8"
