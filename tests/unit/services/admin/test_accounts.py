"""Accounts: who may sign in, and what keeps the last admin from being locked out."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from argon2 import PasswordHasher

from appliance.errors import ApplianceError
from appliance.services.admin.accounts import Accounts
from appliance.services.admin.passwords import NOBODY, check_password

WORDS = "four words that rhyme"


@pytest.fixture
async def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "keys" / "accounts.json")
    await made.add("Maria", "admin", WORDS)
    return made


async def test_a_password_is_kept_as_a_hash_in_a_private_file(accounts: Accounts) -> None:
    file = accounts._path
    assert file.stat().st_mode & 0o077 == 0
    assert "$argon2id$" in file.read_text()
    assert WORDS not in file.read_text()
    again = Accounts(file)
    await asyncio.to_thread(again.load)
    assert await again.prove("maria", WORDS)


async def test_only_the_right_password_opens(accounts: Accounts) -> None:
    assert await accounts.prove("MARIA", WORDS)
    assert await accounts.prove("maria", WORDS + " ") is None
    assert await accounts.prove("maria", "") is None
    assert await accounts.prove("nobody", WORDS) is None


async def test_who_signs_in_undoes_no_change_of_that_moment(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, fits = asyncio.Event(), accounts._passwords.fits

    async def told(kept: str | None, password: str) -> bool:
        found = await fits(kept, password)
        fitted.set()
        return found

    monkeypatch.setattr(accounts._passwords, "fits", told)
    async with accounts._changing:
        proving = asyncio.create_task(accounts.prove("maria", WORDS))
        await fitted.wait()
        await asyncio.sleep(0.01)
        changed = msgspec.structs.replace(accounts.get("maria"), hash="another", role="staff")
        await accounts._put(changed)
    assert await proving is None
    assert accounts.get("maria") == changed


def test_an_unknown_name_is_looked_at_with_the_same_effort() -> None:
    assert not PasswordHasher().check_needs_rehash(NOBODY)


async def test_the_last_admin_stays(accounts: Accounts) -> None:
    for act in (accounts.remove("maria"), accounts.change("maria", "staff", None)):
        with pytest.raises(ApplianceError) as caught:
            await act
        assert caught.value.code == "BRG485"
    await accounts.add("jonas", "admin", WORDS)
    await accounts.remove("maria")
    assert [account.name for account in accounts.all()] == ["jonas"]


async def test_a_name_is_there_once(accounts: Accounts) -> None:
    with pytest.raises(ApplianceError) as caught:
        await accounts.add("  maria ", "staff", WORDS)
    assert caught.value.code == "BRG485"


NOBODYS = ["admin key", "Staff  Key", "this machine", "token 1a2b3c4d", "unknown name", "s1a2b3c4d"]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "<b>", "x" * 65, "../etc", *NOBODYS])
async def test_some_names_cannot_be(accounts: Accounts, name: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        await accounts.add(name, "staff", WORDS)
    assert caught.value.code == "BRG483"


@pytest.mark.parametrize("password", ["", "short", "a" * 20, "maria maria", "x" * 201, "words with \0 in it"])
def test_some_passwords_cannot_be(password: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        check_password(password, "Maria Maria")
    assert caught.value.code == "BRG483"
    assert not password or password not in str(caught.value.shape())


def test_a_file_that_cannot_be_read_is_no_empty_list(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text("{")
    with pytest.raises(ApplianceError) as caught:
        Accounts(file).load()
    assert caught.value.code == "BRG414"
