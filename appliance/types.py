"""The values that travel between the stages. Stages share these and nothing else.

    row changed -> Change -> Signal -> Frame -> screen
    question -> Question -> Plan (llm/plan.py) -> rows -> Answer -> Signal -> Frame -> screen

All are frozen msgspec structs: build one, hand it on, never change it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

Role = Literal["wall", "staff", "admin"]
"""A database role of the box; also what a screen or a credential acts as."""

ROLES: Final[tuple[Role, ...]] = ("wall", "staff", "admin")
"""Roles from the least to the most trusted: each may see what the ones before it may."""

UTTERANCE_S: Final = 30.0
"""How long somebody may speak to a screen at once; docs/reference/bitstream.md."""

RoleName = str
"""A database role: one of :data:`ROLES`, or one that the facility declared."""

Op = Literal["insert", "update", "delete"]
FieldType = Literal["boolean", "integer", "numeric", "date", "timestamptz", "text", "jsonb"]
Stage = Literal["queued", "reading", "looking", "done"]
Status = Literal["answered", "clarify", "confirm", "refused", "failed"]


def rank(role: Role) -> int:
    """How much a role may see: 0 (wall) to 2 (admin)."""
    return ROLES.index(role)


def audience_of(role: RoleName) -> Role:
    """Which screens may see what was read as `role`: those of the same role; of a declared one, the admin's."""
    return next((known for known in ROLES if known == role), "admin")


class Change(msgspec.Struct, frozen=True):
    """A committed row-level event.

    Attributes:
        position: the place in the feed, ``"<xid>.<seq>"``; opaque to readers, sorted by the feed.
        collection: the collection's name.
        op: insert, update or delete.
        key: the row's ``id``.
        at: commit time, ISO 8601 with offset.
        row: the row as it is now (None for a delete).
        changed: names of the fields whose value is new.
        audience: the least trusted role that may read this row's collection.
    """

    position: str
    collection: str
    op: Op
    key: Any
    at: str
    row: dict[str, Any] | None
    changed: tuple[str, ...]
    audience: Role


class Moved(msgspec.Struct, frozen=True):
    """Changes of one collection, told together: how many (`n`), and the last one's operation and time."""

    collection: str
    op: Op
    at: str
    n: int
    audience: Role


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column of a collection as a role may see it.

    Attributes:
        name: the column's name in the database and in requests.
        label: the name as people wrote it.
        type: its place on the type lattice.
        values: every distinct value where they are few (texts only), else empty.
        examples: a few values where they are many.
        distinct: how many different values there are.
        count: how many rows have a value.
        low, high: the least and the greatest value of numbers and times.
        unit: what its numbers are in, such as ``kg``.
        first_seen: when the field was first written, ISO 8601.
        who: who first wrote it.
        masked: this stands in the place of a field that the role may not read.
        clock: all its texts are times without an offset (``2026-11-25T14:30``), with this between day and hour.
    """

    name: str
    label: str
    type: FieldType
    values: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    distinct: int = 0
    count: int = 0
    low: int | float | str | None = None
    high: int | float | str | None = None
    unit: str = ""
    first_seen: str = ""
    who: str = ""
    masked: bool = False
    clock: str = ""


class Collection(msgspec.Struct, frozen=True):
    """A table of documents as a role may see it; `count` is the number of rows when last counted."""

    name: str
    label: str
    fields: tuple[Field, ...]
    count: int = 0

    def field(self, name: str) -> Field | None:
        """The field of this column name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def label_of(self, name: str) -> str:
        """What the field of this column name is called; the name itself where there is none."""
        field = self.field(name)
        return field.label if field else name


class Relation(msgspec.Struct, frozen=True):
    """A field whose values name rows of another collection, by its field `target_field`."""

    collection: str
    field: str
    target: str
    target_field: str


class Catalog(msgspec.Struct, frozen=True):
    """What a role may see. `version` changes whenever a collection, a field, its values or a relation do."""

    version: str
    collections: tuple[Collection, ...]
    relations: tuple[Relation, ...] = ()

    def collection(self, name: str) -> Collection | None:
        """The collection of this name, or None."""
        return next((item for item in self.collections if item.name == name), None)

    def relation(self, collection: str, field: str) -> Relation | None:
        """Where a field of a collection leads, or None."""
        found = (item for item in self.relations if (item.collection, item.field) == (collection, field))
        return next(found, None)


class Question(msgspec.Struct, frozen=True):
    """A question as it enters the box.

    `plan` is set when the asker chose one of the box's readings; `screen` is the asking screen's id, `by` what people
    call it, `room` the room it is in.
    """

    id: str
    text: str
    role: RoleName
    asked_at: str
    screen: str = ""
    plan: dict[str, Any] | None = None
    pinned: bool = False
    room: str = ""
    by: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What came of a question; the body of ``POST /api/ask`` and the signals ``answer.<id>.*``.

    Attributes:
        status: answered, clarify (the box asks back), confirm (it would do something), refused (it says why) or failed.
        reading: the plan in plain words.
        plan: the plan as JSON, or None.
        rows: what the database returned, at most the row limit of the box.
        sentence: one sentence; its numbers come from `rows`.
        rest: the request that was run, as it can be repeated under ``/rest``.
        choices: readings to choose from, or the one thing to say yes to, each ``{"label": ..., "plan": {...}}``.
        took_ms: question to answer, milliseconds.
        view: how to show it: ``{"kind": "number" | "table" | "bars" | "stacked" | "line" | "text", ...}``.
        error: the one error shape when refused, asked back or failed.
        read_at: when the rows were read, ISO 8601.
        confidence: how sure the box is of its reading, 0 to 1; 1 where the asker chose it.
        corrected: literals as asked and as stored, where they differ.
        alternatives: what an answered question may have meant instead, as `choices`.
        follows: the earlier question that it goes on from, empty where it stands by itself.
    """

    id: str
    question: str
    status: Status
    reading: str = ""
    plan: dict[str, Any] | None = None
    rows: tuple[dict[str, Any], ...] = ()
    sentence: str = ""
    rest: str = ""
    choices: tuple[dict[str, Any], ...] = ()
    took_ms: int = 0
    view: dict[str, Any] = {}
    error: dict[str, Any] | None = None
    read_at: str = ""
    timings: dict[str, float] = {}
    confidence: float = 1.0
    corrected: tuple[tuple[str, str], ...] = ()
    alternatives: tuple[dict[str, Any], ...] = ()
    follows: str = ""


class Signal(msgspec.Struct, frozen=True):
    """A named live value. `value` is plain JSON; None removes it. `audience` is the least role that may see it."""

    name: str
    value: Any
    audience: Role = "wall"
