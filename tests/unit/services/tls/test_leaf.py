"""The door's certificate: for whom it is good, how long, and when another is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.services.tls.authority import RELEASED, Authority, load_or_create
from appliance.services.tls.leaf import issue, parse
from appliance.services.tls.names import Wanted
from tests.unit.services.tls.made import DAY, WANTED, addresses


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return load_or_create(tmp_path / "keys", "Box", WANTED, DAY)


def test_it_is_good_for_what_was_wanted_and_short_lived(authority: Authority) -> None:
    leaf = issue(authority, WANTED, DAY)
    assert leaf.good_for == WANTED
    assert leaf.lacks(WANTED) == ()
    certificate = leaf.certificate
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=397)
    assert certificate.not_valid_before_utc == DAY - timedelta(days=1), "a device's clock may be a little behind"
    assert not leaf.due(authority, WANTED, DAY)


def test_it_leaves_out_what_the_authority_may_not_vouch_for(authority: Authority) -> None:
    wanted = Wanted(("bank.example", "localhost"), addresses("127.0.0.1", "8.8.8.8"))
    leaf = issue(authority, wanted, DAY)
    assert leaf.good_for == Wanted(("localhost",), addresses("127.0.0.1"))
    assert leaf.lacks(wanted) == ("bank.example", "8.8.8.8")
    assert not leaf.due(authority, wanted, DAY), "it would not get better by being issued anew"


@pytest.mark.parametrize(("days", "due"), [(0, False), (335, False), (336, True), (396, True), (2000, True)])
def test_another_is_due_sixty_days_before_its_end(authority: Authority, days: int, due: bool) -> None:
    assert issue(authority, WANTED, DAY).due(authority, WANTED, DAY + timedelta(days=days)) is due


def test_another_is_due_for_a_new_name_or_address_and_not_when_one_goes(authority: Authority) -> None:
    leaf = issue(authority, WANTED, DAY)
    assert leaf.due(authority, Wanted((*WANTED.names, "new.local"), WANTED.addresses), DAY)
    assert leaf.due(authority, Wanted(WANTED.names, addresses("127.0.0.1", "10.1.1.1")), DAY)
    assert not leaf.due(authority, Wanted(WANTED.names[:1], ()), DAY), "an interface that is down comes back"


def test_another_is_due_when_the_authority_is_another(authority: Authority, tmp_path: Path) -> None:
    other = load_or_create(tmp_path / "other", "Box", WANTED, DAY)
    assert issue(authority, WANTED, DAY).due(other, WANTED, DAY)


def test_another_is_due_when_a_wrong_clock_is_set(tmp_path: Path) -> None:
    for wrong in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)):
        authority = load_or_create(tmp_path / str(wrong.year), "Box", WANTED, wrong)
        leaf = issue(authority, WANTED, wrong)
        assert not leaf.due(authority, WANTED, wrong), "it is not issued again and again"
        right = RELEASED + timedelta(days=500)
        assert leaf.due(authority, WANTED, right)
        anew = issue(authority, WANTED, right)
        assert anew.certificate.not_valid_before_utc < right < anew.certificate.not_valid_after_utc
        assert not anew.due(authority, WANTED, right)


def test_it_does_not_outlive_its_authority(authority: Authority) -> None:
    last = authority.certificate.not_valid_after_utc
    leaf = issue(authority, WANTED, last - timedelta(days=100))
    assert leaf.certificate.not_valid_after_utc == last
    assert not leaf.due(authority, WANTED, last - timedelta(days=1)), "another would end on the same day"


def test_after_the_end_of_the_authority_nothing_breaks(authority: Authority) -> None:
    late = authority.certificate.not_valid_after_utc + timedelta(days=400)
    leaf = issue(authority, WANTED, late)
    assert leaf.certificate.not_valid_before_utc < leaf.certificate.not_valid_after_utc
    assert not leaf.due(authority, WANTED, late), "it is not issued again and again"
    assert not issue(authority, WANTED, DAY).due(authority, WANTED, late), "the clock is wrong: what is good is kept"


def test_what_is_half_written_is_no_certificate(authority: Authority) -> None:
    leaf = issue(authority, WANTED, DAY)
    found = parse(leaf.pem)
    assert found is not None and found.certificate == leaf.certificate
    for broken in (b"", b"x", leaf.pem[:100], leaf.pem[: len(leaf.pem) // 3], issue(authority, WANTED, DAY).pem[:300]):
        assert parse(broken) is None
    key, rest = leaf.pem.split(b"-----END PRIVATE KEY-----\n")
    other = issue(authority, WANTED, DAY).pem.split(b"-----END PRIVATE KEY-----\n")[1]
    assert parse(key + b"-----END PRIVATE KEY-----\n" + other) is None, "a key with the certificate of another"
    assert parse(key + b"-----END PRIVATE KEY-----\n" + rest) is not None
