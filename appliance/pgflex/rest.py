"""A client for the box's PostgREST: every request under one role, with a short-lived token.

rest = Rest("http://127.0.0.1:54321", secret)
rows = await rest.get("/beds?select=bed,status&status=eq.free", "staff")
names = await rest.lookup("beds", "ward", ["cardio"], "staff")   # ["Cardiology"]
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
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

    async def lookup(
        self, collection: str, field: str, texts: Sequence[str], role: RoleName, limit: int = 5
    ) -> list[str]:
        """Stored values of a text field that equal one of `texts`, else contain one, else do so but for accents.

        Case does not count. An earlier text goes before a later one; texts of more than 200 characters are not
        sought. One request, and a second where `limit` values contain a text and the equal one may be beyond them.

        Raises:
            ApplianceError: PGF105 (a name that cannot be one), else as :meth:`get`.
        """
        sought = list(dict.fromkeys(text.strip() for text in texts if text.strip() and len(text.strip()) <= SOUGHT_MAX))
        if not sought:
            return []
        address = f"/{_name(collection)}?select={_name(field)},id.count()&order={field}&limit={limit}"

        async def stored(operators: list[str]) -> list[str]:
            either = ",".join(f"{field}.{operator}" for operator in operators)
            rows = await self.get(f"{address}&or={quote(f'({either})', safe='')}", role)
            return [str(row[field]) for row in rows]

        found = await stored([_containing(text) for text in sought])
        if len(found) >= limit:
            found = await stored([f"ilike.{_quoted(_pattern(text))}" for text in sought]) or found
        for text in map(str.casefold, sought):
            equal = [value for value in found if value.casefold() == text]
            containing = [value for value in found if text in value.casefold()]
            if equal or containing:
                return equal or containing
        return found if any(map(_LETTERS.fullmatch, sought)) else []


SOUGHT_MAX: Final = 200
"""Characters of a text that is sought among stored values; a longer one is none of a name's."""
_LETTERS: Final = re.compile(r"[A-Za-z]+(?:[ '-][A-Za-z]+)*")
"""What may be sought by a regular expression: it holds no sign of one."""
_ACCENTED: Final = {
    plain: f"[{plain}{accented}]"
    for plain, accented in {
        "a": "àáâãäåāăą", "c": "çćĉċč", "d": "ďđ", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ", "i": "ìíîïĩīĭįı", "j": "ĵ",
        "k": "ķ", "l": "ĺļľŀł", "n": "ñńņňŉ", "o": "òóôõöøōŏő", "r": "ŕŗř", "s": "śŝşšș", "t": "ţťŧț",
        "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
    }.items()
}  # fmt: skip


def _containing(text: str) -> str:
    """What PostgREST is asked for values that contain a text: where it is of plain letters, accents are left out."""
    if _LETTERS.fullmatch(text) and len(text) <= _ACCENTED_MAX:
        return f"imatch.{_quoted(''.join(_ACCENTED.get(letter, letter) for letter in text.lower()))}"
    return f"ilike.{_quoted(f'%{_pattern(text)}%')}"


_ACCENTED_MAX: Final = 40
"""Letters of a text whose accents are left out: its pattern is some thirty times as long."""


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
