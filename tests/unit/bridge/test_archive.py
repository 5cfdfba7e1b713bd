"""The archive: a hash stands for every byte of a segment, and a role gets only what it may have."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from blake3 import blake3

from appliance.bridge.archive import PIECE, Archive, check_hash, hash_of, make_manifest, read_manifest, read_piece
from appliance.errors import ApplianceError
from tests.unit.bridge.past import T0, counted


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
def test_a_manifest_tells_every_piece_of_its_file(length: int) -> None:
    data = random.Random(length).randbytes(length)
    raw = make_manifest(io.BytesIO(data))
    manifest = read_manifest(raw, hash_of(raw))
    pieces = [data[place : place + PIECE] for place in range(0, length, PIECE)]
    assert (manifest.length, len(manifest.pieces)) == (length, len(pieces))
    for number, piece in enumerate(pieces):
        manifest.check(number, piece)
        for wrong in (piece[:-1], piece + b"x", bytes([piece[0] ^ 1]) + piece[1:], b""):
            with pytest.raises(ApplianceError, match="BRG464"):
                manifest.check(number, wrong)
    with pytest.raises(ApplianceError, match="BRG464"):
        manifest.check(len(pieces), b"x")


def test_the_hash_is_the_one_the_documentation_defines() -> None:
    data = b"x" * 300_000
    digests = b"".join(blake3(data[n : n + 131_072]).digest() for n in (0, 131_072, 262_144))
    by_hand = b"dreamstack/archive/1\n" + (300_000).to_bytes(8, "little") + digests
    assert make_manifest(io.BytesIO(data)) == by_hand
    assert hash_of(by_hand) == blake3(by_hand).hexdigest()


def test_a_manifest_that_was_touched_is_none() -> None:
    raw = make_manifest(io.BytesIO(b"x" * 300_000))
    wanted, chance = hash_of(raw), random.Random(1)
    for _ in range(200):
        place = chance.randrange(len(raw))
        hurt = chance.choice((raw[:place], raw + b"x", raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]))
        with pytest.raises(ApplianceError, match="BRG464"):
            read_manifest(hurt, wanted)
    short = raw[:-32]
    with pytest.raises(ApplianceError, match="BRG464"):
        read_manifest(short, hash_of(short))
    with pytest.raises(ApplianceError, match="BRG464"):
        read_manifest(b"other", hash_of(b"other"))


def test_a_hash_as_people_write_it() -> None:
    assert check_hash(f" {'AB' * 32}\n") == "ab" * 32
    for wrong in ("", "ab", "g" * 64, "../" * 21 + "a"):
        with pytest.raises(ApplianceError, match="BRG410"):
            check_hash(wrong)


def test_what_is_finished_is_there_by_its_hash_for_who_may_have_it(tmp_path: Path) -> None:
    wall, staff = counted(tmp_path / "main" / "wall", 10, role="wall"), counted(tmp_path / "main" / "staff", 20)
    archive = Archive([tmp_path])
    items = {item.role: item for item in archive.items("admin")}
    assert items["staff"].told() == {
        "hash": hash_of(staff.with_suffix(".b3").read_bytes()),
        "stream": "main",
        "role": "staff",
        "first": T0,
        "last": T0 + 2_000,
        "size": staff.stat().st_size,
    }
    assert [item.path for item in archive.items("wall")] == [wall]
    assert archive.find(items["staff"].hash, "staff").path == staff
    with pytest.raises(ApplianceError, match="BRG463"):
        archive.find(items["staff"].hash, "wall")
    with pytest.raises(ApplianceError, match="BRG463"):
        archive.find("0" * 64, "admin")
    assert read_piece(staff, 0) == staff.read_bytes()
    staff.unlink()
    assert [item.path for item in Archive([tmp_path]).items("admin")] == [wall]
    with pytest.raises(ApplianceError, match="BRG461"):
        read_piece(staff, 0)


def test_a_segment_that_does_not_say_whose_it_is_is_the_admins(tmp_path: Path) -> None:
    from appliance.bridge.archive import seal

    counted(tmp_path / "x", 5, role="nobody")
    (tmp_path / "junk.seg").write_bytes(b"junk")
    seal(tmp_path / "junk.seg")
    assert {item.role for item in Archive([tmp_path]).items("admin")} == {"admin"}
    assert Archive([tmp_path]).items("staff") == []
