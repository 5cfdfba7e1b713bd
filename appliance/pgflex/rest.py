"""A client for the box's PostgREST: every request under one role, with a short-lived token.

rest = Rest("http://127.0.0.1:54321", secret)
rows = await rest.get("/beds?select=bed,status&status=eq.free", "staff")
names = await rest.lookup("beds", "ward", "cardio", "staff")   # ["Cardiology"]
"""

from __future__ import annotations

import re
import time
from typing import Any, Final
from urllib.parse import quote

import httpx
import jwt
import msgspec

from appliance.errors import ApplianceError
from appliance.types import RoleName

__all__ = ["Rest"]

AUDIENCE: Final = "dreamstack"
TOKEN_S: Final = 60
_RENEW_BEFORE_S: Final = 20
_TIMEOUT: Final = httpx.Timeout(15.0, connect=2.0)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_DATABASE_AWAY: Final = frozenset({"PGRST000", "PGRST001", "PGRST002", "PGRST003"})


class Rest:
    """Reads through PostgREST; keeps its connections open.

    Args:
        base_url: PostgREST's address, without a trailing slash.
        secret: what PostgREST checks tokens with, at least 32 characters.
    """

    def __init__(self, base_url: str, secret: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT, trust_env=False)
        self._secret = secret
        self._tokens: dict[RoleName, tuple[str, float]] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def token(self, role: RoleName) -> str:
        """A token (JWT, HS256) to act as `role`; valid for at least 20 more seconds, at most 60."""
        token, until = self._tokens.get(role, ("", 0.0))
        now = time.time()
        if until - now < _RENEW_BEFORE_S:
            until = now + TOKEN_S
            token = jwt.encode({"role": role, "aud": AUDIENCE, "exp": int(until)}, self._secret, algorithm="HS256")
            self._tokens[role] = (token, until)
        return token

    async def get(self, path_and_query: str, role: RoleName) -> list[dict[str, Any]]:
        """The rows of a request such as ``/beds?select=bed``.

        Raises:
            ApplianceError: PGF102 (PostgREST does not answer), PGF101 (it has no database),
                PGF106 (the role may not), PGF112 (it refused otherwise); PostgREST's own code, message, details and
                hint are the details.
        """
        try:
            answer = await self._client.get(
                path_and_query, headers={"Authorization": f"Bearer {self.token(role)}", "Accept": "application/json"}
            )
        except httpx.TransportError as error:
            raise ApplianceError(
                "PGF102",
                "PostgREST does not answer.",
                str(error) or repr(error),
                "The box restarts it by itself; try again.",
            ) from None
        if answer.is_error:
            raise _refused(answer)
        rows = msgspec.json.decode(answer.content)
        return rows if isinstance(rows, list) else [rows]

    async def lookup(self, collection: str, field: str, text: str, role: RoleName, limit: int = 5) -> list[str]:
        """Stored values of a text field that equal `text`, else that contain it; case does not count.

        Raises:
            ApplianceError: PGF105 (a name that cannot be one), else as :meth:`get`.
        """
        wanted = text.strip()
        if not wanted:
            return []
        address = f"/{_name(collection)}?select={_name(field)},id.count()&order={field}&limit={limit}"
        for pattern in (_pattern(wanted), f"%{_pattern(wanted)}%"):
            rows = await self.get(f"{address}&{field}=ilike.{quote(pattern, safe='')}", role)
            found = [str(row[field]) for row in rows if wanted.casefold() in str(row[field]).casefold()]
            if found:
                return found
        return []


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ApplianceError("PGF105", "This cannot be the name of a collection or field.", name[:200])
    return name


def _pattern(text: str) -> str:
    # PostgREST turns every * into %, and knows no way to write a plain one: _ stands for it, and the caller
    # checks what came back.
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return escaped.replace("*", "_")


def _refused(answer: httpx.Response) -> ApplianceError:
    try:
        told: Any = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        told = {"message": answer.text[:500]}
    details = {key: told.get(key) for key in ("code", "message", "details", "hint")} if isinstance(told, dict) else told
    if isinstance(details, dict) and details["code"] in _DATABASE_AWAY:
        return ApplianceError(
            "PGF101", "PostgreSQL does not answer.", details, "The box restarts it by itself; try again."
        )
    if isinstance(details, dict) and details["code"] == "42501":
        return ApplianceError("PGF106", "This role may not do that.", details, "Act as a role that may.")
    return ApplianceError("PGF112", "The database refused the request.", details)
