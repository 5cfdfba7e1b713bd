"""The chain of hashes: what was changed or taken out shows."""

import pytest

from appliance.pgflex.ledger import START, _fault, link

Kept = list[tuple[int, str, str, str]]


def chain(count: int) -> Kept:
    kept, head = [], START
    for number in range(1, count + 1):
        entry = f'{{"n": {number}}}'
        kept.append((number, entry, head, head := link(head, number, entry)))
    return kept


def problem(kept: Kept) -> str | None:
    number, head = 0, START
    for each in kept:
        if found := _fault(number, head, *each):
            return found
        number, head = each[0], each[3]
    return None


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert problem(chain(20)) is None


@pytest.mark.parametrize("at", [0, 7, 18])
def test_an_entry_that_was_changed_shows(at: int) -> None:
    kept = chain(20)
    number, _, prior, digest = kept[at]
    kept[at] = (number, '{"n": "other"}', prior, digest)
    assert problem(kept) == f"Entry {number} was changed."
    kept[at] = (number, '{"n": "other"}', prior, link(prior, number, '{"n": "other"}'))
    assert problem(kept) == f"Entry {number + 1} was changed."


@pytest.mark.parametrize("at", [0, 7, 18])
def test_an_entry_that_was_taken_out_shows(at: int) -> None:
    kept = chain(20)
    gone = kept.pop(at)
    assert problem(kept) == f"Entries {gone[0]} to {gone[0]} are missing."
