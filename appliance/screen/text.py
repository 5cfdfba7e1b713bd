"""A screen for a terminal: the facility, the clock, how fresh it is, the newest answer, the earlier ones.

In a terminal it redraws in place; where the output goes to a file or a pipe it writes a line for each answer
that is new or has changed. What the box sends is shown as text only: control characters never reach the terminal.

    await run_text(agent)              # until cancelled
    await run_text(agent, once=True)   # what the box shows now

A screen that keeps collections shows these below, each with its age.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, TextIO

import segno
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from appliance.errors import ApplianceError
from appliance.screen.agent import Agent
from appliance.screen.answers import Row, ShownAnswer, ago, alerts, answers, faults, say
from appliance.screen.digits import large
from appliance.screen.finder import no_box
from appliance.screen.shelf import Item, Kept, Shelf

ROWS: Final = 12
COLUMNS: Final = 8
EARLIER: Final = 8
ALERTS: Final = 4
BAR_WIDTH: Final = 24
REDRAW_S: Final = 1.0
GATHER_S: Final = 0.05
_STATUS_STYLES: Final = {
    "answered": "bold",
    "clarify": "yellow",
    "confirm": "yellow",
    "refused": "yellow",
    "failed": "red",
}


async def run_text(
    agent: Agent,
    *,
    shelf: Shelf | None = None,
    once: bool = False,
    timeout_s: float = 10.0,
    out: TextIO | None = None,
) -> int:
    """Show what the agent holds while it runs.

    Args:
        agent: the agent; this runs it.
        shelf: the collections the screen keeps; this follows them.
        once: print the current state and return; 0 when the box is live, 1 when what is printed is old.
        timeout_s: how long `once` waits for the box.
        out: where to write; standard output when not given.

    Raises:
        ApplianceError: the box sends this screen away; with `once`, nothing to show (SCR500 and so on).
    """
    console = Console(file=out or sys.stdout, highlight=False)
    running = asyncio.create_task(_run(agent, shelf))
    showing = asyncio.create_task(_once(agent, shelf, console, timeout_s) if once else _show(agent, shelf, console))
    try:
        await asyncio.wait({running, showing}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        return showing.result()
    finally:
        for task in (showing, running):
            task.cancel()
        await asyncio.gather(showing, running, return_exceptions=True)


async def _run(agent: Agent, shelf: Shelf | None) -> None:
    following = asyncio.create_task(shelf.run()) if shelf else None
    try:
        await agent.run()
    finally:
        if following:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _once(agent: Agent, shelf: Shelf | None, console: Console, timeout_s: float) -> int:
    try:
        async with asyncio.timeout(timeout_s):
            await agent.live.wait()
            if shelf:
                await shelf.settled()
    except TimeoutError:
        if agent.age_s() is None and not (shelf and shelf.holds):
            raise agent.problem or (_not_yet(agent) if agent.code else no_box()) from None
    console.print(draw(agent, shelf))
    return 0 if agent.live.is_set() and (shelf is None or shelf.live) else 1


def _not_yet(agent: Agent) -> ApplianceError:
    return ApplianceError(
        "SCR506", "This screen was not let in yet.", None, f"On the box: appliance admin approve {agent.code}"
    )


async def _show(agent: Agent, shelf: Shelf | None, console: Console) -> int:
    await (_redraw if console.is_terminal else _write_lines)(agent, shelf, console)
    return 0


async def _redraw(agent: Agent, shelf: Shelf | None, console: Console) -> None:
    with Live(draw(agent, shelf), console=console, screen=True, auto_refresh=False) as live:
        async for _ in _changes(agent, shelf):
            live.update(draw(agent, shelf), refresh=True)


async def _write_lines(agent: Agent, shelf: Shelf | None, console: Console) -> None:
    told: dict[str, str] = {}
    warned: list[str] = []
    state = ""
    async for _ in _changes(agent, shelf):
        for item in shelf.items if shelf else ():
            line = _item_line(item, with_age=False)
            if told.get(f"shelf {item.name}") != line:
                told[f"shelf {item.name}"] = line
                _print_line(console, line)
        if state != (state := _state(agent, with_age=False)):
            _print_line(console, state)
        active = [f"▲ {message}{' (seen)' if seen else ''}" for message, seen in alerts(agent.signals)]
        for line in active:
            if line not in warned:
                _print_line(console, line)
        warned = active
        for answer in reversed(answers(agent.signals)):
            line = line_of(answer)
            if answer.status and told.get(answer.id) != line:
                told[answer.id] = line
                _print_line(console, line)


def _print_line(console: Console, line: str) -> None:
    console.print(Text(f"{time.strftime('%H:%M:%S')} {clean(line)}"), soft_wrap=True)


async def _changes(agent: Agent, shelf: Shelf | None) -> AsyncIterator[None]:
    """Once at the start, after every change (many at once count as one), and every second for the clock."""
    changed = asyncio.Event()
    told = [agent.listeners, *([shelf.listeners] if shelf else [])]
    for listeners in told:
        listeners.append(changed.set)
    try:
        while True:
            yield
            try:
                await asyncio.wait_for(changed.wait(), REDRAW_S)
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                pass
            changed.clear()
    finally:
        for listeners in told:
            listeners.remove(changed.set)


def draw(agent: Agent, shelf: Shelf | None = None) -> RenderableType:
    """The whole screen."""
    return Group(*_parts(agent), *(_shelf(shelf) if shelf else ()))


def clean(text: str) -> str:
    """The text without control characters, so that data cannot steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _parts(agent: Agent) -> Iterator[RenderableType]:
    yield _head(agent)
    for fault in faults(agent.signals):
        yield Text(f" ! {clean(fault)}", style="yellow")
    if agent.problem is not None:
        yield Text(f" {clean(agent.problem.line())}", style="yellow")
    yield from _alerts(agent.signals)
    yield Rule(style="dim")
    if agent.state == "waiting":
        yield from _code(agent)
        return
    yield from _answers(agent.signals)


