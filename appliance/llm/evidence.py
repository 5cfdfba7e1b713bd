"""Evidence: what is known of a candidate, as numbers by name, which :mod:`appliance.llm.confidence` weighs."""

from __future__ import annotations

import math
import re
from typing import Final

from appliance.llm.amounts import is_plain, stocked, tells_nothing
from appliance.llm.candidates import Candidate
from appliance.llm.deeds import passive
from appliance.llm.fields import label_texts, own_times
from appliance.llm.left_out import left_out, parts_asked, unsaid_of, unused
from appliance.llm.linking import Links
from appliance.llm.lookup import as_number
from appliance.llm.mentions import negation
from appliance.llm.named import counts_things, tie, unnamed
from appliance.llm.notation import Sketch, plain
from appliance.llm.people import holds_people
from appliance.llm.plan import NUMBERS, ROWS_AT_MOST, TIMES, Query, Refuse, Select
from appliance.llm.ranks import asks_row, otherwise
from appliance.llm.variants import (
    adds_up,
    both_ends,
    distinct_of,
    fields_of_dimensions,
    names_things,
    plurals,
    values_of_times,
)
from appliance.llm.views import kinds_of, name_of, named_row, title_of
from appliance.llm.words import (
    ADDED_UP,
    IN_STOCK,
    PRICED,
    SELLING,
    STOP,
    dimensions,
    inside,
    label_words,
    speaks_of,
    stem,
)
from appliance.types import Field

MANY: Final = 4
"""Groups from which it tells nothing that each of them has one row."""
_SAYS: Final = {
    name: re.compile(rf"\b({pattern})\b")
    for name, pattern in {
        "count": r"how many|how often|times|many|count|counted|total|tally|(?<!\w )number|the number|total number",
        "sum": r"total|sum|altogether|in all|how much|overall|together|combined|add(s|ed)? up|how many|"
        + "|".join((*ADDED_UP, *SELLING)),
        "rank": r"\w+(?<!nor)(?<!w)est|most|least|top|last|first|next|max|min|maximum|minimum|bottom|fewest|best|worst|"
        r"latest|recent|soonest|peak|record|sort(ed)?|order(ed)?|by \w+",
        "group": r"by|per|each|every|grouped?|split|break|which|who|most|least|different|kinds?|types?|distinct|sorts?|"
        r"\w+ly|what|shares?|percent\w*|proportion|fraction",
    }.items()
}
"""Words of which a question that asks for a thing has one, nearly always."""
_SUPERLATIVE: Final = re.compile(
    r"\b(most|least|highest|lowest|longest|shortest|largest|smallest|biggest|fewest|oldest|newest|latest|cheapest|heaviest)\b"
)
_GROUPS: Final = re.compile(r"\b(?:per|each|by|(?:most|least) (?:common|popular|frequent|often))\b")
_COMPARES: Final = re.compile(
    r"\b(over|under|above|below|beneath|beyond|past|than|more|less|fewer|least|most|up|upwards?|plus|owe[sd]?|owing|onwards?|down|"
    r"exceed\w*|minimum|maximum|between|from|since|after|before|within|until|limit|reach\w*|(high|low|long|short|old|"
    r"young|large|small|bigg|cheap|great|late|heavi|light|fast|slow)er)\b"
)
"""Words of which a question that holds a number against others has one."""
_ADVICE: Final = re.compile(r"^(why|how to|how (do|should|can|could|would) (you|i|we|one))\b")
"""How a question begins that no data answers."""


