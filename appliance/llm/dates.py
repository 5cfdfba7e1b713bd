"""Dates and spans of time in a question, read by code, never by the model.

>>> day = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
>>> [(span.words, span.start, span.end) for span in spans("who is on shift tomorrow", day)]
[('tomorrow', datetime.date(2026, 11, 24), datetime.date(2026, 11, 25))]
"""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from appliance.llm.clock import DAY, PART_OF_DAY, PARTS_OF_DAY, times_of_day
from appliance.llm.words import NEGATIONS, lower

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_NUMBERS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,
}  # fmt: skip
_DAYS_AT_MOST: Final = 36_500
_FROM: Final = frozenset({"since", "from", "starting", "on or after"})
_UP_TO: Final = frozenset({"until", "till", "by", "up to", "through", "on or before"})
_ON: Final = re.compile(r" on(wards?)?\b")
"""Behind "from next week": without it, those of that week are meant."""
_JOINTS: Final = frozenset({"to", "until", "till", "through", "-", "–"})


class Span(msgspec.Struct, frozen=True):
    """Days from `start` up to, not including, `end`; either may be open.

    Attributes:
        words: as the text says it.
        at: where the words stand, as places in the text.
        part: the part of the day that is meant (morning, afternoon, evening, night), or empty for whole days.
        clock: the minutes of the day that are meant, from and up to, where a time of day is named: "after 2pm".
        apart: where the part of the day or its time stands, if away from the rest: "morning visits tomorrow".
    """

    words: str
    start: date | None
    end: date | None
    at: tuple[int, int]
    part: str = ""
    clock: tuple[int, int] | None = None
    apart: tuple[int, int] | None = None

    @property
    def day(self) -> date | None:
        """The one day that it is, or None."""
        return self.start if self.start and self.end == self.start + timedelta(days=1) else None


def spans(text: str, now: datetime) -> list[Span]:
    """Every span of time the text names, in order, longest reading first where two overlap.

    Args:
        text: the question.
        now: the present, in the facility's timezone; its date is "today". Weeks begin on Monday.
    """
    today, found, (asked, back) = now.date(), list[Span](), _spelled(lower(text))
    impossible: list[tuple[int, int]] = []
    for pattern, meaning in _PATTERNS:
        for match in pattern.finditer(asked):
            start, end = match.span()
            if any(start < last and first < end for first, last in [*(other.at for other in found), *impossible]):
                continue
            days = _days(match, meaning, today)
            if days is None:
                impossible.append((start, end))  # "30 February" is not all of February
            else:
                found.append(Span(match.group(), *days, (start, end), _part(match)))
    joined = _in_hours(_joined(sorted(found, key=lambda span: span.at), asked), asked, today)
    return [_put_back(span, back) for span in joined]


_TIME_WORDS: Final = (*_WEEKDAYS, *(name for name in _MONTHS if len(name) > 4), "tomorrow", "yesterday")
_ALIKE: Final = 0.84
Back = list[tuple[int, int]]
"""Where each character of a text that was spelled right stood, first and past it."""


def _spelled(text: str) -> tuple[str, Back | None]:
    """A text with its slips in the names of days and months put right, and the way back."""
    parts, back, at = [], Back(), 0
    for word in re.finditer(r"[a-z]{6,}", text):
        meant = _meant(word.group())
        if meant is None:
            continue
        back += [(place, place + 1) for place in range(at, word.start())] + [word.span()] * len(meant)
        parts += [text[at : word.start()], meant]
        at = word.end()
    if not parts:
        return text, None
    back += [(place, place + 1) for place in range(at, len(text))]
    return "".join([*parts, text[at:]]), back


def _meant(said: str) -> str | None:
    if said in _TIME_WORDS or any(said.startswith(name) or name.startswith(said) for name in _TIME_WORDS):
        return None
    alike = [name for name in _TIME_WORDS if name[0] == said[0] and abs(len(name) - len(said)) < 3]
    return next(iter(difflib.get_close_matches(said, alike, 1, _ALIKE)), None)