def draw_past(signals: Mapping[str, Any], at: str) -> RenderableType:
    """A past state of a stream; `at` says of when."""
    name = str(signals.get("box.facility") or signals.get("box.name") or "DreamStack")
    return Group(*_past(signals, name, at))


def _past(signals: Mapping[str, Any], name: str, at: str) -> Iterator[RenderableType]:
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(ratio=1, no_wrap=True)
    head.add_column(justify="right", no_wrap=True)
    head.add_row(Text(f" {clean(name)}", style="bold"), Text(f"◷ {at} ", style="magenta"))
    yield head
    for fault in faults(signals):
        yield Text(f" ! {clean(fault)}", style="yellow")
    yield from _alerts(signals)
    yield Rule(style="dim")
    yield from _answers(signals)


def _alerts(signals: Mapping[str, Any]) -> Iterator[RenderableType]:
    for message, seen in alerts(signals)[:ALERTS]:
        yield Text(f" ▲ {clean(message)}", style="dim" if seen else "bold white on red")


def _answers(signals: Mapping[str, Any]) -> Iterator[RenderableType]:
    shown = answers(signals)
    if not shown:
        yield Text(' No question yet. Ask one: appliance ask "…"', style="dim")
        return
    yield Padding(Group(*_newest(shown[0])), (0, 1))
    if shown[1:]:
        yield Rule("earlier", style="dim", align="left")
        yield from (_earlier(answer) for answer in shown[1 : EARLIER + 1])


def _code(agent: Agent) -> Iterator[RenderableType]:
    """What the admin has to know to let this screen in."""
    yield Text(f"\n  Tell your admin this code, to join {clean(agent.box_name)}:\n")
    yield Text(f"    {clean(agent.code[:3])}-{clean(agent.code[3:])}\n", style="bold green")
    qr = io.StringIO()
    segno.make(agent.code, error="m").terminal(qr, compact=True, border=2)
    yield Text.from_ansi(qr.getvalue())
    yield Text(f"  appliance admin approve {clean(agent.code)}", style="dim")


def _head(agent: Agent) -> Table:
    name = agent.signals.get("box.facility") or agent.signals.get("box.name") or agent.box_name or "DreamStack"
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(ratio=1, no_wrap=True)
    head.add_column(justify="right", no_wrap=True)
    style = "green" if agent.state == "live" else "yellow"
    state = Text.assemble((f"● {_state(agent)}", style), f"  {time.strftime('%H:%M:%S')} ")
    head.add_row(Text(f" {clean(str(name))}", style="bold"), state)
    return head


def _state(agent: Agent, *, with_age: bool = True) -> str:
    age = agent.age_s()
    if agent.state == "waiting":
        return f"waiting to be let in, code {agent.code}"
    if agent.state in ("live", "searching") or age is None or not with_age:
        return {"searching": "looking for the box", "away": "the box is away"}.get(agent.state, agent.state)
    return f"{'the box is away' if agent.state == 'away' else agent.state}, content from {ago(age)}"


def _newest(answer: ShownAnswer) -> Iterator[RenderableType]:
    yield Text(clean(answer.question), style="bold cyan")
    if answer.reading:
        yield Text(clean(answer.reading), style="dim italic")
    yield Text()
    yield from _figure(answer)
    yield Text(clean(answer.told), style=_STATUS_STYLES.get(answer.status, "cyan"))
    if answer.hint:
        yield Text(clean(answer.hint), style="dim")
    for number, choice in enumerate(answer.choices, 1):
        yield Text(f"  {number}. {clean(choice)}")
    yield Text(clean(_facts(answer)), style="dim")


