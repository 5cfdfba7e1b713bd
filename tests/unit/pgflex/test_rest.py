"""The PostgREST client: tokens, patterns, and what it says when PostgREST is away or refuses."""

import socket

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.rest import Rest, _pattern

SECRET = "s" * 40


async def test_token_acts_as_its_role_and_is_kept() -> None:
    rest = Rest("http://127.0.0.1:9", SECRET)
    token = rest.token("staff")
    told = jwt.decode(token, SECRET, algorithms=["HS256"], audience="dreamstack")
    assert told["role"] == "staff"
    assert rest.token("staff") == token
    assert rest.token("wall") != token
    await rest.close()


async def test_token_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = Rest("http://127.0.0.1:9", SECRET)
    first = rest.token("staff")
    now = __import__("time").time()
    monkeypatch.setattr("appliance.pgflex.rest.time.time", lambda: now + 39)
    assert rest.token("staff") == first
    monkeypatch.setattr("appliance.pgflex.rest.time.time", lambda: now + 41)
    assert rest.token("staff") != first
    await rest.close()


async def test_postgrest_away_is_pgf102() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        rest = Rest(f"http://127.0.0.1:{closed.getsockname()[1]}", SECRET)
        with pytest.raises(ApplianceError, match="PGF102"):
            await rest.get("/beds", "staff")
        await rest.close()


@pytest.mark.parametrize(("collection", "field"), [("beds?x", "ward"), ("beds", "ward,id"), ("../x", "ward")])
async def test_lookup_refuses_names_that_are_none(collection: str, field: str) -> None:
    rest = Rest("http://127.0.0.1:9", SECRET)
    with pytest.raises(ApplianceError, match="PGF105"):
        await rest.lookup(collection, field, ["x"], "staff")
    assert await rest.lookup(collection, field, ["  "], "staff") == []
    await rest.close()


@given(st.text())
def test_pattern_has_no_wildcard_that_matches_more_than_one(text: str) -> None:
    pattern = _pattern(text)
    assert "*" not in pattern
    assert pattern.replace("\\\\", "").replace("\\%", "").count("%") == 0
