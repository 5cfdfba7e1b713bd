"""The data service's addresses of documents. Writes act as the role in the header ``X-Role``.

POST   /flex/{collection}        a document or a list of them -> 201, the stored rows
PUT    /flex/{collection}/{id}   a document, all that the row holds then -> 200, or 201 when there was none; the row
PATCH  /flex/{collection}/{id}   fields to set -> 200, the whole row
DELETE /flex/{collection}/{id}   -> 204

A header ``X-Screen`` names the screen that writes; it is kept as the first writer of new fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import FastAPI, Path, Request, Response

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.pgflex.fields import read_json
from appliance.pgflex.writes.placing import Limits
from appliance.services.internal import Json, body_within, role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install", "limits", "who"]

_LONGEST_NAME: Final = 200
Key = Annotated[int, Path(ge=-(2**63), lt=2**63)]


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""
    store, limit = service.store, service.settings.document_limit

    @app.post("/flex/{collection}")
    async def insert(collection: str, request: Request) -> Response:
        role = role_of(request)
        body = await _body(request, limit)
        documents = body if isinstance(body, list) else [body]
        return Json(await store.insert(collection, documents, role, who(request)), status_code=201)

    @app.put("/flex/{collection}/{key}")
    async def replace(collection: str, key: Key, request: Request) -> Response:
        role = role_of(request)
        row, made = await store.replace(collection, key, await _body(request, limit), role, who(request))
        return Json(row, status_code=201 if made else 200)

    @app.patch("/flex/{collection}/{key}")
    async def update(collection: str, key: Key, request: Request) -> Response:
        role = role_of(request)
        return Json(await store.update(collection, key, await _body(request, limit), role, who(request)))

    @app.delete("/flex/{collection}/{key}")
    async def delete(collection: str, key: Key, request: Request) -> Response:
        await store.delete(collection, key, role_of(request))
        return Response(status_code=204)


def limits(settings: Settings) -> Limits:
    """What the settings say of writes."""
    return Limits(
        fields=settings.fields_limit,
        documents=settings.documents_limit,
        depth=settings.depth_limit,
        key=settings.key_limit,
        widen_rows=settings.widen_rows_limit,
    )


def who(request: Request) -> str | None:
    """Who writes, where that is known better than by the role."""
    return request.headers.get("x-screen", "")[:_LONGEST_NAME] or None


async def _body(request: Request, limit: int) -> Any:
    """The JSON body, refused as soon as it is over `limit` bytes.

    Raises:
        ApplianceError: PGF109 (too long), PGF103 (not JSON).
    """
    too_long = ApplianceError(
        "PGF109", f"The documents are over {limit} bytes.", None, "Send fewer documents per request."
    )
    return read_json(await body_within(request, limit, too_long))
