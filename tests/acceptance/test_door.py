"""What anybody on the network meets at the door."""

from __future__ import annotations

import re
import ssl

import httpx
import pytest

from tests.acceptance.conftest import Place

PARTS = {"database", "data service", "PostgREST", "model", "bridge", "disk"}


def test_every_part_is_well(place: Place) -> None:
    with place.client() as client:
        told = client.get("/health")
    assert told.status_code == 200, told.text
    states = {check["name"]: check["state"] for check in told.json()["checks"]}
    assert "down" not in states.values(), told.text
    assert len(states) >= len(PARTS)


def test_anybody_hears_whether_it_is_well_and_nothing_else(place: Place) -> None:
    with place.client("") as client:
        told = client.get("/health")
    assert (told.status_code, told.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "path", ["/api/catalog", "/rest/lighthouses", "/changes", "/metrics", "/api/admin/audit", "/shape"]
)
def test_nothing_else_is_open(place: Place, path: str) -> None:
    with place.client("") as client, client.stream("GET", path) as answer:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    with place.client("a key that nobody has") as client, client.stream("GET", path) as answer:
        assert answer.status_code == 401


def test_the_page_is_the_boxs_own_and_asks_nobody_else(place: Place) -> None:
    with place.client() as client:
        page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "<html" in page.text
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]


def test_errors_have_one_shape(place: Place) -> None:
    with place.client() as client:
        answers = [
            client.get("/nothing/here"),
            client.post("/api/ask", content=b"{"),
            client.post("/api/ask", json={"question": ""}),
            client.put("/api/ask", json={}),
            client.get("/rest/no_such_collection"),
            client.post("/flex/Not a Name", json={}),
        ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, (answer.request.url, answer.text)
        assert answer.json().keys() >= {"code", "message", "details", "hint"}, answer.text
        assert "Traceback" not in answer.text


def test_plain_http_has_the_trust_page_and_no_more(place: Place) -> None:
    if place.context is None:
        pytest.fail("a box that others reach has to speak HTTPS: ACCEPTANCE_URL=https://...")
    with httpx.Client(base_url=place.plain, trust_env=False, timeout=20) as client:
        page = client.get("/")
        assert page.status_code == 200 and "fingerprint" in page.text.lower()
        assert client.get("/ca.pem").text.startswith("-----BEGIN CERTIFICATE-----")
        refused = client.post(
            "/api/ask", json={"question": "anything"}, headers={"Authorization": f"Bearer {place.key}"}
        )
    assert refused.status_code == 404 and refused.json()["code"] == "BRG417"


def test_nobody_else_vouches_for_the_box(place: Place) -> None:
    with (
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        httpx.Client(verify=ssl.create_default_context(), trust_env=False) as stranger,
    ):
        stranger.get(f"{place.url}/health")


def test_another_sites_page_cannot_use_it(place: Place) -> None:
    with place.client() as client:
        assert client.get("/api/catalog", headers={"Origin": "https://elsewhere.example"}).status_code == 403
        assert client.get("/api/catalog", headers={"Host": "elsewhere.example"}).status_code == 403
