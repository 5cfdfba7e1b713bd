"""The feed without a database: readers that are too slow, and readers that end."""

from datetime import UTC, datetime

from appliance.pgflex.changes import QUEUE_LIMIT, CatalogChanged, _Subscriber
from appliance.pgflex.outbox import Batch, Entry, Place


def batch(first: int, count: int = 500, collection: str = "beds") -> Batch:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    entries = [
        Entry(Place(first + n, 1), at, collection, "insert", "1", '{"id":1}', None, frozenset(), frozenset())
        for n in range(count)
    ]
    return Batch(entries, {collection: "staff"}, {"staff": {collection: None}})


async def test_a_reader_gets_batches_in_order() -> None:
    reader = _Subscriber("staff", None)
    first, second = batch(1), batch(501)
    reader.put(first)
    reader.put(second)
    assert (await reader.next(), await reader.next()) == (first, second)
    assert reader.waiting == 0


async def test_a_batch_without_anything_for_the_reader_is_not_queued() -> None:
    reader = _Subscriber("staff", "patients")
    reader.put(batch(1))
    assert reader.waiting == 0


async def test_a_reader_that_is_too_slow_keeps_only_the_newest_catalog() -> None:
    reader = _Subscriber("staff", None)
    reader.put(CatalogChanged("1"))
    reader.put(CatalogChanged("2"))
    for start in range(0, QUEUE_LIMIT, 500):
        reader.put(batch(start))
    assert reader.behind
    reader.put(batch(9000))
    assert await reader.next() == CatalogChanged("2")
    assert await reader.next() is None
    assert not reader.ended


async def test_a_reader_that_is_told_to_end_gets_what_is_queued_first() -> None:
    reader = _Subscriber("staff", None)
    reader.put(batch(1))
    reader.end()
    assert await reader.next() is not None
    assert await reader.next() is None
    assert reader.ended
