"""The data service's addresses of relations, and the search for them in the background.

GET    /flex/{collection}/relations           relations from and to a collection whose both ends the role may read
PUT    /flex/{collection}/relations/{field}   {"target": "wards", "target_field": "id", "enforce": false} -> it
DELETE /flex/{collection}/relations/{field}   -> 204; it is not found anew by itself
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response

from appliance.pgflex.fields import read_json
from appliance.pgflex.relations.relations import Relations, declared
from appliance.services.internal import Json, role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""
    relations = Relations(service.pool)

    @app.get("/flex/{collection}/relations")
    async def listed(collection: str, request: Request) -> Response:
        return Json(await relations.listed(collection, role_of(request)))

    @app.put("/flex/{collection}/relations/{field:path}")
    async def declare(collection: str, field: str, request: Request) -> Response:
        role = role_of(request)
        told = await relations.declare(collection, field, declared(read_json(await request.body())), role)
        service.discovery.tell()
        return Json(told)

    @app.delete("/flex/{collection}/relations/{field:path}")
    async def remove(collection: str, field: str, request: Request) -> Response:
        await relations.remove(collection, field, role_of(request))
        service.discovery.tell()
        return Response(status_code=204)