def numbers(each: Candidate, among: list[Candidate]) -> dict[str, float]:
    """What tells of a candidate, by name."""
    known: dict[str, float] = {
        "score": max(each.scores.model - _mass(among), -12.0) if each.by_model else 0.0,
        "lead": max(each.scores.lead, -6.0),
        "varied": each.scores.varied,
        "refuse": isinstance(each.plan, Refuse),
    }
    if isinstance(each.plan, Refuse):
        known["refuse_against_code"] = any(other.by_code for other in among)
        known["refuse_unsaid"] = min(3, len(unsaid_of(each)))
        return {name: float(value) for name, value in known.items()}
    known |= {
        "missing": len(each.missing),
        "agrees": each.by_code and each.by_model,
        "code_alone": each.by_code and not each.by_model and not each.links.unwritten,
        "code_exact": each.by_code and not each.by_model and _is_exact(each.links),
        "corrected": any(_far(*pair) for pair in each.corrected),
        "unused": min(3, len(unused(each))),
        **dict(zip(("unsaid", "sensed"), (0, 0) if each.by_code else left_out(each), strict=True)),
        "empty": each.told == "" and not each.by_code and not each.scores.follows,
    }
    if isinstance(each.plan, Query) and not each.scores.follows:
        known |= _against_words(each.plan, each.links)
        if each.by_model:  # a candidate of code alone carries the sketch of another
            known |= _against_amounts(each.sketch, each.links)
            # a word that is said once is no value and the name of a time too: "admitted this week" says when
            known["said_once"] = bool(values_of_times(each.sketch, [word.folded for word in each.links.words]))
        known |= _against_fields(each, each.plan) | unnamed(each.plan, each.links)
        known["rank_otherwise"] = otherwise(each.plan, each.links)
        known["ends_unmet"] = not set(both_ends(each.links.text)) <= {item.aggregate for item in each.plan.select}
        known["advice"] = bool(_ADVICE.search(each.links.text))
        row = named_row(each.plan.where, each.links.collection)  # of a charger's name the charger, not what it did
        known["one_counted"] = _counts_one(each)
        known["asked_unknown"] = _asked_of_nothing(each)
        known["titled"] = not each.links.named and not each.plan.group and row is not None
        known["row_unmet"] = _is_end(each.plan) and asks_row(each.links)
        known["distinct_unmet"] = _distinct_unmet(each.plan, each.links)
        known["tells_nothing"] = _tells_nothing(each.plan, each.links)
        known["amount_otherwise"] = _amount_otherwise(each.plan, each.links)
        known["named_otherwise"] = _named_otherwise(each, among)
        known["time_beyond"] = _time_beyond(each.plan, each.links)
        known["without_unmet"] = not each.plan.related and any(other.links.without for other in among)
        known["never_summed"] = _adds_up_none(each.plan, each.links)
        known["price_summed"] = _sums_price(each.plan, each.links)
        known["rows_grouped"] = bool(each.plan.group) and _asks_rows(each.links)
    return {name: float(value) for name, value in known.items()}


def _counts_one(each: Candidate) -> bool:
    """Whether rows are counted that are called what there are so many of: "how many spark plugs"."""
    plan, collection = each.plan, each.links.collection
    title = title_of(collection)
    if title is None or not isinstance(plan, Query) or plan.select != (Select("*", "count"),) or plan.group:
        return False
    held = counts_things(each.links) and stocked(collection) is not None
    return held and any(test.field == title.name for test in plan.where)


def _asked_of_nothing(each: Candidate) -> bool:
    """Whether what is asked for is not known here: "weather in Graz"."""
    asked = each.links.words
    first = next((at for at, word in enumerate(asked[:-1]) if word.folded not in STOP), None)
    if first is None or asked[first + 1].folded not in ("in", "of", "for", "at"):
        return False
    return asked[first].text in unsaid_of(each)


def _is_exact(links: Links) -> bool:
    """Whether a question says nothing but labels, stored values, times and amounts, and names the rows."""
    sure = all(value.exact for value in links.values) and not any(field.kin for field in links.fields)
    return bool(links.own) and sure and bool(links.values or links.fields)


