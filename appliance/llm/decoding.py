"""Decoding: what the small model may write next, token by token, and the best few things it may have written.

The rules come from the catalog: only labels that are shown, only tests that a field's kind allows, and only values
that stand in the question. They work on the bytes of tokens, so they know nothing of a tokenizer.

    >>> rules = Rules((Column("ward"), Column("floor", "number")), "how many beds in icu", spans=0)
    >>> state = rules.start
    >>> for token in (b"<count>", b"<all>", b"<and>", b" wa", b"rd", b"<eq>", b" icu", b"<e>"):
    ...     state = rules.step(state, token)
    >>> state.phase, rules.step(rules.start, b" beds")
    ('end', None)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from appliance.llm.notation import AGGREGATES, BARE, BUCKETS, COMPARISONS, FORMULAS, Column, Kind, plain

ITEMS_AT_MOST: Final = 4
TESTS_AT_MOST: Final = 6
TRIED: Final = 48
"""Tokens that are tried in each step, the likeliest first, before all of them are."""
_OPERATORS: Final[dict[Kind, frozenset[str]]] = {
    "text": frozenset({"eq", "neq", "like", "null", "some"}),
    "number": frozenset({*COMPARISONS, "null", "some"}),
    "time": frozenset({"when", "gt", "lt", "null", "some"}),
    "flag": frozenset({"yes", "no", "null", "some"}),
}
_LOOSE: Final = frozenset({"eq", "gt", "lt"})


class State(NamedTuple):
    """Where the writing stands.

    Attributes:
        phase: what is being written.
        text: the bytes of the label or value so far.
        place: what a label is for (item, test, group, rank, first, last) or a value (test, having, limit, new).
        aggregate: the aggregate before the label.
        field: the field of the test.
        items, tests: how many there are.
        counted, grouped: whether an aggregate was written, and whether a group.
        intent: query, alert, cancel, summary, add or none.
        held: the fields that are tested by now, and which way; two values, or two limits of one side, would never
            both be meant.
        said: the values by now; words that are one value are not another one too.
    """

    phase: str
    text: bytes = b""
    place: str = ""
    aggregate: str = ""
    field: str = ""
    items: int = 0
    tests: int = 0
    counted: bool = False
    grouped: bool = False
    intent: str = "query"
    held: tuple[tuple[str, str], ...] = ()
    said: tuple[bytes, ...] = ()


class Rules:
    """What may be written about a schema and a question.

    Args:
        columns: the fields that are shown.
        source: the question and whatever else values may be copied from.
        spans: how many spans of time the question names; ``w2`` may also be the one of an earlier question.
        loose: for tables whose kinds of fields are not known: any aggregate and comparison of any field, nothing else.
        earlier: whether an earlier question is shown.
    """

    start: Final = State("start")

    def __init__(
        self, columns: Sequence[Column], source: str, spans: int, loose: bool = False, earlier: bool = False
    ) -> None:
        self._kinds = {b" " + plain(column.label).encode(): column.kind for column in columns}
        said = " " + plain(source)
        self._sources = (said.encode(), re.sub(r"([^\w\s])(?=\w)", r"\1 ", said).encode())
        self._spans = {name for name, there in (("w1", spans > 0), ("w2", spans > 1 or earlier)) if there}
        self._rests: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        self._loose = loose
        self._phases: dict[str, Callable[[State, str], State | None]] = {
            "start": self._start,
            "select": self._select,
            "aggregated": self._aggregated,
            "operator": self._operator,
            "span": self._span,
            "by": self._by,
            "having": self._having,
            "rank": self._rank,
            "sign": self._sign,
            "after": self._after,
            "only end": self._only_end,
        }

    def step(self, state: State, token: bytes) -> State | None:
        """The state after a token, or None where it may not come here."""
        name = token[1:-1].decode() if token[:1] == b"<" and token[-1:] == b">" and len(token) > 2 else ""
        if state.phase == "label":
            return self._in_label(state, token, name)
        if state.phase == "value":
            return self._in_value(state, token, name)
        if name:
            phase = self._phases.get(state.phase)
            return phase(state, name) if phase else None
        return self._text_begins(state, token)

    # Text ------------------------------------------------------------------------------------------------

    def _text_begins(self, state: State, token: bytes) -> State | None:
        places = {"start": "item", "select": "item", "aggregated": "item", "by": "group", "bucket": "group"}
        places |= {"rank": "rank", "test": "test", "formula": "first", "operand": "last"}
        if state.phase in places:
            return self._in_label(state._replace(phase="label", place=places[state.phase], text=b""), token, "")
        if state.phase in ("value begins", "limit", "new"):
            return self._in_value(state._replace(phase="value", text=b""), token, "")
        return None

    def _in_label(self, state: State, token: bytes, name: str) -> State | None:
        if not name:
            text = state.text + token
            fits = any(label.startswith(text) and self._suits(state, label) for label in self._kinds)
            return state._replace(text=text) if fits else None
        if state.text not in self._kinds or not self._suits(state, state.text):
            return None
        field = state.text.decode("utf-8", "replace")
        nexts = {
            "item": "after",
            "test": "operator",
            "group": "after",
            "rank": "after",
            "first": "sign",
            "last": "only end",
        }
        done = state._replace(phase=nexts[state.place], text=b"", field=field)
        if state.place == "group":
            done = done._replace(grouped=True)
        return self.step(done._replace(aggregate=""), b"<" + name.encode() + b">")

    def _suits(self, state: State, label: bytes) -> bool:
        """Whether a field may stand here."""
        kind = self._kinds[label]
        if self._loose:
            return state.place != "test" or all(label.decode("utf-8", "replace") != field for field, _ in state.held)
        if state.place in ("first", "last"):
            return kind == "number"
        if state.place == "item" and state.aggregate in ("sum", "avg"):
            return kind == "number"
        if state.place == "item" and state.aggregate in ("min", "max"):
            return kind in ("number", "time")
        if state.place == "group" and state.aggregate:  # a time bucket
            return kind == "time"
        return True

    def _in_value(self, state: State, token: bytes, name: str) -> State | None:
        if not name:
            text = state.text + token
            return state._replace(text=text) if len(text) <= 80 and self._occurs(text, state) else None
        if not self._whole(state.text, state):
            return None
        if state.place == "test" and name == "or" and not self._loose:
            return _with_said(state)._replace(phase="value begins", text=b"")
        if state.place == "new":
            ended = state._replace(phase="formula", text=b"") if name == "is" else None
            return ended or (state._replace(phase="end") if name == "e" else None)
        return self.step(_with_said(state)._replace(phase="after", text=b""), b"<" + name.encode() + b">")

    def _occurs(self, text: bytes, state: State) -> bool:
        if text[:1] != b" ":
            return False
        if state.place == "limit" and b" 1".startswith(text):
            return True
        if state.place == "test" and b" now".startswith(text) and self._kinds.get(state.field.encode()) == "time":
            return True
        return any(text in source for source in self._left(state))

    def _whole(self, text: bytes, state: State) -> bool:
        """Whether a value ends where a word of the question does."""
        if len(text) < 2:
            return False
        if (state.place == "limit" and text == b" 1") or text == b" now":
            return True
        if state.place == "test" and self._kinds.get(state.field.encode()) == "time":
            return text == b" now"
        return any(_whole_at(text, source) >= 0 for source in self._left(state))

    def _left(self, state: State) -> tuple[bytes, ...]:
        """What a value may be copied from: for a test, without the words that are values of others by now."""
        if state.place != "test" or not state.said:
            return self._sources
        if state.said not in self._rests:
            self._rests[state.said] = tuple(_without(source, state.said) for source in self._sources)
        return self._rests[state.said]

    # Control tokens --------------------------------------------------------------------------------------

    def _start(self, state: State, name: str) -> State | None:
        if not self._loose:
            if name == "none":
                return state._replace(phase="only end", intent="none")
            if name == "add":
                return state._replace(phase="new", place="new", intent="add")
            if name in ("alert", "cancel", "summary"):
                return state._replace(phase="select", intent=name)
        return self._select(state, name)

    def _select(self, state: State, name: str) -> State | None:
        if name == "all" and not self._loose:
            return state._replace(phase="after", items=state.items + 1)
        if name in AGGREGATES:
            return state._replace(phase="aggregated", aggregate=name, counted=True)
        return None

    def _aggregated(self, state: State, name: str) -> State | None:
        if name == "all" and state.aggregate == "count" and not self._loose:
            return state._replace(phase="after", aggregate="", items=state.items + 1)
        return None

    def _after(self, state: State, name: str) -> State | None:
        """After a whole item, test, group, limit: what may come next."""
        if name == "e":
            return state._replace(phase="end")
        if name == "and":
            fits = state.tests < TESTS_AT_MOST and state.place in ("item", "test", "") and not state.grouped
            return state._replace(phase="test", place="test", tests=state.tests + 1) if fits else None
        if self._loose:
            return None
        if name == ",":
            fits = (
                state.tests == 0 and not state.grouped and state.place in ("item", "") and state.items < ITEMS_AT_MOST
            )
            return state._replace(phase="select", items=state.items + 1) if fits else None
        if name == "by":
            return state._replace(phase="by", place="group") if state.place not in ("rank", "limit", "having") else None
        if name == "having":
            fits = (
                state.counted
                and (state.grouped or state.intent == "alert")
                and state.place not in ("rank", "limit", "having")
            )
            return state._replace(phase="having", place="having") if fits else None
        if name in ("top", "low"):
            fits = state.place not in ("rank", "limit") and state.intent == "query"
            return state._replace(phase="rank", place="rank") if fits else None
        if name == "lim" and state.place == "rank":
            return state._replace(phase="limit", place="limit")
        return None

    def _operator(self, state: State, name: str) -> State | None:
        allowed = _LOOSE if self._loose else _OPERATORS[self._kinds[state.field.encode()]]
        if name not in allowed:
            return None
        if name == "when":
            return state._replace(phase="span") if self._spans else None
        if name in BARE:
            return state._replace(phase="after", place="test")
        if way := _WAYS.get(name):
            if (state.field, way) in state.held:
                return None
            state = state._replace(held=(*state.held, (state.field, way)))
        return state._replace(phase="value begins", place="test")

    def _span(self, state: State, name: str) -> State | None:
        return state._replace(phase="after", place="test") if name in self._spans else None

    def _by(self, state: State, name: str) -> State | None:
        return state._replace(phase="bucket", aggregate=name) if name in BUCKETS else None

    def _having(self, state: State, name: str) -> State | None:
        return state._replace(phase="value begins", place="having") if name in COMPARISONS else None

    def _rank(self, state: State, name: str) -> State | None:
        if name == "lim" and state.counted:
            return state._replace(phase="limit", place="limit")
        return state._replace(phase="end") if name == "e" and state.counted else None

    def _sign(self, state: State, name: str) -> State | None:
        return state._replace(phase="operand") if name in FORMULAS else None

    def _only_end(self, state: State, name: str) -> State | None:
        return state._replace(phase="end") if name == "e" else None


_WAYS: Final = {"eq": "equal", "gt": "over", "gte": "over", "lt": "under", "lte": "under"}
"""Tests of which a field bears one of a kind."""


def _with_said(state: State) -> State:
    return state._replace(said=(*state.said, state.text)) if state.place == "test" else state


def _whole_at(text: bytes, source: bytes) -> int:
    """Where a text stands in another and ends where a word does; -1 where it does not."""
    at = source.find(text)
    while at >= 0:
        behind = source[at + len(text) : at + len(text) + 1]
        if not behind or not (behind.isalnum() or behind >= b"\x80") or not text[-1:].isalnum():
            break
        at = source.find(text, at + 1)
    return at


def _without(source: bytes, said: tuple[bytes, ...]) -> bytes:
    """A text without others that stand in it, each once, the longest first."""
    for text in sorted(said, key=len, reverse=True):
        at = _whole_at(text, source)
        source = source if at < 0 else source[:at] + b"\0" + source[at + len(text) :]
    return source


class Written(NamedTuple):
    """Something the model may have written, and the logarithm of how likely it was."""

    text: str
    score: float


class Writer(Protocol):
    """A model in the middle of writing several things side by side."""

    def token(self, number: int) -> bytes:
        """The bytes of a token."""
        ...

    def advance(self, chosen: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
        """Go on with (which of the present ones, next token) and give the logits of each, one row each."""
        ...


class _Beam(NamedTuple):
    score: float
    state: State
    tokens: tuple[int, ...]


def best(
    writer: Writer, first: npt.NDArray[np.float32], rules: Rules, width: int, limit: int, go_on: Callable[[], bool]
) -> list[Written]:
    """The likeliest things to write, best first, at most `width`.

    Args:
        writer: the model, after the prompt.
        first: the logits of the first token.
        rules: what may be written.
        width: how many are followed side by side.
        limit: tokens at most.
        go_on: asked before each step; False ends the writing with what is whole by then.
    """
    beams, logits = [_Beam(0.0, rules.start, ())], first[None, :]
    whole: list[_Beam] = []
    for _ in range(limit):
        grown = sorted(_grown(writer, beams, logits, rules, width), key=lambda found: -found[1].score)
        kept: list[tuple[int, _Beam]] = []
        for parent, beam in grown:
            if beam.state.phase == "end":
                whole.append(beam)
            elif len(kept) < width:
                kept.append((parent, beam))
        whole.sort(key=lambda beam: -beam.score)
        enough = len(whole) >= width and (not kept or whole[width - 1].score >= kept[0][1].score)
        if not kept or enough or not go_on():
            break
        logits = writer.advance([(parent, beam.tokens[-1]) for parent, beam in kept])
        beams = [beam for _, beam in kept]
    return [
        Written(b"".join(map(writer.token, beam.tokens)).decode("utf-8", "replace"), beam.score)
        for beam in whole[:width]
    ]


def _grown(
    writer: Writer, beams: list[_Beam], logits: npt.NDArray[np.float32], rules: Rules, width: int
) -> list[tuple[int, _Beam]]:
    """Each beam with its likeliest next tokens."""
    found = []
    for place, beam in enumerate(beams):
        row = logits[place]
        top = float(row.max())
        total = top + float(np.log(np.exp(row - top).sum()))
        tried = np.argpartition(row, -TRIED)[-TRIED:]
        fits = _fitting(writer, beam, row, tried, rules, width) or _fitting(
            writer, beam, row, np.arange(len(row)), rules, width
        )
        found += [
            (place, _Beam(beam.score + float(row[token]) - total, state, (*beam.tokens, token)))
            for token, state in fits
        ]
    return found


def _fitting(
    writer: Writer, beam: _Beam, row: npt.NDArray[np.float32], tried: npt.NDArray[np.intp], rules: Rules, width: int
) -> list[tuple[int, State]]:
    """The likeliest of these tokens that the rules allow."""
    fits: list[tuple[int, State]] = []
    for token in tried[np.argsort(-row[tried])].tolist():
        state = rules.step(beam.state, writer.token(token))
        if state is not None:
            fits.append((token, state))
            if len(fits) == width:
                break
    return fits
