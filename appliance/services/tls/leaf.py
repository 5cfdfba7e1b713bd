"""The door's certificate: at most 397 days, for every name and address of the box, with a key of its own."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.services.tls.authority import RELEASED, Authority, sane
from appliance.services.tls.names import Wanted

LIFE: Final = timedelta(days=397)
BACKDATED: Final = timedelta(days=1)
"""A device whose clock is a little behind must find it valid."""
RENEWED: Final = timedelta(days=60)
"""How long before its end another takes its place."""


class Leaf(msgspec.Struct, frozen=True):
    """A certificate and, in `pem`, its key, itself and its authority's, as ``load_cert_chain`` wants them."""

    pem: bytes
    certificate: x509.Certificate

    @property
    def good_for(self) -> Wanted:
        """The names and addresses in it."""
        held = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = (ipaddress.ip_address(str(each)) for each in held.get_values_for_type(x509.IPAddress))
        return Wanted(tuple(held.get_values_for_type(x509.DNSName)), tuple(addresses))

    def lacks(self, wanted: Wanted) -> tuple[str, ...]:
        """What of `wanted` it is not good for."""
        good = self.good_for
        return tuple(map(str, (*(set(wanted.names) - set(good.names)), *(set(wanted.addresses) - set(good.addresses)))))

    def due(self, authority: Authority, wanted: Wanted, now: datetime) -> bool:
        """Whether another is to take its place: it is old, of another authority, or lacks a name or an address."""
        begins, ends = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        last = authority.certificate.not_valid_after_utc
        timely = begins <= sane(now) and (sane(now) < ends - RENEWED or ends == last)
        timely = timely or sane(now) >= last  # a clock that far on is wrong, or nothing helps
        return not timely or not self._of(authority) or bool(self.lacks(authority.covers(wanted)))

    def _of(self, authority: Authority) -> bool:
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def parse(pem: bytes) -> Leaf | None:
    """What a file holds, or None where that is no key with its certificate."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
        leaf = Leaf(pem, x509.load_pem_x509_certificate(pem))
        whole = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == leaf.certificate.public_key()
        return leaf if whole and leaf.good_for.names else None
    except (ValueError, TypeError, x509.ExtensionNotFound):
        return None


def issue(authority: Authority, wanted: Wanted, now: datetime) -> Leaf:
    """A new certificate for what of `wanted` the authority may vouch for."""
    key = ec.generate_private_key(ec.SECP256R1())
    covered = authority.covers(wanted)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in covered.names]
    names += [x509.IPAddress(address) for address in covered.addresses]
    last = authority.certificate.not_valid_after_utc
    begins = max(min(sane(now), last) - BACKDATED, RELEASED)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "DreamStack door")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(min(begins + LIFE, last))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_issuer(authority), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Leaf(_encoded(key, certificate, authority), certificate)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer(authority: Authority) -> x509.AuthorityKeyIdentifier:
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _encoded(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, authority: Authority) -> bytes:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM) + authority.pem