def _named_otherwise(each: Candidate, among: list[Candidate]) -> bool:
    """Whether a question names rows in full, and these are others."""
    others = (other.links for other in among if other.links.collection.name != each.links.collection.name)
    return not each.links.named and any(
        set(label_words(links.collection.label)) <= {links.words[at].stem for at in links.own} for links in others
    )


def _sums_price(plan: Query, links: Links) -> bool:
    """Whether what a thing costs is asked, and numbers of it are added up: "how much is a japanese maple"."""
    found = PRICED.search(links.text)
    adds = any(select.aggregate for select in plan.select)
    behind = len(links.text[: found.end()].split()) if found else 0
    return found is not None and adds and any(value.at[0] == behind for value in links.values)


def _time_beyond(plan: Query, links: Links) -> bool:
    """Whether rows are of days that a field has none of, and another has: "next week" of *registered on*."""
    times = own_times(links.collection)
    tests = [test for test in plan.where if test.op in ("gte", "gt", "lt", "lte") and isinstance(test.value, str)]

    def reaches(field: Field, name: str) -> bool:
        own = [test for test in tests if test.field == name]
        low, high = str(field.low or "")[:10], str(field.high or "9999")[:10]
        return all(
            str(test.value)[:10] <= high if test.op in ("gte", "gt") else str(test.value)[:10] >= low for test in own
        )

    tested = [field for field in times if any(test.field == field.name for test in tests)]
    ahead = bool(_AHEAD & {word.folded for word in links.words})  # "how much will we earn next year"
    return any(not reaches(f, f.name) and (ahead or any(reaches(other, f.name) for other in times)) for f in tested)


_AHEAD: Final = frozenset({"will", "shall", "expect", "expecting"})


def _adds_up_none(plan: Query, links: Links) -> bool:
    """Whether numbers are added up that make no sense so: the sum of prices of a piece."""
    fields = [links.collection.field(select.field) for select in plan.select if select.aggregate == "sum"]
    said = {mention.field for mention in links.fields if not mention.kin} | set(links.measured)
    summed = [(set(label_words(f.label)), f) for f in fields if f is not None and not adds_up(f.label)]
    pieces = [(label, f) for label, f in summed if stem("total") not in label and not plurals([f.label], links.text)]
    return any(f.name not in said or stem("unit") in label for label, f in pieces)


_GROUPING: Final = re.compile(
    r"\b(per|by|each|every|most|least|fewest|more than|how (?:many|much)|number|\w+est|common|different|top|"
    r"total|average|mean)\b"
)


def _asks_rows(links: Links) -> bool:
    """Whether the rows themselves are asked for: "which plants come from suppliers that are on pause"."""
    begins = len(links.words) > 1 and links.words[0].folded in ("which", "what") and 1 in links.named
    return begins and not _GROUPING.search(links.text)


def _mass(among: list[Candidate]) -> float:
    """The logarithm of how likely the model finds all candidates together; what cannot be run is none of them."""
    scores = [each.scores.model for each in among if each.by_model]
    top = max(scores, default=0.0)
    return top + math.log(sum(math.exp(score - top) for score in scores)) if scores else 0.0


def numbers_of_none(among: list[Candidate]) -> dict[str, float]:
    """What tells that no candidate is right."""
    coded = any(each.by_code for each in among)
    first = among[0].links
    return {
        "none": 1.0,
        "none_mass": -max(_mass(among), -8.0),
        "none_unlinked": float(not first.named and not first.fields and not first.values),
        "none_unexplained": float(0 if coded else min(4, len(first.unexplained()))),
    }


