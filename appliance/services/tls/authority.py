"""The box's own certificate authority: what a person trusts once, on each device, for ten years.

It is limited (name constraints, RFC 5280 4.2.1.10) to names and addresses of local networks, so that whoever
steals its key still cannot pass for a site of the internet on a device that trusts it.

A small machine may have no clock at its first start. The time taken is then the first day of the year in which
this was written, and the authority is valid from that day on whatever the clock says, so that it holds when the
clock is set.
"""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.services.tls.files import PRIVATE, PUBLIC, alone, read_private, unusable, write
from appliance.services.tls.names import Wanted

RELEASED: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock of a box can rightly be before the year in which this was written."""
LIFE: Final = timedelta(days=3652)
_NO_CHECK_TIME: Final = 0x200000
LOCAL_NAMES: Final = ("local", "localhost", "internal", "home.arpa", "lan")
LOCAL_NETWORKS: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "127.0.0.0/8",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)


class Authority(msgspec.Struct, frozen=True):
    """A key and the certificate that says it is an authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def __repr__(self) -> str:
        """Without the key, so that it cannot reach a log."""
        return f"Authority({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, 64 hexadecimal digits in groups of four."""
        return grouped(self.certificate.fingerprint(hashes.SHA256()).hex())

    @property
    def der(self) -> bytes:
        """The certificate alone, as devices take it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate alone, as programs take it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def name(self) -> str:
        """What devices list it as."""
        [common] = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(common.value)

    def covers(self, wanted: Wanted) -> Wanted:
        """What of `wanted` it may vouch for: the rest lies outside its constraints."""
        allowed = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        suffixes = [each.value for each in allowed or () if isinstance(each, x509.DNSName)]
        networks = [ipaddress.ip_network(str(each.value)) for each in allowed or () if isinstance(each, x509.IPAddress)]
        return Wanted(
            tuple(n for n in wanted.names if any(n == each or n.endswith(f".{each}") for each in suffixes)),
            tuple(a for a in wanted.addresses if any(a in each for each in networks)),
        )


def grouped(digest: str) -> str:
    """Hexadecimal digits in capitals, in groups of four."""
    return " ".join(digest[at : at + 4].upper() for at in range(0, len(digest), 4))


def fingerprint(der: bytes) -> str:
    """The fingerprint of a certificate, as devices show it."""
    return grouped(hashlib.sha256(der).hexdigest())


def sane(now: datetime) -> datetime:
    """The time as far as it can be believed."""
    return max(now, RELEASED)


def load_or_create(folder: Path, box_name: str, wanted: Wanted, now: datetime) -> Authority:
    """The authority kept in ``folder/ca.pem``; made there at the first start. Blocks on the disk.

    Two processes that start at once get the same one. ``folder/ca.crt`` beside it holds the certificate alone.

    Raises:
        ApplianceError: BRG416, a file cannot be used. Nothing is put in its place, for devices trust it.
    """
    with alone(folder):
        held = read_private(folder / "ca.pem")
        authority = _made(box_name, wanted, now) if held is None else _parsed(folder / "ca.pem", held)
        if held is None:
            write(folder / "ca.pem", _encoded(authority), PRIVATE)
        public = folder / "ca.crt"
        if not public.is_file() or public.read_bytes() != authority.pem:
            write(public, authority.pem, PUBLIC)
    return authority


def trusted(folder: Path) -> ssl.SSLContext:
    """For the box's own processes: trusts the box of this folder of keys, and nothing else, whatever the clock says.

    A machine without a clock must come up, too. Blocks on the disk.
    """
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.verify_flags |= _NO_CHECK_TIME  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME
    return context


def _encoded(authority: Authority) -> bytes:
    key = authority.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key + authority.pem


def _parsed(path: Path, held: bytes) -> Authority:
    try:
        key = serialization.load_pem_private_key(held, password=None)
        certificate = x509.load_pem_x509_certificate(held)
        whole = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    except (ValueError, TypeError) as error:
        raise unusable(path, str(error).splitlines()[0]) from None
    if not whole or not isinstance(key, ec.EllipticCurvePrivateKey):
        raise unusable(path, "its key and its certificate do not belong together")
    return Authority(key, certificate)


def _made(box_name: str, wanted: Wanted, now: datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    mark = identifier.digest[:2].hex().upper()  # two boxes of one name are told apart in a device's list
    plain = " ".join("".join(char if char.isprintable() else " " for char in box_name).split())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{_cut(plain) or 'DreamStack'} local CA {mark}")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(RELEASED)
        .not_valid_after(sane(now) + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(_constraints(wanted), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def _cut(name: str) -> str:
    """A name that leaves room in the 64 bytes of a common name."""
    return name.encode()[:45].decode(errors="ignore").strip()


def _constraints(wanted: Wanted) -> x509.NameConstraints:
    """Local names and networks; and what this machine is called and reached by today, where that is neither."""
    own = [name for name in wanted.names if not name.endswith(tuple(f".{each}" for each in LOCAL_NAMES))]
    hosts = [each for each in wanted.addresses if not any(each in network for network in LOCAL_NETWORKS)]
    networks = (*LOCAL_NETWORKS, *(ipaddress.ip_network(each) for each in hosts))
    allowed: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys((*LOCAL_NAMES, *own))]
    allowed += [x509.IPAddress(network) for network in networks]
    return x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None)
