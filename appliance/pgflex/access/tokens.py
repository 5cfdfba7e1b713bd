"""Tokens: JSON Web Tokens that let a program act as a role for a while, and can be revoked at once.

    tokens = Tokens(pool, secret, limit_s=86400)
    given = await tokens.issue("nurse", "admin", ttl_s=900, label="tablet 3")
    read_token(given["token"], secret).role          # "nurse"
    await tokens.revoke(given["jti"], "admin")

Each has an audience (``aud``), an end (``exp``) and an id (``jti``). PostgREST asks ``door.check_token`` with every
request; the other doors ask :mod:`~appliance.pgflex.access.role_book`.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.rest import AUDIENCE
from appliance.types import RoleName

__all__ = ["TTL_S", "Token", "Tokens", "read_token", "resembles_token"]

TTL_S: Final = 900
LABEL_LIMIT: Final = 200
KEPT_DAYS: Final = 30
"""How long a token that ran out stays in the list."""

_LIST: Final = """
select jti, role, label, issued_by, issued, expires, revoked from flex.tokens
where %(by)s = 'admin' or role = %(by)s order by issued desc, jti limit 1000
"""


class Token(msgspec.Struct, frozen=True):
    """What a token says: its id, whom it acts as, and when it runs out, in seconds since 1970."""

    jti: str
    role: RoleName
    expires: float


def resembles_token(credential: str) -> bool:
    """Whether a credential is meant as a token; keys have no dots."""
    return credential.count(".") == 2


def read_token(text: str, secret: str) -> Token:
    """What a token says, once its signature, audience and end are found good.

    Raises:
        ApplianceError: BRG401.
    """
    try:
        claims = jwt.decode(
            text, secret, algorithms=["HS256"], audience=AUDIENCE, options={"require": ["exp", "aud", "jti", "role"]}
        )
    except jwt.ExpiredSignatureError:
        raise refused("The token has run out.") from None
    except jwt.InvalidTokenError:
        raise refused("The box does not know this token.") from None
    jti, role = claims["jti"], claims["role"]
    if not isinstance(jti, str) or not isinstance(role, str):
        raise refused("The box does not know this token.")
    return Token(jti, role, float(claims["exp"]))


def refused(sentence: str) -> ApplianceError:
    """That a token is no good."""
    return ApplianceError("BRG401", sentence, None, "Ask the box for a new one: POST /api/tokens")


class Tokens:
    """Gives out tokens, and takes them back.

    Args:
        pool: connections of the role that owns the list.
        secret: what they are signed with; the same that PostgREST checks them with.
        limit_s: seconds a token may last.
    """

    def __init__(self, pool: Pool, secret: str, limit_s: int) -> None:
        self._pool, self._secret, self._limit_s = pool, secret, limit_s

    async def issue(
        self, role: RoleName, by: RoleName, ttl_s: int = TTL_S, label: str = "", parent: str | None = None
    ) -> dict[str, Any]:
        """A token to act as `role`.

        Args:
            role: whom it acts as; that the asker may have that is the door's to check.
            by: the asker's role.
            ttl_s: seconds it lasts.
            label: what it is for.
            parent: the id of the token that it is asked for with; it lasts no longer than that one.

        Raises:
            ApplianceError: PGF150 (no such role), PGF151 (how long), BRG401 (the parent has ended).
        """
        if not 1 <= ttl_s <= self._limit_s:
            raise ApplianceError(
                "PGF151", f"A token lasts 1 to {self._limit_s} seconds.", {"ttl_s": ttl_s}, "Ask for a shorter one."
            )
        now = int(time.time())
        jti, expires = secrets.token_hex(16), now + ttl_s
        async with transaction(self._pool) as db:
            if await (await db.execute("select from flex.roles where name = %s", [role])).fetchone() is None:
                raise ApplianceError("PGF150", "There is no such role.", role[:200], "GET /api/roles lists them.")
            if parent is not None:
                query = "select expires from flex.tokens where jti = %s and revoked is null for share"
                row = await (await db.execute(query, [parent])).fetchone()
                if row is None:
                    raise refused("The token was revoked.")
                expires = min(expires, int(row[0].timestamp()))
            await db.execute("delete from flex.tokens where expires < now() - %s", [timedelta(days=KEPT_DAYS)])
            await db.execute(
                "insert into flex.tokens (jti, role, label, issued_by, parent, issued, expires)"
                " values (%s, %s, %s, %s, %s, to_timestamp(%s), to_timestamp(%s))",
                [jti, role, label.replace("\x00", "")[:LABEL_LIMIT], by, parent, now, expires],
            )
        claims = {"role": role, "aud": AUDIENCE, "iat": now, "exp": expires, "jti": jti}
        token = jwt.encode(claims, self._secret, algorithm="HS256")
        ends = datetime.fromtimestamp(expires, UTC).isoformat()
        return {"token": token, "jti": jti, "role": role, "expires": ends, "ttl_s": expires - now}

    async def listed(self, by: RoleName) -> list[dict[str, Any]]:
        """The tokens of a role, the admin's all, the newest first; never the tokens themselves."""
        async with transaction(self._pool) as db:
            found = await (await db.execute(_LIST, {"by": by})).fetchall()
        names = ("jti", "role", "label", "issued_by", "issued", "expires", "revoked")
        now = datetime.now(UTC)
        return [{**dict(zip(names, row, strict=True)), "live": row[6] is None and row[5] > now} for row in found]

    async def revoke(self, jti: str, by: RoleName) -> None:
        """End a token and those that were asked for with it.

        Raises:
            ApplianceError: PGF153, there is no such token for this role.
        """
        async with transaction(self._pool) as db:
            query = "select from flex.tokens where jti = %(jti)s and (%(by)s = 'admin' or role = %(by)s)"
            if await (await db.execute(query, {"jti": jti, "by": by})).fetchone() is None:
                raise ApplianceError("PGF153", "There is no such token.", jti[:64], "GET /api/tokens lists them.")
            await db.execute("select flex.revoke_tokens(array[%s])", [jti])

    async def revoke_all(self, role: RoleName) -> int:
        """End every token of a role; how many that were.

        Raises:
            ApplianceError: PGF150, there is no such role.
        """
        query = "select flex.revoke_tokens(array(select jti from flex.tokens where role = name)) from flex.roles"
        async with transaction(self._pool) as db:
            row = await (await db.execute(query + " where name = %s", [role])).fetchone()
        if row is None:
            raise ApplianceError("PGF150", "There is no such role.", role[:200], "GET /api/roles lists them.")
        return int(row[0])