def _figure(answer: ShownAnswer) -> Iterator[RenderableType]:
    """The answer's number, bars (also of a line over time) or table; nothing while there is none."""
    kind = answer.view.get("kind")
    if answer.status != "answered" or kind == "text":
        return
    if kind == "number":
        value = clean(say(answer.view.get("value")))
        yield Text(large(value) or value, style="bold green")
    elif kind in ("bars", "line") and (top := max((_length(answer, row) for row in answer.rows), default=0)) > 0:
        yield _bars(answer, top)
    elif answer.rows:
        yield _table(answer)
    if kind in ("bars", "line", "stacked", "table") and answer.row_count > ROWS:
        yield Text(f"the first {min(ROWS, len(answer.rows))} of {answer.row_count:,} rows", style="dim")


def _table(answer: ShownAnswer) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    columns = answer.columns[:COLUMNS]
    for column in columns:
        right = column.type in ("integer", "numeric")
        table.add_column(
            Text(clean(column.label)), justify="right" if right else "left", overflow="ellipsis", no_wrap=True
        )
    for row in answer.rows[:ROWS]:
        table.add_row(*(Text(clean(say(row.get(column.name)))) for column in columns))
    return table


def _bars(answer: ShownAnswer, top: float) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="ellipsis", no_wrap=True)
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    for row in answer.rows[:ROWS]:
        length = _length(answer, row)
        label, value = (say(row.get(str(answer.view.get(key)))) for key in ("label", "value"))
        table.add_row(
            Text(clean(label)), Text(clean(value)), Text("█" * round(BAR_WIDTH * length / top), style="green")
        )
    return table


def _length(answer: ShownAnswer, row: Row) -> float:
    value = row.get(str(answer.view.get("value")))
    return max(0.0, float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _facts(answer: ShownAnswer) -> str:
    told = [f"read {say(answer.read_at)[-5:]}" if answer.read_at else "", "pinned" if answer.pinned else ""]
    told.append(f"{answer.took_ms:,} ms" if answer.took_ms is not None else "")
    return " · ".join(item for item in told if item)


def _earlier(answer: ShownAnswer) -> Text:
    style = "" if answer.status == "answered" else _STATUS_STYLES.get(answer.status, "dim")
    line = Text(f" {clean(answer.question)}  ", style="dim", no_wrap=True, overflow="ellipsis")
    return line.append(clean(answer.told), style=style or "default")


def line_of(answer: ShownAnswer) -> str:
    """An answer in a line."""
    return f"{answer.question} → {answer.told}"


def _shelf(shelf: Shelf) -> Iterator[RenderableType]:
    """The collections the screen keeps: each with its age, and the first rows."""
    for item in shelf.items:
        yield Rule(style="dim")
        yield Text(f" {clean(_item_line(item))}", style="green" if item.live else "yellow")
        if item.problem is not None:
            yield Text(f" {clean(item.problem.line())}", style="yellow")
        if item.kept is not None and item.kept.rows:
            yield Padding(_item_table(item.kept), (0, 1))


def _item_line(item: Item, *, with_age: bool = True) -> str:
    age = item.age_s()
    if item.kept is None or age is None:
        return f"{item.name}, nothing yet"
    count = len(item.kept.rows)
    told = f"{item.name}, {count:,} {'row' if count == 1 else 'rows'}"
    if item.live:
        return f"{told}, live"
    at = time.localtime(item.kept.at)
    today = at[:3] == time.localtime()[:3]
    told += f", as of {time.strftime('%H:%M' if today else '%Y-%m-%d %H:%M', at)}"
    return f"{told}, {ago(age).removesuffix(' ago')} old" if with_age else told


def _item_table(kept: Kept) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    columns = {name: kind for name, kind in kept.columns.items() if name != "id"}
    shown = list(columns.items())[:COLUMNS]
    for name, kind in shown:
        right = kind in ("int8", "numeric")
        table.add_column(Text(clean(name)), justify="right" if right else "left", overflow="ellipsis", no_wrap=True)
    for row in list(kept.rows.values())[:ROWS]:
        table.add_row(*(Text(clean(_item_value(row.get(name), kind))) for name, kind in shown))
    if len(kept.rows) > ROWS:
        table.caption = f"the first {ROWS} of {len(kept.rows):,} rows"
    return table


def _item_value(value: str | None, kind: str) -> str:
    return say(value in ("true", "t") if kind == "bool" and value is not None else value)