def _against_words(plan: Query, links: Links) -> dict[str, float]:
    """What a plan has and no word asks for, and the other way."""
    timeless = _timeless(links)
    text = _without_own(links)
    says = {name: bool(pattern.search(timeless if name == "rank" else text)) for name, pattern in _SAYS.items()}
    wants = {name: any(select.aggregate == name for select in plan.select) for name in ("count", "sum", "avg")}
    limits = {"min", "max"} & {select.aggregate or "" for select in plan.select}
    wants["count"] |= any(select.aggregate == "distinct" for select in plan.select)
    wants["rank"] = bool(limits) or any(each.field != "id" for each in plan.order)
    wants["group"] = bool(plan.group)
    grouped_count = bool(plan.group) and wants["count"]
    how_many = "how many" in text or "number of" in text
    return {
        "count_unmet": "how many" in text and not (wants["count"] or wants["sum"] or limits),
        "avg_unmet": bool(re.search(r"\b(average|mean|avg)\b", text)) and not wants["avg"],
        "rank_unmet": bool(_SUPERLATIVE.search(text)) and not (wants["rank"] or wants["group"]),
        "count_unasked": wants["count"] and not says["count"] and not grouped_count,
        "sum_unmet": says["sum"] and not how_many and not (wants["sum"] or wants["count"] or wants["avg"]),
        "rank_unasked": wants["rank"] and bool(limits or plan.limit < 50) and not says["rank"],
        "group_unasked": wants["group"] and not says["group"],
        "group_unmet": bool(_GROUPS.search(text)) and not wants["group"],
    }


def _without_own(links: Links) -> str:
    """The words of a question without the "per" of the rows' name, and the "by" of a value: "paid by card"."""
    values = {value.at[0] for value in links.values}
    said = [word.folded for word in links.words]
    begins = {mention.at[0] for mention in links.fields}
    own = {at for at, word in enumerate(said) if word in ("per", "each") and at + 1 in links.own and at > 0}
    own -= {at for at in own if at + 2 in begins}  # "per room type" is by the type of rooms
    own |= {at for at, word in enumerate(said) if word == "by" and (at + 1 in values or passive(links.words, at))}
    kin = {mention.at[0] for mention in links.fields if mention.kin}  # "pay per month", of a *monthly fee*
    own |= {at for at, word in enumerate(said) if word == "per" and at + 1 in kin}
    ranked = next((at for at, word in enumerate(said) if word == "top"), len(said))
    own |= {at for at, word in enumerate(said) if word == "by" and at > ranked}  # "top 3 orders by value"
    own |= {len(said) - 1} if said[-1:] == ["each"] else set()  # "that cost more than 50 each"
    return " ".join(word for at, word in enumerate(said) if at not in own)


def _against_amounts(sketch: Sketch, links: Links) -> dict[str, float]:
    """Numbers that rows are held against ("floor over 3") though no word says so, or the other way round."""
    tests = [(test.op, value) for test in sketch.where for value in test.values[:1]]
    tests += [sketch.having] if sketch.having else []
    held = [(op, number) for op, value in tests if op in _SIGNS and (number := as_number(value)) is not None]
    said = {(_SIGNS[one.op], one.number) for one in links.comparisons if one.op in _SIGNS}
    return {
        "compared_unasked": bool(held)
        and not said
        and not (_COMPARES.search(links.text) or IN_STOCK.search(links.text)),
        "compared_otherwise": any((-_SIGNS[op], number) in said - {(_SIGNS[op], number)} for op, number in held)
        or _measured_otherwise(sketch, links),
    }


def _measured_otherwise(sketch: Sketch, links: Links) -> bool:
    """Whether "older than" or "heavier than" is held against what is neither an age nor a weight."""
    wanted = frozenset[str]().union(*(dimensions(links.words[one.at[0]].folded) for one in links.comparisons))
    if not wanted:
        return False
    numbers = {plain(field.label): field for field in links.collection.fields if field.type in NUMBERS}
    held = [numbers[test.field] for test in sketch.where if test.field in numbers and test.op in _SIGNS]
    named = {mention.field for mention in links.fields}
    return any(not (wanted & set(label_words(f.label)) or f.name in named or is_plain(f)) for f in held)


