from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from appliance.bridge.identity import Identity, load_or_create, verify
from appliance.errors import ApplianceError


def test_the_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "iroh.key"
    first = load_or_create(path)
    assert load_or_create(path) == first
    assert path.read_bytes() == first.secret
    assert len(first.secret) == 32
    assert len(first.endpoint_id) == 64
    assert int(first.endpoint_id, 16) > 0


def test_two_keys_are_two_identities(tmp_path: Path) -> None:
    assert load_or_create(tmp_path / "a").endpoint_id != load_or_create(tmp_path / "b").endpoint_id


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    load_or_create(tmp_path / "keys" / "iroh.key")
    assert stat.S_IMODE((tmp_path / "keys" / "iroh.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "iroh.key"
    identity = load_or_create(path)
    path.chmod(0o644)
    assert load_or_create(path) == identity
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_damaged_key_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "iroh.key"
    path.write_bytes(content)
    with pytest.raises(ApplianceError) as told:
        load_or_create(path)
    assert told.value.code == "BRG414"
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ApplianceError) as told:
        load_or_create(tmp_path / "file" / "iroh.key")
    assert told.value.code == "BRG414"


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "iroh.key"
    got: list[Identity] = []
    threads = [threading.Thread(target=lambda: got.append(load_or_create(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({identity.endpoint_id for identity in got}) == 1
    assert len(got) == 8
    assert os.listdir(tmp_path) == ["iroh.key"]


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    identity = load_or_create(tmp_path / "iroh.key")
    assert repr(identity.secret) not in repr(identity)
    assert identity.endpoint_id in repr(identity)


def test_a_signature_holds_for_one_key_message_and_purpose(tmp_path: Path) -> None:
    identity, other = load_or_create(tmp_path / "a"), load_or_create(tmp_path / "b")
    signature = identity.sign("pass", b"seven")
    assert len(signature) == 64
    assert verify(identity.endpoint_id, "pass", b"seven", signature)
    assert not verify(identity.endpoint_id, "pass", b"eight", signature)
    assert not verify(identity.endpoint_id, "frame", b"seven", signature)
    assert not verify(other.endpoint_id, "pass", b"seven", signature)
    assert not verify(identity.endpoint_id, "pass", b"seven", signature[:63] + bytes([signature[63] ^ 1]))


@pytest.mark.parametrize(("endpoint_id", "signature"), [("no key", bytes(64)), ("ff" * 32, bytes(64)), ("", b"")])
def test_what_is_no_key_or_no_signature_verifies_nothing(endpoint_id: str, signature: bytes) -> None:
    assert not verify(endpoint_id, "pass", b"seven", signature)


def test_a_signature_that_is_too_short_verifies_nothing(tmp_path: Path) -> None:
    identity = load_or_create(tmp_path / "a")
    assert not verify(identity.endpoint_id, "pass", b"seven", identity.sign("pass", b"seven")[:40])
