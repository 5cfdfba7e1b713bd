"""Who may see what, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import COLLECTION, Place

ROLE = "acceptance_visitor"


@pytest.fixture
def visitor(lighthouses: Place) -> Iterator[Place]:
    """A declared role that sees Kerry alone, and names by their initials."""
    with lighthouses.client() as client:
        client.put(f"/api/roles/{ROLE}", json={"label": "Visitor", "level": "staff"}).raise_for_status()
        path = f"/api/roles/{ROLE}/collections/{COLLECTION}"
        kerry = {"where": [{"field": "county", "op": "eq", "value": "Kerry"}], "access": "read"}
        client.put(path, json=kerry).raise_for_status()
        client.put(f"{path}/fields/name", json={"mask": "initials"}).raise_for_status()
        yield lighthouses
        client.delete(f"/api/roles/{ROLE}")


def test_a_role_reads_its_rows_and_no_others(visitor: Place) -> None:
    with visitor.client() as client:
        token = client.post("/api/tokens", json={"role": ROLE, "ttl_s": 300})
        assert token.status_code in (200, 201), token.text
        credential = token.json()["token"]
    with visitor.client(credential) as client:
        seen = client.get(f"/rest/{COLLECTION}").json()
        assert {row["county"] for row in seen} == {"Kerry"}
        assert "Bell Point" not in str(seen) and "B.P." in str(seen)
        answer = client.post("/api/ask", json={"question": "How many lighthouses are there?"}).json()
        assert [value for row in answer["rows"] for value in row.values()] == [2], answer
        assert client.get("/api/screens").status_code == 403
        assert client.get("/api/catalog?role=admin").status_code in (403, 422)


def test_a_token_that_is_revoked_opens_nothing(visitor: Place) -> None:
    with visitor.client() as client:
        told = client.post("/api/tokens", json={"role": ROLE, "ttl_s": 300}).json()
        with visitor.client(told["token"]) as holder:
            assert holder.get(f"/rest/{COLLECTION}").status_code == 200
            assert client.delete(f"/api/tokens/{told['jti']}").status_code < 300
            assert holder.get(f"/rest/{COLLECTION}").status_code == 401