def _amount_otherwise(plan: Query, links: Links) -> bool:
    """Whether numbers are held against other amounts than are said, in the unit that the field holds."""
    said = {one.number * one.scale for one in links.comparisons}
    held = {test.value for test in plan.where if test.op in _SIGNS and isinstance(test.value, int | float)}
    held |= {have.value for have in plan.having}
    return bool(said) and bool(held - said)


def _is_end(plan: Query) -> bool:
    return not plan.group and any(select.aggregate in ("min", "max") for select in plan.select)


def _distinct_unmet(plan: Query, links: Links) -> bool:
    """Whether rows are shown or counted where only what kinds there are is asked: "how many departments"."""
    texts = kinds_of(links.collection)
    tested = {test.field for test in plan.where}
    label = distinct_of(links.text, [field.label for field in texts])
    if label is not None:
        named = next(field.name for field in texts if field.label == label)
        return named not in tested and not any(select.aggregate == "distinct" for select in plan.select)
    said = {mention.field for mention in links.fields if not mention.kin} - tested
    plural = any(field.name in said and plurals([field.label], links.text) for field in texts)
    return plural and not links.named and not plan.group and _lists(plan)


def _tells_nothing(plan: Query, links: Links) -> bool:
    """Whether a number is held against what every row passes, or none, or rows are counted by what each is called."""
    tested_as_one = {test.field for test in plan.where if test.op == "eq"}
    if tested_as_one & set(plan.group):
        return True
    title = title_of(links.collection)
    if title is not None and plan.group == (title.name,) and title.distinct == title.count >= MANY:
        return any(select.aggregate == "count" for select in plan.select)
    fields = {field.name: field for field in links.collection.fields if field.type in NUMBERS}
    tested = {test.field for test in plan.where} & fields.keys()
    tests = ([test for test in plan.where if test.field == name] for name in tested)
    return any(tells_nothing(fields[held[0].field], *held) for held in tests)


_SIGNS: Final = {"gt": 1, "gte": 1, "lt": -1, "lte": -1}


def _against_fields(each: Candidate, plan: Query) -> dict[str, float]:
    """Fields that a plan uses and no word names, and fields that are named and not used."""
    used = {select.field for select in plan.select if select.aggregate or plan.group}
    used |= {name for test in plan.where for name in (test.field, test.other)} | {order.field for order in plan.order}
    used |= {have.field for have in plan.having}
    used -= {"*", "id", ""}
    shown = {select.field for select in plan.select}
    exact = {mention.field for mention in each.links.fields}
    denied = {mention.field for mention in each.links.fields if negation(each.links.words, mention.at[0])}
    tested_by = [value.at for value in each.links.values if used & set(value.fields)]
    valued_fields = {name for value in each.links.values for name in value.fields} | {
        test.field for test in plan.where if test.op == "eq" and isinstance(test.value, str)
    }
    valued = {at for place in tested_by for at in range(*place)}
    unvalued = {mention.field for mention in each.links.fields if not set(range(*mention.at)) <= valued}
    labels = {field.label: field.name for field in each.links.collection.fields if field.type in NUMBERS}
    measured = {labels[label] for label in fields_of_dimensions(labels, each.links.text)}
    counts = any(select.aggregate == "count" for select in plan.select)
    times = {field.name for field in each.links.collection.fields if field.type in TIMES}
    flags = {field.name for field in each.links.collection.fields if field.type == "boolean"}
    told, tested = exact & times, times & {test.field for test in plan.where}
    asked = used | set(plan.group) | shown & exact
    things = {name for label, name in labels.items() if name in exact and names_things(label, each.links.text)}
    return {
        "time_otherwise": bool(told and tested) and not told & tested,
        "flag_unmet": bool((exact & flags | denied) - used - set(plan.group)),
        "fields_unmet": min(3, len(unvalued - used - shown)),
        "dimension_met": bool(measured & (used if used & {order.field for order in plan.order} else used | shown)),
        "dimension_unmet": bool(measured) and not measured & (used | shown),
        "things_summed": any(select.aggregate == "sum" and select.field in things for select in plan.select),
        "things_counted": counts and bool(things & set(_counted_numbers(each))),
        "count_of_number": counts and bool(_counted_numbers(each)),
        "roundabout": not each.links.named and _is_roundabout(plan, asked - (times - exact)),
        "reached_unnamed": bool({name for name in used | set(plan.group) if "." in name} - exact - valued_fields),
        "group_unnamed": bool(_unnamed_groups(each, plan)),
        "numbers_listed": not plan.group
        and plan.limit >= ROWS_AT_MOST
        and _lists(plan)
        and bool(_plural_numbers(each, plan)),
    }


