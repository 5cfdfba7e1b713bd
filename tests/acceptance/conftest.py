"""The place under test: any box, however it was started, seen from outside through its door alone.

    make acceptance URL=https://192.168.7.20 KEY=...       # the admin's key
    make acceptance                                         # starts a box on this machine, and tests that

The box's authority is fetched as a person would, from the trust page, unless ``ACCEPTANCE_CA`` names a file. The
tests write a collection of their own, `lighthouses`, and change nothing else that stays.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.box import running_box

COLLECTION = "lighthouses"
ROWS: list[dict[str, Any]] = [
    {"name": "Bell Point", "county": "Kerry", "height_m": 31, "keepers": 2, "status": "lit"},
    {"name": "Gull Head", "county": "Kerry", "height_m": 19, "keepers": 0, "status": "dark"},
    {"name": "Long Sand", "county": "Cork", "height_m": 44, "keepers": 3, "status": "lit"},
    {"name": "Seal Rock", "county": "Cork", "height_m": 27, "keepers": 1, "status": "lit"},
    {"name": "Tern Isle", "county": "Mayo", "height_m": 12, "keepers": 0, "status": "dark"},
]
ANSWER_S = 60.0


class Place:
    """A box's door.

    Attributes:
        url: its address, without a trailing slash.
        key: the admin's credential.
        context: what trusts its authority and nobody else; None where it speaks plain HTTP.
    """

    def __init__(self, url: str, key: str, context: ssl.SSLContext | None) -> None:
        self.url, self.key, self.context = url.rstrip("/"), key, context
        self.verify: ssl.SSLContext | bool = context or True

    @property
    def plain(self) -> str:
        """The same door without TLS."""
        return self.url.replace("https:", "http:", 1)

    def client(self, key: str | None = None) -> httpx.Client:
        """A client with a credential: the admin's, another, or with an empty one none."""
        credential = self.key if key is None else key
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        return httpx.Client(
            base_url=self.url, headers=headers, verify=self.verify, trust_env=False, timeout=httpx.Timeout(ANSWER_S)
        )

    def ask(self, question: str, **more: Any) -> dict[str, Any]:
        """Ask as the admin, or as the `role` that is given."""
        with self.client() as client:
            answer = client.post("/api/ask", json={"question": question} | more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """The box that the environment names, else one of this test run."""
    url = os.environ.get("ACCEPTANCE_URL")
    if not url:
        with running_box("--lan", "--no-mdns") as box:
            yield Place(box.url, box.key("admin"), box.verify())
        return
    key = os.environ.get("ACCEPTANCE_KEY")
    assert key, "ACCEPTANCE_KEY has to be the admin's key of the box at ACCEPTANCE_URL"
    yield Place(url, key, _context(url) if urlsplit(url).scheme == "https" else None)


def _context(url: str) -> ssl.SSLContext:
    named = os.environ.get("ACCEPTANCE_CA")
    if named:
        return ssl.create_default_context(cafile=named)
    pem = httpx.get(url.rstrip("/").replace("https:", "http:", 1) + "/ca.pem", trust_env=False, timeout=30)
    assert pem.status_code == 200, pem.text
    return ssl.create_default_context(cadata=pem.text)


@pytest.fixture(scope="session")
def results() -> Path:
    """Where screenshots go."""
    folder = Path(__file__).resolve().parents[2] / "test-results" / "acceptance"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def lighthouses(place: Place) -> Place:
    """The place, with exactly `ROWS` in the collection."""
    with place.client() as client:
        kept = client.get(f"/rest/{COLLECTION}?select=id")
        if kept.status_code == 200 and kept.json():
            gone = client.delete(f"/rest/{COLLECTION}?id=not.is.null")
            assert gone.status_code < 300, gone.text
        made = client.post(f"/flex/{COLLECTION}", json=ROWS)
        assert made.status_code in (200, 201), made.text
        _wait_known(client)
    return place


def _wait_known(client: httpx.Client) -> None:
    until = time.monotonic() + ANSWER_S
    while time.monotonic() < until:
        if any(each["name"] == COLLECTION for each in client.get("/api/catalog").json()["collections"]):
            return
        time.sleep(0.2)
    raise AssertionError(f"{COLLECTION} is not in the catalog")
