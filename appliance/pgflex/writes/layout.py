"""What a collection has, and what documents need of it.

    layout = await read_layout(db, "beds", "staff")     # None where there is no such collection
    needed = fit(layout, [{"Bed No": "C-01", "floor": "ground"}])
    needed.added, needed.wider                          # what has to grow before the documents can be written

A layout has a version that changes with everything it tells, so a write that was prepared for one version can see to
it that it happens on that version or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection
from appliance.pgflex.fields import column_name, infer_all, join, meaning, numbered, plain
from appliance.types import FieldType

__all__ = ["EMPTY", "OVERFLOW", "Column", "Layout", "Needed", "fit", "read_layout"]

Document = dict[str, Any]

OVERFLOW: Final = "extra"
"""The column of values that do not fit theirs; it is there only while it holds some."""
EMPTY: Final = "flex_nothing_extra"
"""The constraint that keeps the overflow column empty while it is being dropped."""


class Column(msgspec.Struct, frozen=True):
    """A field as ``flex.fields`` has it."""

    name: str
    label: str
    type: FieldType
    computed: bool = False


class Layout(msgspec.Struct, frozen=True):
    """What a collection has now, as one role meets it.

    Attributes:
        columns: its fields, in the order they were met.
        version: changes with all that is told here.
        audience: the least level that may read the collection.
        wall_fields: what walls read.
        level: whose rights the role starts from; None: there is no such role.
        writes: whether the role may write to it at all.
        readable: the columns the role may read; None: every one.
        masked: whether some role may not read some field.
        taken: every column of the table, also those that are no fields.
        pending: columns that wait to become wider, and what they will hold.
    """

    columns: tuple[Column, ...]
    version: int = 0
    audience: str = "staff"
    wall_fields: tuple[str, ...] = ()
    level: str | None = "staff"
    writes: bool = True
    readable: tuple[str, ...] | None = None
    masked: bool = False
    taken: tuple[str, ...] = ()
    pending: dict[str, FieldType] = {}

    @property
    def overflows(self) -> bool:
        """Whether the table has the column for values that do not fit."""
        return OVERFLOW in self.taken

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns that are being filled to take another's place; no field's name starts so."""
        return tuple(name for name in self.taken if name.startswith("_")) if self.pending else ()

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns that documents are written to."""
        return tuple(column.name for column in self.columns if not column.computed)


class Needed(msgspec.Struct, frozen=True):
    """Where the values of documents go.

    Attributes:
        names: label to column name; a label whose values are all null and that is unknown is not in it.
        types: column name to the type the values are written as.
        added: columns that are not there yet.
        wider: columns whose type has to grow, and what they have to hold.
        spilled: columns some of whose values go to the overflow column.
        converted: columns some of whose values are not written as they stand.
    """

    names: dict[str, str]
    types: dict[str, FieldType]
    added: tuple[Column, ...] = ()
    wider: dict[str, FieldType] = {}
    spilled: frozenset[str] = frozenset()
    converted: frozenset[str] = frozenset()


_layouts: Final = msgspec.json.Decoder(Layout)


async def read_layout(db: Connection, collection: str, role: str) -> Layout | None:
    """What a collection has now; None where there is no such collection."""
    found = await db.execute("select flex.layout(%s, %s)::text", [collection, role])
    row = await found.fetchone()
    return _layouts.decode(row[0]) if row and row[0] else None


def fit(layout: Layout | None, documents: Sequence[Document]) -> Needed:
    """What documents need of a collection.

    Raises:
        ApplianceError: PGF103, a value is given for a field that the box computes; PGF105, a label is none.
    """
    columns = {column.name: column for column in (layout.columns if layout else ())}
    values = _by_label(documents)
    names = _names(layout, columns, documents, values)
    _check_stored(layout, columns, names)
    types: dict[str, FieldType] = {}
    converted: set[str] = set()
    for label, name in names.items():
        held = types.get(name) or (columns[name].type if name in columns else None)
        if held and plain(values[label], held):
            types[name] = held
        elif kind := join(held, infer_all(values[label])):
            types[name] = kind
            converted.add(name)
    first = {name: label for label, name in reversed(names.items())}
    used = {label: name for label, name in names.items() if name in types}
    return _divided(layout, columns, Needed(used, types, converted=frozenset(converted)), first)


def _divided(layout: Layout | None, columns: Mapping[str, Column], needed: Needed, first: Mapping[str, str]) -> Needed:
    """What is new, what has to grow, and what is known to wait for growing: that is written beside its column."""
    pending = layout.pending if layout else {}
    types = needed.types
    grown = {name: kind for name, kind in types.items() if name in columns and columns[name].type != kind}
    spilled = {name for name, kind in grown.items() if name in pending and join(kind, pending[name]) == pending[name]}
    return msgspec.structs.replace(
        needed,
        types={name: columns[name].type if name in spilled else kind for name, kind in types.items()},
        added=tuple(Column(name, first[name], kind) for name, kind in types.items() if name not in columns),
        wider={name: kind for name, kind in grown.items() if name not in spilled},
        spilled=frozenset(spilled),
    )


def _by_label(documents: Sequence[Document]) -> dict[str, list[Any]]:
    """The values of each label, in the order of the labels."""
    values: dict[str, list[Any]] = {}
    for document in documents:
        for label, value in document.items():
            if label in values:
                values[label].append(value)
            else:
                values[label] = [value]
    return values


def _names(
    layout: Layout | None, columns: Mapping[str, Column], documents: Sequence[Document], labels: Collection[str]
) -> dict[str, str]:
    """Where each label goes: its own column, one whose label means the same, or a new one."""
    known = {column.label: column.name for column in columns.values()}
    names = {label: known[label] for label in labels if label in known}
    if len(names) == len(labels):
        return names
    meanings = {meaning(label): name for label, name in known.items()}
    held = set(layout.taken if layout else ())
    taken = {*columns, *held}
    for label in labels:
        if label in names:
            continue
        name = label if label in columns else meanings.get(meaning(label))
        if name is None or _together(name, label, names, documents):
            if label in held and label not in columns and not _is_own(label):
                raise _made_by_the_box(label)
            name = numbered(column_name(label), taken)
        names[label] = name
        taken.add(name)
        meanings.setdefault(meaning(label), name)
    return names


def _is_own(name: str) -> bool:
    """Whether a column is one that every table may have; a label of this name is another field."""
    return name in ("id", OVERFLOW) or name.startswith("_")


def _together(name: str, label: str, names: dict[str, str], documents: Sequence[Document]) -> bool:
    """Whether some document holds `label` beside another label that already goes to the column `name`."""
    rivals = [other for other, taken in names.items() if taken == name]
    return any(label in document and rival in document for rival in rivals for document in documents)


def _check_stored(layout: Layout | None, columns: Mapping[str, Column], names: Mapping[str, str]) -> None:
    for label, name in names.items():
        if name in columns and columns[name].computed:
            raise _made_by_the_box(label)


def _made_by_the_box(label: str) -> ApplianceError:
    return ApplianceError(
        "PGF103",
        f"{label[:200]} is computed from other fields and cannot be written.",
        {"field": label[:200]},
        "Leave this field out of the document.",
    )
