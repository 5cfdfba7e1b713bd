"""Recordings: the state at any past moment, what happened after it, and what is kept of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from appliance.bridge.recordings import DAY_MS, Recordings
from appliance.bridge.segment_writer import SegmentWriter
from appliance.bridge.segments import load_index
from appliance.bridge.signals import Copy, View
from appliance.errors import ApplianceError
from appliance.types import Role
from tests.unit.bridge.past import T0, at_count, counted, step


def recorded(tmp_path: Path, role: Role = "staff", count: int = 100) -> Recordings:
    counted(tmp_path / "main" / role, count, role=role)
    return Recordings(tmp_path)


def test_the_state_at_every_moment_is_the_one_that_was(tmp_path: Path) -> None:
    past = recorded(tmp_path, count=100)
    for n in range(100):
        for late in (0, 50, 99):
            found = past.state_at("main", "staff", T0 + n * 100 + late)
            assert (found.values, found.at, found.known) == (at_count(n), T0 + n * 100, True)


def test_a_moment_nobody_recorded_is_told_as_such(tmp_path: Path) -> None:
    past = recorded(tmp_path)
    with pytest.raises(ApplianceError, match="BRG460"):
        past.state_at("main", "staff", T0 - 1)
    after = past.state_at("main", "staff", T0 + 60_000)
    assert (after.values["n"], after.known) == (99, False)
    for name in ("other", "../main", "main/..", ".", "", "x" * 65, "main/staff"):
        with pytest.raises(ApplianceError, match="BRG460"):
            past.state_at(name, "staff", T0)


def test_a_segment_that_is_being_written_is_known_up_to_now(tmp_path: Path) -> None:
    writer, view = SegmentWriter(tmp_path / "main" / "staff", {"stream": "main", "role": "staff"}, reserve=0), View()
    writer.write([step(view, T0, {"a": 1}, opens=True)])
    past = Recordings(tmp_path, lambda: {writer.path} if writer.path else set())
    assert past.state_at("main", "staff", T0 + 60_000).known
    writer.write([step(view, T0 + 70_000, {"a": 2})])
    assert past.state_at("main", "staff", T0 + 70_000).values == {"a": 2}
    assert past.state_at("main", "staff", T0 + 69_000).values == {"a": 1}
    assert not Recordings(tmp_path).state_at("main", "staff", T0 + 80_000).known
    writer.finish(T0 + 90_000)


def test_a_role_is_shown_its_own_recording_or_a_lower_one_never_a_higher(tmp_path: Path) -> None:
    past = recorded(tmp_path, "staff", count=5)
    assert past.role_for("main", "admin") == "staff"
    assert past.role_for("main", "staff") == "staff"
    with pytest.raises(ApplianceError, match="BRG460"):
        past.state_at("main", "wall", T0)
    recorded(tmp_path, "wall", count=3)
    assert past.state_at("main", "wall", T0 + 99_000).values["n"] == 2
    assert past.state_at("main", "admin", T0 + 99_000).values["n"] == 4
    assert [(r.role, r.segments) for r in past.overview("admin")] == [("staff", 1), ("wall", 1)]
    assert [r.role for r in past.overview("wall")] == ["wall"]
    [wall] = past.overview("wall")
    assert (wall.stream, wall.first, wall.last) == ("main", T0, T0 + 300)


def test_frames_begin_with_the_state_and_go_on_as_recorded(tmp_path: Path) -> None:
    import io

    from appliance.bridge.segments import apply_record, walk

    past = recorded(tmp_path)
    raw = b"".join(past.frames("main", "staff", T0 + 4_250, T0 + 6_000))
    copy, seen = Copy(), []
    for record in walk(io.BytesIO(raw)):
        assert apply_record(copy, record)
        seen.append((record.at - T0, copy.values["n"]))
    assert seen == [(4_250, 42), *((n * 100, n) for n in range(43, 61))]
    assert copy.values == at_count(60)


def test_a_damaged_keyframe_costs_time_not_state(tmp_path: Path) -> None:
    past = recorded(tmp_path)
    [path] = (tmp_path / "main" / "staff").glob("*.seg")
    data = bytearray(path.read_bytes())
    place = load_index(path).keys[5][1]
    data[place + 30] ^= 1
    path.write_bytes(data)
    hurt = Recordings(tmp_path).state_at("main", "staff", T0 + 5_500)
    assert (hurt.values["n"], hurt.known) == (49, False)
    assert past.state_at("main", "staff", T0 + 4_900).values == at_count(49)
    assert past.state_at("main", "staff", T0 + 6_000).values == at_count(60)


def test_a_segment_that_was_only_begun_hides_nothing(tmp_path: Path) -> None:
    recorded(tmp_path, count=10)
    later = T0 + 7_200_000
    empty = tmp_path / "main" / "staff" / f"{later}.seg"
    empty.touch()
    past = Recordings(tmp_path)
    assert past.state_at("main", "staff", later + 5).values == at_count(9)
    past.tidy()
    assert not empty.exists()


def test_whatever_happens_to_the_files_only_errors_of_ours_come_out(tmp_path: Path) -> None:
    recorded(tmp_path, count=40)
    [path] = (tmp_path / "main" / "staff").glob("*.seg")
    whole, chance = path.read_bytes(), random.Random(3)
    for _ in range(150):
        data = bytearray(whole[: chance.randrange(len(whole) + 1)])
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        if chance.random() < 0.3:
            path.with_suffix(".idx").write_bytes(chance.randbytes(60))
        try:
            found = Recordings(tmp_path).state_at("main", "staff", T0 + chance.randrange(5_000))
            assert found.values == at_count(found.values["n"])
        except ApplianceError as error:
            assert error.code == "BRG460"


def test_a_step_across_segments_and_across_a_pause(tmp_path: Path) -> None:
    recorded(tmp_path, count=10)
    writer, view = SegmentWriter(tmp_path / "main" / "staff", {"stream": "main", "role": "staff"}, reserve=0), View()
    later = T0 + 3_600_000
    writer.write([step(view, later, {"n": 500}, opens=True), step(view, later + 100, {"n": 501})])
    writer.finish(later + 200)
    past = Recordings(tmp_path)
    assert past.state_at("main", "staff", later - 1).values == at_count(9)
    assert not past.state_at("main", "staff", later - 1).known
    assert past.state_at("main", "staff", later).values == {"n": 500}
    kinds = [record.type for record in past.after("main", "staff", T0 + 850)]
    assert kinds == [0x31, 0xF0, 0xF0, 0x30, 0x31, 0xF0]


def test_the_oldest_go_first_by_age_and_by_size(tmp_path: Path) -> None:
    folder = tmp_path / "main" / "staff"
    for day in range(5):
        writer, view = SegmentWriter(folder, {"stream": "main", "role": "staff"}, reserve=0), View()
        writer.write([step(view, T0 + day * DAY_MS, {"text": "x" * 400, "n": day}, opens=True)])
        writer.finish(T0 + day * DAY_MS + 1000)
    past = Recordings(tmp_path)
    now = T0 + 4 * DAY_MS + 2000
    assert past.prune(now, 0, 0) == 0
    assert past.prune(now, 4, 0) == 1
    assert len(list(folder.iterdir())) == 4 * 3
    each = past.total() // 4
    assert past.prune(now, 0, each * 2 + 4) == 2
    assert past.state_at("main", "staff", now).values["n"] == 4
    assert past.total() <= each * 2 + 4
    writing = Recordings(tmp_path, lambda: set(folder.glob("*.seg")))
    assert writing.prune(now + 100 * DAY_MS, 1, 1) == 0


def test_what_a_crash_left_is_mended_and_sealed_and_what_is_written_left_alone(tmp_path: Path) -> None:
    path = counted(tmp_path / "main" / "staff", 20)
    for suffix in (".idx", ".b3"):
        path.with_suffix(suffix).unlink()
    data = path.read_bytes()
    path.write_bytes(data + b"\xd5DS\x01torn")
    Recordings(tmp_path, lambda: {path}).tidy()
    assert not path.with_suffix(".b3").exists()
    Recordings(tmp_path).tidy()
    assert path.read_bytes() == data
    assert path.with_suffix(".idx").exists() and path.with_suffix(".b3").exists()
