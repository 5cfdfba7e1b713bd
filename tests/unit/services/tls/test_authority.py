"""The box's authority: made once, never replaced by itself, limited to the building, whatever the clock says."""

from __future__ import annotations

import ipaddress
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import ApplianceError
from appliance.services.tls.authority import RELEASED, fingerprint, load_or_create
from appliance.services.tls.leaf import issue
from appliance.services.tls.names import Wanted
from tests.box import ROOT
from tests.unit.services.tls.made import DAY, WANTED, addresses

MAKE = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from appliance.services.tls.authority import load_or_create
from appliance.services.tls.names import Wanted
sys.stdin.read(1)
print(load_or_create(Path(sys.argv[1]), "Box", Wanted(("localhost",), ()), datetime.now(UTC)).fingerprint)
"""


def test_it_is_made_once_and_found_again(tmp_path: Path) -> None:
    made = load_or_create(tmp_path / "keys", "Ward 4", WANTED, DAY)
    again = load_or_create(tmp_path / "keys", "Another name", WANTED, DAY + timedelta(days=900))
    assert again.certificate == made.certificate
    assert again.key.private_numbers() == made.key.private_numbers()
    assert isinstance(made.key.curve, ec.SECP256R1)
    assert made.certificate.not_valid_after_utc - DAY == timedelta(days=3652)
    assert re.fullmatch(r"Ward 4 local CA [0-9A-F]{4}", made.name)


def test_only_the_owner_reads_the_key(tmp_path: Path) -> None:
    made = load_or_create(tmp_path, "Box", WANTED, DAY)
    rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert rights == {"ca.pem": 0o600, "ca.crt": 0o644, ".tls.lock": 0o600}
    assert b"PRIVATE" not in (tmp_path / "ca.crt").read_bytes()
    (tmp_path / "ca.pem").chmod(0o644)
    load_or_create(tmp_path, "Box", WANTED, DAY)
    assert stat.S_IMODE((tmp_path / "ca.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(made) and made.fingerprint in repr(made)


def test_the_public_file_is_put_back(tmp_path: Path) -> None:
    made = load_or_create(tmp_path, "Box", WANTED, DAY)
    for broken in (b"", made.pem[:200], b"other"):
        (tmp_path / "ca.crt").write_bytes(broken)
        load_or_create(tmp_path, "Box", WANTED, DAY)
        assert (tmp_path / "ca.crt").read_bytes() == made.pem
    (tmp_path / "ca.crt").unlink()
    load_or_create(tmp_path, "Box", WANTED, DAY)
    assert (tmp_path / "ca.crt").read_bytes() == made.pem


def test_many_processes_that_start_at_once_get_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    started = [
        subprocess.Popen([sys.executable, "-c", MAKE, str(folder)], cwd=ROOT, stdin=-1, stdout=-1, text=True)
        for _ in range(6)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("g")
        process.stdin.flush()
    told = {process.communicate(timeout=30)[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 6
    assert len(told) == 1 and re.fullmatch(r"([0-9A-F]{4} ){15}[0-9A-F]{4}", told.pop())


def test_what_was_left_half_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".ca.pem.draft").write_bytes(b"-----BEGIN PRIV")
    made = load_or_create(tmp_path, "Box", WANTED, DAY)
    assert load_or_create(tmp_path, "Box", WANTED, DAY).certificate == made.certificate
    assert not (tmp_path / ".ca.pem.draft").exists()


def test_a_file_that_cannot_be_read_is_told_and_kept(tmp_path: Path) -> None:
    made = load_or_create(tmp_path, "Box", WANTED, DAY)
    other = load_or_create(tmp_path / "other", "Box", WANTED, DAY)
    whole = (tmp_path / "ca.pem").read_bytes()
    mixed = whole.replace(made.pem, other.pem)
    for broken in (b"", b"nonsense", whole[:150], whole[:-200], mixed):
        (tmp_path / "ca.pem").write_bytes(broken)
        with pytest.raises(ApplianceError) as told:
            load_or_create(tmp_path, "Box", WANTED, DAY)
        assert told.value.code == "BRG416"
        assert "ca.pem" in told.value.message and told.value.hint
        assert (tmp_path / "ca.pem").read_bytes() == broken, "devices trust it: nothing takes its place by itself"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ApplianceError, match="BRG416"):
        load_or_create(tmp_path / "file" / "keys", "Box", WANTED, DAY)


@pytest.mark.parametrize("year", [1970, 2000, 2026, 2030, 2099])
def test_a_wrong_clock_makes_one_that_holds_when_it_is_set(tmp_path: Path, year: int) -> None:
    made = load_or_create(tmp_path, "Box", WANTED, datetime(year, 1, 1, tzinfo=UTC))
    assert made.certificate.not_valid_before_utc == RELEASED
    assert made.certificate.not_valid_after_utc >= RELEASED + timedelta(days=3650)


@pytest.mark.parametrize("name", ["", " ", "x" * 200, "Köln\n\t\x00 4", "日本" * 40])
def test_any_box_name_makes_a_certificate(tmp_path: Path, name: str) -> None:
    assert 0 < len(load_or_create(tmp_path, name, WANTED, DAY).name) <= 64


def test_it_vouches_for_the_building_only(tmp_path: Path) -> None:
    made = load_or_create(tmp_path, "Box", Wanted(("box", "localhost"), addresses("8.1.2.3", "10.0.0.1")), DAY)
    asked = Wanted(
        ("bank.example", "box", "local.example", "notlocal", "other.local", "localhost"),
        addresses("8.1.2.3", "8.1.2.4", "10.200.3.4", "192.168.1.1", "172.32.0.1", "::1", "2001:db8::1", "fd00::1"),
    )
    covered = made.covers(asked)
    assert covered.names == ("box", "other.local", "localhost")
    assert covered.addresses == addresses("8.1.2.3", "10.200.3.4", "192.168.1.1", "::1", "fd00::1")


def test_openssl_holds_it_to_that(tmp_path: Path) -> None:
    """A thief with the key signs for a site of the internet; a device that trusts the authority refuses it."""
    made = load_or_create(tmp_path, "Box", WANTED, DAY)
    honest = issue(made, WANTED, DAY)
    stolen = _forged(made.key, made.certificate, ("bank.example",), ())
    stranger = _forged(made.key, made.certificate, ("localhost",), addresses("8.8.8.8"))
    (tmp_path / "honest.pem").write_bytes(honest.pem)
    (tmp_path / "stolen.pem").write_bytes(stolen)
    (tmp_path / "stranger.pem").write_bytes(stranger)
    verify = ["openssl", "verify", "-x509_strict", "-attime", str(int(DAY.timestamp())), "-CAfile", "ca.crt"]
    told = [
        subprocess.run([*verify, f"{name}.pem"], cwd=tmp_path, capture_output=True, text=True, check=False)
        for name in ("honest", "stolen", "stranger")
    ]
    assert [done.returncode for done in told] == [0, 2, 2], told
    assert all("permitted subtree violation" in done.stderr for done in told[1:])


def test_the_fingerprint_is_what_openssl_shows(tmp_path: Path) -> None:
    made = load_or_create(tmp_path, "Box", WANTED, DAY)
    shown = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "ca.crt", "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.partition("=")[2].strip().replace(":", "") == made.fingerprint.replace(" ", "")
    assert fingerprint(made.der) == made.fingerprint


def _forged(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    names: tuple[str, ...],
    hosts: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...],
) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    allowed: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    allowed += [x509.IPAddress(host) for host in hosts]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(DAY - timedelta(days=1))
        .not_valid_after(DAY + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName(allowed), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
