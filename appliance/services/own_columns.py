"""Reading "everything" through PostgREST as a role that may read only some columns.

PostgREST asks for all columns where a request names none, and PostgreSQL refuses that to such a role. So the door
names the role's own columns for it.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from appliance.services.token_watch import TokenWatch
from appliance.types import RoleName

__all__ = ["with_own_columns"]

_COLLECTION: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


async def with_own_columns(request: Request, path: str, role: RoleName, watch: TokenWatch) -> Request:
    """The request, with the columns that the role may read where it names none and rows come back.

    Raises:
        ApplianceError: BRG406, the data service does not answer.
    """
    if not _COLLECTION.fullmatch(path) or "select" in request.query_params or not _gives_rows(request):
        return request
    told = (await watch.readable(role)).get(path)
    if told is None or not told.columns:
        return request  # all of them, or none: PostgreSQL says so
    added = urlencode({"select": ",".join(told.columns)})
    query = "&".join(part for part in (request.url.query, added) if part)
    return Request({**request.scope, "query_string": query.encode()}, request.receive)


def _gives_rows(request: Request) -> bool:
    if request.method in ("GET", "HEAD"):
        return True
    return "return=representation" in request.headers.get("prefer", "").replace(" ", "")
