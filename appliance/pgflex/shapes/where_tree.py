"""What a shape's filter says, as a tree, and the SQL that says it; see :mod:`~appliance.pgflex.shapes.where`."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from psycopg import sql

from appliance.pgflex.fields import SQL_TYPES
from appliance.types import FieldType

__all__ = [
    "Among",
    "Cast",
    "Column",
    "Compare",
    "Condition",
    "Joined",
    "Like",
    "Not",
    "Operand",
    "Test",
    "Value",
    "Where",
]


class Column(msgspec.Struct, frozen=True):
    """A column of the collection."""

    name: str
    type: FieldType


class Value(msgspec.Struct, frozen=True):
    """A literal or a parameter; without a type it takes that of what it meets."""

    value: str | int | Decimal | bool
    type: FieldType | None


class Cast(msgspec.Struct, frozen=True):
    """A column read as another type."""

    of: Column
    type: FieldType


Operand = Column | Value | Cast


class Compare(msgspec.Struct, frozen=True):
    """Two operands and what has to hold between them."""

    left: Operand
    op: str
    right: Operand


class Test(msgspec.Struct, frozen=True):
    """``IS NULL`` and its like; `what` is the SQL after the operand."""

    of: Operand
    what: str


class Among(msgspec.Struct, frozen=True):
    """``IN``."""

    of: Operand
    values: tuple[Operand, ...]


class Like(msgspec.Struct, frozen=True):
    """``LIKE`` or ``ILIKE``."""

    of: Operand
    op: str
    pattern: Value


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    of: Condition


class Joined(msgspec.Struct, frozen=True):
    """``AND`` or ``OR`` of two and more."""

    op: str
    parts: tuple[Condition, ...]


Condition = Compare | Test | Among | Like | Not | Joined | Column | Value | Cast
"""A truth value; an operand is one when it is boolean."""


class Where(msgspec.Struct, frozen=True):
    """A condition that has been read.

    Attributes:
        condition: its tree.
        columns: the columns it reads.
    """

    condition: Condition
    columns: frozenset[str]

    def sql(self, table: str) -> sql.Composable:
        """The condition over the row named `table`, as SQL without parameters."""
        return _written(self.condition, sql.SQL("{}.").format(sql.Identifier(table)))

    def text(self) -> str:
        """The condition over bare column names, as text."""
        return _written(self.condition, sql.SQL("")).as_string(None)


def _written(node: Condition, table: sql.Composable) -> sql.Composable:
    if isinstance(node, Joined):
        parts = [_written(part, table) for part in node.parts]
        return sql.SQL("({})").format(sql.SQL(f" {node.op} ").join(parts))
    if isinstance(node, Not):
        return sql.SQL("(NOT {})").format(_written(node.of, table))
    if isinstance(node, Compare):
        left, right = _written(node.left, table), _written(node.right, table)
        return sql.SQL("({} {} {})").format(left, sql.SQL(node.op), right)
    if isinstance(node, Test):
        return sql.SQL("({} {})").format(_written(node.of, table), sql.SQL(node.what))
    if isinstance(node, Among):
        values = sql.SQL(", ").join([_written(value, table) for value in node.values])
        return sql.SQL("({} IN ({}))").format(_written(node.of, table), values)
    if isinstance(node, Like):
        of, pattern = _written(node.of, table), _written(node.pattern, table)
        return sql.SQL("({} {} {})").format(of, sql.SQL(node.op), pattern)
    return _operand(node, table)


def _operand(node: Operand, table: sql.Composable) -> sql.Composable:
    if isinstance(node, Column):
        return table + sql.Identifier(node.name) if isinstance(table, sql.Composed) else sql.Identifier(node.name)
    if isinstance(node, Cast):
        return sql.SQL("({}::{})").format(_operand(node.of, table), sql.SQL(SQL_TYPES[node.type]))
    if isinstance(node.value, str) and node.type not in (None, "text"):
        return sql.SQL("{}::{}").format(sql.Literal(node.value), sql.SQL(SQL_TYPES[node.type]))
    return sql.Literal(node.value)
