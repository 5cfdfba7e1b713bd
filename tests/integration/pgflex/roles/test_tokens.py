"""Tokens of roles through PostgREST: what they open, and that they end at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import jwt
import psycopg

from appliance.pgflex.access.role_book import RoleBook
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.access.tokens import Tokens
from appliance.pgflex.database import Pool
from tests.integration.pgflex.roles.wards import WARD, masked, refused, until
from tests.integration.pgflex_box import Box


@asynccontextmanager
async def postgrest(box: Box, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=box.rest_url, headers=headers, timeout=10, trust_env=False) as client:
        yield client


async def served(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The answer once PostgREST knows the collection."""
    async with asyncio.timeout(10):
        while True:
            answer = await client.get(path)
            if answer.status_code not in (404, 503):
                return answer
            await asyncio.sleep(0.05)


@contextmanager
def reloading(box: Box) -> Iterator[None]:
    with psycopg.connect(box.admin_dsn, autocommit=True) as db:
        db.execute("notify pgrst, 'reload schema'")
        yield


async def test_postgrest_serves_a_new_role_at_once_and_refuses_its_token_once_revoked(
    box: Box, patients: str, roles: Roles, tokens: Tokens
) -> None:
    await masked(roles)
    await roles.permit("nurse", "patients", {"where": [WARD]}, "admin")
    given = await tokens.issue("nurse", "admin", 60, "test")
    with reloading(box):
        async with postgrest(box, given["token"]) as client:
            answer = await served(client, "/patients?select=id,name__initials&order=id")
            assert answer.json() == [{"id": 1, "name__initials": "M.S."}, {"id": 3, "name__initials": None}]
            for query in ("", "?select=name", "?select=id&name=like.M*", "?select=id&order=name", "?name=eq.x"):
                answer = await client.get(f"/patients{query}")
                assert (answer.status_code, answer.json()["code"]) == (403, "42501"), query
                assert "Maria" not in answer.text
            answer = await client.get("/patients?select=id&ward=eq.Surgery")
            assert (answer.status_code, answer.json()) == (200, []), "no rows is another answer than not allowed"
            await tokens.revoke(given["jti"], "admin")
            answer = await client.get("/patients?select=id")
            assert (answer.status_code, answer.json()["message"]) == (401, "The token was revoked.")


async def test_what_postgrest_refuses_of_tokens(box: Box, patients: str) -> None:
    good = {"role": "staff", "aud": "dreamstack", "exp": int(time.time()) + 60}
    with reloading(box):
        async with postgrest(box, jwt.encode(good, box.secret, "HS256")) as client:
            assert (await served(client, "/patients")).status_code == 200
    for other, secret in (
        ({"aud": "elsewhere"}, box.secret),
        ({"aud": None}, box.secret),
        ({"exp": None}, box.secret),
        ({"exp": int(time.time()) - 60}, box.secret),
        ({"jti": "unknown"}, box.secret),
        ({}, "t" * 48),
        ({"role": "flex"}, box.secret),
        ({"role": "dreamstack"}, box.secret),
        ({"role": "authenticator"}, box.secret),
        ({"role": "nobody_at_all"}, box.secret),
    ):
        claims = {name: value for name, value in (good | other).items() if value is not None}
        async with postgrest(box, jwt.encode(claims, secret, "HS256")) as client:
            assert (await client.get("/patients")).status_code in (400, 401, 403), other
    unsigned = jwt.encode(good, "", algorithm="none")
    async with postgrest(box, unsigned) as client:
        assert (await client.get("/patients")).status_code == 401


async def test_no_request_takes_on_another_role(box: Box, patients: str, tokens: Tokens) -> None:
    given = await tokens.issue("wall", "admin", 60)
    with reloading(box):
        async with postgrest(box, given["token"]) as client:
            await served(client, "/patients")
            for path in ("/rpc/set_config", "/rpc/apply_access", "/rpc/check_token", "/rpc/revoke_tokens"):
                assert (await client.post(path, json={})).status_code == 404
            for schema in ("flex", "hidden", "door", "pg_catalog"):
                answer = await client.get("/fields", headers={"Accept-Profile": schema})
                assert answer.status_code == 406
            answer = await client.get("/patients?select=id", headers={"X-Role": "admin"})
            assert answer.status_code == 403


async def test_a_token_ends_with_the_one_it_was_asked_for_with(pool: Pool, patients: str, tokens: Tokens) -> None:
    first = await tokens.issue("nurse", "admin", 60)
    second = await tokens.issue("nurse", "nurse", 3600, parent=first["jti"])
    third = await tokens.issue("wall", "nurse", 3600, parent=second["jti"])
    assert first["expires"] == second["expires"] == third["expires"]
    await refused("PGF153", tokens.revoke(first["jti"], "staff"))
    await tokens.revoke(first["jti"], "nurse")
    live = {told["jti"]: told["live"] for told in await tokens.listed("admin")}
    assert [live[each["jti"]] for each in (first, second, third)] == [False, False, False]
    await refused("BRG401", tokens.issue("nurse", "nurse", 60, parent=second["jti"]))


async def test_tokens_of_a_role_end_together_and_with_it(box: Box, patients: str, roles: Roles, tokens: Tokens) -> None:
    book = RoleBook(box.dsn)
    follow = asyncio.create_task(book.run())
    await book.loaded.wait()
    given = [await tokens.issue("nurse", "admin", 60) for _ in range(3)]
    other = await tokens.issue("staff", "admin", 60)
    assert await tokens.revoke_all("nurse") == 3
    later = await tokens.issue("nurse", "admin", 60)
    await roles.remove("nurse", "admin")
    await roles.declare("nurse", {"level": "staff"}, "admin")
    wanted = {each["jti"] for each in (*given, later)}
    async with asyncio.timeout(2):
        # The role went and came back in two commits: its tokens may be known as revoked before it is known again.
        await until(lambda: wanted <= book.state.revoked and book.state.levels.get("nurse") == "staff")
    assert other["jti"] not in book.state.revoked
    follow.cancel()
    await asyncio.gather(follow, return_exceptions=True)
    await refused("PGF150", tokens.revoke_all("nobody"))
    for role, ttl_s, code in (("nobody", 60, "PGF150"), ("staff", 0, "PGF151"), ("staff", 3601, "PGF151")):
        await refused(code, tokens.issue(role, "admin", ttl_s))


async def test_looking_at_a_token_costs_little(box: Box, tokens: Tokens) -> None:
    given = await tokens.issue("staff", "admin", 60)
    claims = json.dumps({"role": "staff", "aud": "dreamstack", "exp": 1, "jti": given["jti"]})
    with psycopg.connect(box.dsn) as db:
        db.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        db.execute("set local role staff")
        db.execute("select door.check_token()")
        began = time.perf_counter()
        db.execute("do 'begin for i in 1..1000 loop perform door.check_token(); end loop; end'")
        assert (time.perf_counter() - began) / 1000 < 0.0003
