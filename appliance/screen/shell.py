"""An answer printed for somebody at a shell: the reading, the sentence, the rows; or the whole as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from appliance.screen.answers import say
from appliance.screen.text import clean

ROWS_SHOWN = 40


def print_answer(answer: dict[str, Any], *, as_json: bool, console: Console | None = None) -> None:
    """Print an answer of ``POST /api/ask``.

    Args:
        answer: the answer as the box sent it.
        as_json: print it whole, indented, and nothing else.
        console: where to; standard output when None.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    if as_json:
        console.file.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")
        return
    if answer.get("reading"):
        console.print(Text(clean(str(answer["reading"])), style="dim"))
    console.print(Text(clean(str(answer.get("sentence") or "")), style="bold"))
    hint = (answer.get("error") or {}).get("hint")
    if hint:
        console.print(Text(clean(str(hint)), style="dim"))
    for number, choice in enumerate(answer.get("choices") or (), 1):
        console.print(Text(f"  {number}. {clean(str(choice.get('label')))}"))
    if (answer.get("view") or {}).get("kind") in ("table", "bars", "stacked", "line"):
        console.print(_table(answer))
    if answer.get("rest"):
        console.print(Text(f"{clean(str(answer['rest']))}  ({answer.get('took_ms')} ms)", style="dim"))


def _table(answer: dict[str, Any]) -> Table:
    rows = list(answer.get("rows") or ())
    fields = answer["view"].get("fields") or [{"name": name, "label": name} for name in (rows[0] if rows else ())]
    table = Table(box=None, pad_edge=False, header_style="bold dim")
    for field in fields:
        table.add_column(
            str(field["label"]), justify="right" if field.get("type") in ("integer", "numeric") else "left"
        )
    for row in rows[:ROWS_SHOWN]:
        table.add_row(*(Text(clean(say(row.get(field["name"])))) for field in fields))
    if len(rows) > ROWS_SHOWN:
        table.caption = f"and {len(rows) - ROWS_SHOWN} more rows (--json shows all)"
    return table
