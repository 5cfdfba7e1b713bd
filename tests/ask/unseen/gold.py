"""Gold rows: the SQL of a question, run by SQLite on the documents of its domain.

A truth is stored as ``'true'`` or ``'false'``, so that it is not taken for a number. Rows have the ``id`` that a
box gives them: their place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import msgspec

from appliance.llm.training.unseen import Asked, Gold
from tests.ask.unseen.some import Documents

_TRUTHS: Final = {"true": True, "false": False}


@contextmanager
def loaded(documents: Documents) -> Iterator[sqlite3.Connection]:
    """A database in memory with a table for each collection."""
    with closing(sqlite3.connect(":memory:")) as database:
        for collection, rows in documents.items():
            _load(database, collection, rows)
        yield database


def _load(database: sqlite3.Connection, collection: str, rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = ", ".join(f'"{name}"' for name in names)
    database.execute(f"create table {collection} (id integer primary key, {columns})")
    marks = ", ".join("?" * len(names))
    values = [[_stored(row.get(name)) for name in names] for row in rows]
    database.executemany(f"insert into {collection} ({columns}) values ({marks})", values)


def _stored(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def filled(database: sqlite3.Connection, asked: Asked) -> Asked:
    """A question with the gold rows of its SQL."""
    gold = asked.gold and with_values(database, asked.gold)
    return msgspec.structs.replace(asked, gold=gold, others=tuple(with_values(database, each) for each in asked.others))


def with_values(database: sqlite3.Connection, gold: Gold) -> Gold:
    """Gold with the rows of its SQL; what a sum or an average leaves of digits is cut."""
    rows = database.execute(gold.sql).fetchall()
    return msgspec.structs.replace(gold, values=[[_shown(value) for value in row] for row in rows])


def _shown(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else _TRUTHS.get(value, value)
