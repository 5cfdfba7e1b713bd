"""Sharing: what the walls of a room get of an answer that they may not see as it is.

The plan runs again as a wall, with masked fields in the place of those that walls may not read. Where walls may not
have even that, they are told that there is an answer, and on which screen; neither the question nor any value.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.forms import read_plan
from appliance.llm.lowered import lowered
from appliance.llm.plan import Query
from appliance.services.assistant import Assistant
from appliance.types import Answer, Question, Role

WALL: Final[Role] = "wall"


async def shared(assistant: Assistant, question: Question, found: Answer) -> dict[str, Any]:
    """The value of ``answer.<id>.shared``: the masked answer, or that it is private.

    A question in words may name what walls may not know, so they get the box's reading of it in its place.
    """
    private = private_answer(question.by)
    if found.status != "answered" or not found.plan:
        return private
    plan = read_plan(found.plan)
    if not isinstance(plan, Query):
        return private
    try:
        lower = lowered(plan, await assistant.catalog(question.role), await assistant.catalog(WALL))
        if lower is None:
            return private
        seen = await assistant.again(msgspec.structs.replace(question, role=WALL, text=""), lower)
    except ApplianceError:
        return private
    return _told(seen)


def private_answer(by: str) -> dict[str, Any]:
    """What stands for an answer that walls may not have."""
    where = f"It is on {by}." if by else "It is on the screen that asked."
    return {
        "question": "Private answer",
        "status": "private",
        "stage": "done",
        "sentence": where,
        "view": {"kind": "text"},
    }


def _told(seen: Answer) -> dict[str, Any]:
    view = dict(seen.view)
    source = str((seen.plan or {}).get("collection") or "").replace("_", " ")
    return {
        "question": seen.reading[:1].upper() + seen.reading[1:],
        "status": seen.status,
        "stage": "done",
        "sentence": seen.sentence,
        "rows": list(seen.rows),
        "row_count": len(seen.rows),
        "fields": view.pop("fields", []),
        "view": view,
        "source": source,
        "read_at": seen.read_at,
    }