def _put_back(span: Span, back: Back | None) -> Span:
    def place(at: tuple[int, int] | None) -> tuple[int, int] | None:
        return (back[at[0]][0], back[at[1] - 1][1]) if at and back else at

    at = place(span.at)
    assert at is not None
    return msgspec.structs.replace(span, at=at, apart=place(span.apart)) if back else span


def _in_hours(found: list[Span], asked: str, today: date) -> list[Span]:
    """The spans, the one of a single day with the hours that are said elsewhere."""

    def free(at: tuple[int, int]) -> bool:
        return not any(span.at[0] < at[1] and at[0] < span.at[1] for span in found)

    def on_the_day(**hours: Any) -> list[Span]:
        return [msgspec.structs.replace(span, **hours) if span is day else span for span in found]

    day = next((span for span in found if span.day and not span.part), None)
    for at, minutes in times_of_day(asked):
        if free(at):
            alone = Span(asked[slice(*at)], *_one(today), at, "", minutes)
            return on_the_day(clock=minutes, apart=at) if day else found or [alone]
    part = PART_OF_DAY.search(asked)
    return on_the_day(part=part["part"], apart=part.span()) if day and part and free(part.span()) else found


def hours_of(span: Span, now: datetime) -> tuple[str, str] | None:
    """The moments at which the part of a day that a span means begins and ends, in ISO 8601; None for whole days."""
    start = span.day
    if start is None or not (span.part or span.clock):
        return None
    first, last = span.clock or tuple(60 * hour for hour in PARTS_OF_DAY[span.part])

    def at(minute: int) -> str:
        midnight = datetime.combine(start + timedelta(days=minute // DAY), time.min, now.tzinfo)
        return midnight.replace(hour=minute % DAY // 60, minute=minute % 60).isoformat()

    return at(first), at(last)


def _part(match: re.Match[str]) -> str:
    said = match.groupdict()
    return said.get("part") or said.get("part2") or ""


Days = tuple[date | None, date | None]
Meaning = Callable[[re.Match[str], date], Days | None]


def _days(match: re.Match[str], meaning: Meaning, today: date) -> Days | None:
    """The days a match means, or None where the calendar knows no such days."""
    try:
        days = meaning(match, today)
    except (ValueError, OverflowError):
        return None
    said = match.groupdict()
    within = said.get("side") == "from" and said.get("unit") and not _ON.match(match.string, match.end())
    return _around(None if within else said.get("side"), *days) if days else None


def _around(side: str | None, start: date | None, end: date | None) -> Days:
    """Days with the word before them: "since", "after", "before", "by"."""
    if side in _FROM:
        return start, None
    if side == "after":
        return end, None
    if side == "before":
        return None, start
    return (None, end) if side in _UP_TO else (start, end)


def _joined(found: list[Span], asked: str) -> list[Span]:
    """Spans with those joined that are one: "from monday to friday"."""
    joined: list[Span] = []
    for span in found:
        both = _join(joined[-1], span, asked) if joined else None
        if both is None:
            joined.append(span)
        else:
            joined[-1] = both
    return joined


def _join(first: Span, last: Span, asked: str) -> Span | None:
    between = asked[: first.at[0]].endswith("between ")
    gap = asked[first.at[1] : last.at[0]].strip()
    ends = first.end is None and last.start is None
    joint = gap in _JOINTS or (gap == "and" and between)
    if not joint and not (ends and gap in ("", "and", "but")):
        return None
    start, end = first.start, last.end
    if start and end and end <= start and last.words in _WEEKDAYS:
        end += timedelta(weeks=1)
    if start is None or end is None or end <= start or first.part or last.part:
        return None
    at = first.at[0] - len("between ") * between, last.at[1]
    return Span(asked[at[0] : at[1]], start, end, at)


def _unit(name: str, day: date, shift: int) -> Days:
    """The week, month, quarter or year around a day, `shift` of them later."""
    if name in ("week", "weekend"):
        start = day - timedelta(days=day.weekday()) + timedelta(weeks=shift)
        return (start if name == "week" else start + timedelta(days=5)), start + timedelta(weeks=1)
    months = {"month": 1, "quarter": 3, "year": 12}[name]
    index = (day.year * 12 + day.month - 1) // months + shift
    return _month(index * months), _month((index + 1) * months)


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def _this_or(match: re.Match[str], today: date) -> Days:
    shift = {"last": -1, "previous": -1, "past": -1, "next": 1, "coming": 1}.get(match["which"] or "", 0)
    return _unit(match["unit"], today, shift)


def _end_of(match: re.Match[str], today: date) -> Days:
    return None, _this_or(match, today)[1]


_DAYS_OF: Final = {"day": 1, "week": 7, "month": 30, "year": 365}


def _several(match: re.Match[str], today: date) -> Days | None:
    count = _NUMBERS.get(match["n"]) or int(match["n"])
    days = count * _DAYS_OF[match["unit"]]
    if days > _DAYS_AT_MOST:
        return None
    if match["which"] in ("last", "past", "previous"):
        return today - timedelta(days=days), today + timedelta(days=1)
    return today, today + timedelta(days=days + 1)


def _long(match: re.Match[str], today: date) -> Days | None:
    """Up to some days ago, where something has not been since: "not seen for more than 30 days"."""
    if not NEGATIONS & set(re.findall(r"[\w']+", match.string[: match.start()])):
        return None
    days = (_NUMBERS.get(match["n"]) or int(match["n"])) * _DAYS_OF[match["unit"]]
    return (None, today - timedelta(days=days)) if days <= _DAYS_AT_MOST else None


def _weekday(match: re.Match[str], today: date) -> Days:
    ahead = (_WEEKDAYS.index(match["day"]) - today.weekday()) % 7
    if match["which"] == "last":
        ahead -= 7
    elif match["which"] == "next" and ahead == 0:
        ahead = 7
    return _one(today + timedelta(days=ahead))


def _one(day: date) -> Days:
    return day, day + timedelta(days=1)


def _iso(match: re.Match[str], today: date) -> Days:
    return _one(date.fromisoformat(match["iso"]))


def _named(match: re.Match[str], today: date) -> Days | None:
    month, dom = _month_number(match["month"]), int(match["dom"] or match["dom2"])
    if match["year"]:
        return _one(date(int(match["year"]), month, dom))
    days = [date(year, month, dom) for year in _years(today) if _exists(year, month, dom)]
    return _one(_nearest(days, today, match["side"])) if days else None


def _from_dom(match: re.Match[str], today: date) -> Days | None:
    """From a day to a later one of the same month: "between 1 and 15 June 2026"."""
    days = _named(match, today)
    if days is None or days[0] is None:
        return None
    first = days[0].replace(day=int(match["first"]))
    return (first, days[1]) if first < days[0] else None


def _named_month(match: re.Match[str], today: date) -> Days:
    month = _month_number(match["month"])
    if match["year"]:
        return _unit("month", date(int(match["year"]), month, 1), 0)
    which = {"last": today.year - (month >= today.month), "next": today.year + (month <= today.month)}
    year = (
        which.get(match["which"] or "")
        or _nearest([date(y, month, 1) for y in _years(today)], today, match["side"]).year
    )
    return _unit("month", date(year, month, 1), 0)


def _month_number(name: str) -> int:
    return next(number for number, full in enumerate(_MONTHS, 1) if full.startswith(name[:3]))


def _years(today: date) -> tuple[int, ...]:
    return today.year, today.year - 1, today.year + 1


def _exists(year: int, month: int, dom: int) -> bool:
    return 1 <= dom <= calendar.monthrange(year, month)[1]


def _nearest(days: list[date], today: date, side: str | None) -> date:
    """A day that is said without its year is the nearest one; "since" looks back."""
    past = [day for day in days if day <= today] if side == "since" else []
    return min(past or days, key=lambda day: abs(day - today))


def _year(match: re.Match[str], today: date) -> Days:
    return _unit("year", date(int(match["year"]), 1, 1), 0)


def _day(shift: int) -> Meaning:
    return lambda _, today: _one(today + timedelta(days=shift))


def _p(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{pattern})(?!\w)")


_SIDES: Final = (
    "on or after|on or before|since|from|starting(?! (?:this|current|last|next|coming) )|after|before|until|till|by|"
    "up to|through"
)
_SIDE: Final = rf"(?:(?:(?P<side>{_SIDES})|on|in|during|over|within|for|throughout|of) )?(?:the )?"
_COUNT: Final = r"(?P<n>[0-9]{1,4}|two|three|four|five|six|seven|eight|nine|ten"
_MONTH: Final = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' for m in _MONTHS)}|sept)"
_DOM: Final = r"[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r",?(?: (?P<year>[0-9]{4}))?"
_PART: Final = r"(?:'s)?(?: (?:in the |at )?(?P<part>morning|afternoon|evening|night))?"
_WITHIN: Final = r"(?:(?:in|over|during|within|for) )?"
_UNITS: Final = r"(?P<unit>day|week|month|year)s?"
_UNIT: Final = r"(?P<unit>week|month|quarter|year)"
_WHICH: Final = r"(?P<which>this|current|last|previous|past|next|coming)"
_PATTERNS: Final[tuple[tuple[re.Pattern[str], Meaning], ...]] = (
    (_p(rf"{_SIDE}day after tomorrow{_PART}"), _day(2)),
    (_p(rf"{_SIDE}day before yesterday{_PART}"), _day(-2)),
    (_p(rf"{_WITHIN}(?:the )?(?P<which>last|past|previous|next|coming) {_COUNT}) {_UNITS}"), _several),
    (_p(rf"(?:for|in) (?:more than|over|at least) {_COUNT}) {_UNITS}"), _long),
    (_p(rf"(?:in |within )(?P<which>)(?:the next )?{_COUNT}|a|an|one) {_UNITS}"), _several),
    (_p(rf"(?:before|by|until|till|up to|through) (?:the )?end of (?:the )?(?:{_WHICH} )?{_UNIT}"), _end_of),
    (_p(rf"{_SIDE}{_WHICH} (?P<unit>weekend|week|month|quarter|year)"), _this_or),
    (_p(r"(?:on |at |over )?the (?P<unit>weekend)(?P<which>)"), _this_or),
    (_p(rf"{_SIDE}(?P<iso>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})"), _iso),
    (_p(rf"(?:between|from) (?:the )?(?P<first>{_DOM} (?:and|to|until|till) (?:the )?(?P<dom>{_DOM}(?: of)? {_MONTH}"
        rf"(?P<dom2>){_YEAR}(?P<side>)"), _from_dom),
    (_p(rf"{_SIDE}(?P<dom>{_DOM}(?: of)? {_MONTH}(?P<dom2>){_YEAR}"), _named),
    (_p(rf"{_SIDE}{_MONTH} (?P<dom>)(?P<dom2>{_DOM}{_YEAR}"), _named),
    (_p(rf"{_SIDE}(?:(?P<which>this|last|next|coming) )?(?P<day>{'|'.join(_WEEKDAYS)}){_PART}"), _weekday),
    (_p(rf"{_SIDE}{_MONTH}(?P<which>) (?P<year>[0-9]{{4}})"), _named_month),
    (_p(rf"{_SIDE}(?P<which>last|next|this) {_MONTH}(?P<year>)"), _named_month),
    (_p(rf"(?:(?P<side>{_SIDES})|in|during|for|of) {_MONTH}(?P<which>)(?P<year>)"), _named_month),
    (_p(r"(?:(?P<side>since|from|after|before|until|till)|in|during) (?P<year>(?:19|20)[0-9]{2})"), _year),
    (_p(r"coming up|still to come|yet to come|from now on"), lambda _, today: (today, None)),
    (_p(r"this (?P<part>morning|afternoon|evening)|to(?P<part2>night)"), _day(0)),
    (_p(rf"{_SIDE}today{_PART}"), _day(0)),
    (_p(rf"{_SIDE}tomorrow{_PART}"), _day(1)),
    (_p(rf"{_SIDE}yesterday{_PART}"), _day(-1)),
)  # fmt: skip
