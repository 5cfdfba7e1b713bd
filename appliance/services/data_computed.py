"""The data service's addresses of fields: what a collection has, and the fields that are computed.

GET    /flex/{collection}/fields           the fields a role may read, with formulas and units
PUT    /flex/{collection}/fields/{label}   {"formula": "capacity - occupied", "wall": false} -> the field, its cost
PUT    /flex/{collection}/fields/{label}   {"type": "integer"} -> the field, stored, without a value in any row
DELETE /flex/{collection}/fields/{label}   -> 204

``?dry_run=true`` checks a PUT and does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request, Response

from appliance.errors import ApplianceError
from appliance.pgflex.fields import read_json
from appliance.pgflex.formulas.computed import Computed, FieldTold
from appliance.services.data_writes import who
from appliance.services.internal import Json, role_of
from appliance.types import FieldType

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
    async def declare(collection: str, label: str, request: Request, dry_run: bool = False) -> Response:
        role, body = role_of(request), read_json(await request.body())
        if isinstance(body, dict) and "type" in body:
            added = await service.store.add_field(collection, label, _type(body), role, who(request), dry_run)
            told = {"field": FieldTold(added.name, added.label, added.type, wall=False)}
        else:
            told = await computed.declare(collection, label, body, role, dry_run)
        service.catalogs.mark(collection)
        return Json(told)

    @app.delete("/flex/{collection}/fields/{label:path}")
    async def remove(collection: str, label: str, request: Request) -> Response:
        await computed.remove(collection, label, role_of(request))
        service.catalogs.mark(collection)
        return Response(status_code=204)


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that adds a stored field."""

    type: FieldType


def _type(body: Any) -> FieldType:
    try:
        return msgspec.convert(body, _Stored).type
    except msgspec.ValidationError as error:
        raise ApplianceError("BRG410", "This does not add a field.", str(error), 'Send {"type": "integer"}.') from None
