"""An example: a schema, and questions about it with the sketches they mean."""

from __future__ import annotations

import msgspec

from appliance.llm.notation import Column, Mark, Sketch


class Asked(msgspec.Struct, frozen=True):
    """A question with what code knows of it, and what it means."""

    text: str
    marks: tuple[Mark, ...]
    sketch: Sketch
    before: Sketch | None = None
    form: str = ""


class Example(msgspec.Struct, frozen=True):
    """A schema and questions about it."""

    label: str
    columns: tuple[Column, ...]
    asked: tuple[Asked, ...]
