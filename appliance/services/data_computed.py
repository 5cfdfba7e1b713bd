"""The data service's addresses of fields: what a collection has, and the fields that are computed.

GET    /flex/{collection}/fields           the fields a role may read, with formulas and units
PUT    /flex/{collection}/fields/{label}   {"formula": "capacity - occupied", "wall": false} -> the field, its cost
DELETE /flex/{collection}/fields/{label}   -> 204
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response

from appliance.pgflex.fields import read_json
from appliance.pgflex.formulas.computed import Computed
from appliance.services.internal import Json, role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""
    computed = Computed(service.pool, service.settings.fields_limit)

    @app.get("/flex/{collection}/fields")
    async def fields(collection: str, request: Request) -> Response:
        return Json(await computed.fields(collection, role_of(request)))

    @app.put("/flex/{collection}/fields/{label:path}")
    async def declare(collection: str, label: str, request: Request) -> Response:
        role = role_of(request)
        told = await computed.declare(collection, label, read_json(await request.body()), role)
        service.catalogs.mark(collection)
        return Json(told)

    @app.delete("/flex/{collection}/fields/{label:path}")
    async def remove(collection: str, label: str, request: Request) -> Response:
        await computed.remove(collection, label, role_of(request))
        service.catalogs.mark(collection)
        return Response(status_code=204)