def _is_roundabout(plan: Query, used: set[str]) -> bool:
    """Whether a plan speaks only of the other rows that a field leads to, or adds up their numbers.

    Those rows tell it themselves, and each of them once.
    """
    paths = {name for name in used if "." in name}
    measures = {select.field for select in plan.select if select.aggregate} | {order.field for order in plan.order}
    return bool(paths) and (bool(measures & paths) or used - paths <= {path.partition(".")[0] for path in paths})


def _unnamed_groups(each: Candidate, plan: Query) -> list[str]:
    """The fields that a plan groups by and no word speaks of: by *manager*, of "who earns the most".

    Where rows are not of one person each, "who" asks for a field that holds people.
    """
    collection, buckets = each.links.collection, {select.field for select in plan.select if select.bucket}
    title = name_of(collection)
    people = title is not None and stem("name") in label_words(title.label)
    if not people and {"who", "whose"} & {word.folded for word in each.links.words}:
        return [name for name in plan.group if not holds_people(collection.label_of(name))]
    said = {mention.field for mention in each.links.fields} | set(each.links.group) | buckets | parts_asked(each)
    said |= {title.name} if title is not None and people else set()
    return [name for name in plan.group if name not in said and not _spoken_of(collection.label_of(name), each.links)]


def _spoken_of(label: str, links: Links) -> bool:
    """Whether a word of a question is of a label, near it in meaning, or speaks of it."""
    texts = set(label_texts(label))
    spoken = frozenset[str]().union(*(speaks_of(word.folded) for word in links.words))
    said = (word.folded for word in links.words if word.folded not in STOP)
    return bool(spoken & set(label_words(label))) or any(tie(word, texts) > 0 for word in said)


def _lists(plan: Query) -> bool:
    return not any(select.aggregate for select in plan.select)


def _plural_numbers(each: Candidate, plan: Query) -> list[str]:
    """The number fields that are asked for in the plural and not tested: "drafting hours of this week"."""
    tested = {test.field for test in plan.where}
    named = {mention.field for mention in each.links.fields} - tested
    labels = [f.label for f in each.links.collection.fields if f.name in named and f.type in NUMBERS]
    return plurals(labels, each.links.text)


def _counted_numbers(each: Candidate) -> list[str]:
    """The number fields that stand where "how many" counts: "how many litres of diesel"."""
    numbers = {field.name for field in each.links.collection.fields if field.type in NUMBERS}
    counted = [cue.at[1] for cue in each.links.cues if cue.phrase == "how many"]
    told = {at for value in each.links.values for at in range(*value.at)}
    return [
        mention.field
        for mention in each.links.fields
        if mention.field in numbers
        and any(set(range(end, mention.at[0])) <= told for end in counted if end <= mention.at[0])
    ]


def _far(said: str, stored: str) -> bool:
    """Whether a correction is more than another ending or the rest of a name."""
    return not set(label_words(said)) <= set(label_words(stored))


def _timeless(links: Links) -> str:
    """The words of a question without its times: "the next 30 days" ranks nothing."""
    timed = set(inside(links.words, [span.at for span in links.spans]))
    return " ".join(word.folded for at, word in enumerate(links.words) if at not in timed)
