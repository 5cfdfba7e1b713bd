"""Pins: an answer that somebody puts on the walls, of a room or of the whole house, to stay until it is taken off.

A pinned answer is asked anew as a wall: masked fields stand in the place of those that walls may not read, as in
:mod:`~appliance.services.sharing`. What walls may not have even so cannot be pinned.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.forms import read_plan
from appliance.llm.lowered import lowered
from appliance.llm.plan import Query
from appliance.types import Catalog, Question, RoleName

__all__ = ["WALL", "check_may_pin", "check_room", "is_personal", "pinned", "told"]

WALL: Final = "wall"
PINS: Final = 24


def is_personal(question: Question) -> bool:
    """Whether a person pinned it; what a demo pins has no plan of its own."""
    return question.pinned and question.plan is not None


def told(question: Question) -> dict[str, str] | None:
    """The signal ``answer.<id>.pinned``."""
    return {"by": question.by, "room": question.room} if is_personal(question) else None


def check_may_pin(role: RoleName) -> None:
    """Refuse walls: whoever stands before one must not rearrange it.

    Raises:
        ApplianceError: LLM213.
    """
    if role == WALL:
        hint = "Pin it on a tablet, or open the page with the key of staff or the admin."
        raise ApplianceError("LLM213", "A wall does not pin answers.", {"role": role}, hint)


def check_room(room: str, rooms: Mapping[str, str] | None) -> None:
    """Refuse a room that is not there; `rooms` is None where that cannot be told just now.

    Raises:
        ApplianceError: BRG443.
    """
    if room and rooms is not None and room not in rooms:
        raise ApplianceError("BRG443", "There is no such room.", room[:60], "The admin sees the rooms at /admin.")


def pinned(
    question: Question,
    plan: Mapping[str, Any] | None,
    own: Catalog,
    wall: Catalog,
    reading: str,
    room: str,
    by: str,
    there: Iterable[Question],
) -> Question:
    """The question that stands on the walls for an answer.

    Args:
        question: what was asked.
        plan: what it was read as.
        own: what the role that asked may see.
        wall: what walls may see.
        reading: the plan in plain words; it stands for the question where walls get another plan.
        room: the room to pin it in; empty is the whole house.
        by: what people call the screen it is pinned at.
        there: what is pinned already.

    Raises:
        ApplianceError: LLM216, it cannot be pinned.
    """
    held = [each for each in there if is_personal(each)]
    if len(held) >= PINS:
        raise _no("As many answers are pinned as may be.", "Take one off first.", {"pinned": len(held)})
    read = read_plan(plan) if plan else None
    if not isinstance(read, Query):
        raise _no("Only an answer with a number or rows can be pinned.", "Ask for a number or a list.")
    lower = lowered(read, own, wall)
    if lower is None:
        raise _no("Walls may not see this answer.", "The admin decides what walls may read.")
    text = question.text if lower == read else reading[:1].upper() + reading[1:]
    if any((each.text, each.room) == (text, room) for each in held):
        raise _no("This answer is pinned there already.", None)
    id_ = f"p{secrets.token_hex(4)}"
    more = {"plan": msgspec.to_builtins(lower), "pinned": True, "room": room, "by": by, "screen": ""}
    return msgspec.structs.replace(question, id=id_, text=text, role=WALL, **more)


def _no(sentence: str, hint: str | None, details: Any = None) -> ApplianceError:
    return ApplianceError("LLM216", sentence, details, hint)
