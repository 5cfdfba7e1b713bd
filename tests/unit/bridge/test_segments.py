"""Segments: what is whole is read whatever happened to the file, and nothing but an error of ours is ever raised."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from appliance.bridge.frame import KEYFRAME, Frame, FrameType, encode
from appliance.bridge.segments import MARK, Index, Record, apply_record, began, load_index, mend, pack, unpack, walk
from appliance.bridge.signals import Copy
from appliance.errors import ApplianceError
from tests.unit.bridge.past import T0, at_count, counted


def raw(n: int) -> bytes:
    return encode(Frame(FrameType.SIGNAL_SYNC, b'{"n":%d,"$":{"e":"a","v":%d}}' % (n, n), KEYFRAME))


def records(data: bytes) -> list[Record]:
    return list(walk(io.BytesIO(data)))


def states(data: bytes) -> list[object]:
    """The count after each record that changed something."""
    copy, found = Copy(), []
    for record in records(data):
        if apply_record(copy, record):
            found.append(copy.values["n"])
    return found


def test_records_come_back_as_they_were() -> None:
    data = pack(T0, raw(1)) + pack(T0 + 5, raw(2))
    assert [(record.at, record.raw) for record in records(data)] == [(T0, raw(1)), (T0 + 5, raw(2))]
    assert records(data)[1].offset == records(data)[0].end
    assert records(b"") == []


def test_a_file_cut_anywhere_keeps_every_whole_record(tmp_path: Path) -> None:
    data = counted(tmp_path, 30).read_bytes()
    whole = records(data)
    for length in range(0, len(data), 7):
        assert records(data[:length]) == [record for record in whole if record.end <= length]


def test_damage_costs_no_record_but_those_it_hit(tmp_path: Path) -> None:
    data = counted(tmp_path, 60).read_bytes()
    whole = records(data)
    chance = random.Random(5)
    for _ in range(600):
        places = sorted(chance.randrange(len(data)) for _ in range(chance.choice((1, 1, 1, 3, 20))))
        hurt = bytearray(data)
        for place in places:
            hurt[place] ^= 1 << chance.randrange(8)
        spared = [r for r in whole if not any(r.offset <= place < r.end for place in places)]
        assert records(bytes(hurt)) == spared


def test_what_was_inserted_or_left_out_is_passed_over(tmp_path: Path) -> None:
    data = counted(tmp_path, 40).read_bytes()
    whole = {record.raw for record in records(data)}
    chance = random.Random(6)
    for _ in range(300):
        place = chance.randrange(len(data))
        junk = chance.choice((b"", MARK, MARK * 3, bytes(100), chance.randbytes(chance.randrange(1, 70_000))))
        hurt = data[:place] + junk + data[place + chance.randrange(50) :]
        found = records(hurt)
        assert {record.raw for record in found} <= whole
        assert len(found) >= len(whole) - 3


def test_after_a_lost_diff_the_state_waits_for_the_next_keyframe(tmp_path: Path) -> None:
    data = bytearray(counted(tmp_path, 30, every=10).read_bytes())
    hurt = records(bytes(data))[1 + 13]  # the record of n = 13, behind the one that says what it is
    data[hurt.offset + 25] ^= 0xFF
    assert states(bytes(data)) == [*range(13), *range(20, 30)]


def test_any_bytes_at_all_are_read_without_harm() -> None:
    chance = random.Random(7)
    for _ in range(400):
        made = (chance.randbytes(chance.randrange(80)), MARK, pack(T0, raw(3))[: chance.randrange(70)])
        pieces = chance.choices(made, k=6)
        for record in records(b"".join(pieces)):
            assert record.raw == raw(3)


def test_a_record_that_is_whole_and_makes_no_sense_is_told_as_an_error_of_ours() -> None:
    for payload in (b"[]", b"{", b'{"$":7}', b'{"$":{"v":"x"}}', b"\xff"):
        [record] = records(pack(T0, encode(Frame(FrameType.SIGNAL_SYNC, payload, KEYFRAME))))
        with pytest.raises(ApplianceError):
            apply_record(Copy(), record)


def test_the_index_of_a_finished_segment_is_kept(tmp_path: Path) -> None:
    path = counted(tmp_path, 40, every=10)
    kept = path.with_suffix(".idx").read_bytes()
    index = load_index(path)
    assert (index.first, index.last, index.ended) == (T0, T0 + 4000, True)
    assert [at for at, _ in index.keys] == [T0, T0 + 1000, T0 + 2000, T0 + 3000]
    assert index.meta["role"] == "staff"
    path.with_suffix(".idx").unlink()
    assert load_index(path) == index
    mend(path)
    assert path.with_suffix(".idx").read_bytes() == kept
    assert began(path) == T0


def test_an_index_that_is_wrong_is_made_anew(tmp_path: Path) -> None:
    path, other = counted(tmp_path, 40), counted(tmp_path / "other", 17, every=3)
    right, kept = load_index(path), path.with_suffix(".idx").read_bytes()
    chance = random.Random(8)
    wrong = [kept[:n] for n in range(0, len(kept), 11)]
    for place in range(0, len(kept), 2):
        wrong.append(kept[:place] + bytes([kept[place] ^ (1 << chance.randrange(8))]) + kept[place + 1 :])
    wrong += [other.with_suffix(".idx").read_bytes(), b"", b"\n", chance.randbytes(200)]
    for bad in wrong:
        path.with_suffix(".idx").write_bytes(bad)
        assert load_index(path) == right


def test_what_is_appended_is_added_to_a_known_index(tmp_path: Path) -> None:
    path = counted(tmp_path, 20)
    known = load_index(path)
    with path.open("ab") as file:
        file.write(pack(T0 + 9000, raw(5)) + b"torn")
    index = load_index(path, known)
    assert (index.last, index.keys[-1][0]) == (T0 + 9000, T0 + 9000)
    assert index.covers == path.stat().st_size - 4


def test_a_torn_end_is_cut_and_damage_in_the_middle_is_not(tmp_path: Path) -> None:
    path = counted(tmp_path, 20)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(pack(T0 + 9000, raw(5))[:-1])
    mend(path)
    assert path.stat().st_size == size
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    mend(path)
    assert path.stat().st_size == size


def test_an_empty_file_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "1.seg").touch()
    assert load_index(tmp_path / "1.seg") == Index()
    with pytest.raises(ApplianceError, match="BRG461"):
        load_index(tmp_path / "2.seg")
    assert at_count(8)["x1"] == 8


def test_records_arrive_in_any_pieces(tmp_path: Path) -> None:
    data = counted(tmp_path, 30).read_bytes()
    for size in (1, 7, 100, len(data)):
        pieces = [data[place : place + size] for place in range(0, len(data), size)]
        assert list(unpack(pieces)) == records(data)
    for wrong in (data[:-1], data[:100] + data[101:], b"junk" * 20, data + b"x"):
        with pytest.raises(ApplianceError, match="BRG461"):
            list(unpack([wrong]))
