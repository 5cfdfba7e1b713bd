"""Who a box or a screen is: an Ed25519 key that stays in one file, and the EndpointId others know it by.

The EndpointId is the public half. Iroh proves it in every handshake, so an address can change hands and a
screen still knows its box. The same key signs what others may carry further (Ed25519, RFC 8032).

    >>> identity = load_or_create(Path("/var/lib/dreamstack/box/iroh.key"))  # doctest: +SKIP
    >>> identity.endpoint_id  # doctest: +SKIP
    'd8f7a2c0...'
    >>> verify(identity.endpoint_id, "pass", b"a wall", identity.sign("pass", b"a wall"))  # doctest: +SKIP
    True
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

import iroh
import msgspec

from appliance.errors import ApplianceError

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64


class Identity(msgspec.Struct, frozen=True):
    """A key pair: the `secret` (32 bytes, never shown) and its `endpoint_id` (64 hexadecimal digits)."""

    secret: bytes
    endpoint_id: str

    def __repr__(self) -> str:
        """Without the secret, so that it cannot reach a log."""
        return f"Identity({self.endpoint_id})"

    def sign(self, purpose: str, message: bytes) -> bytes:
        """A signature (64 bytes) that holds for this message and this purpose only."""
        return bytes(_secret_key(self.secret).sign(_signed(purpose, message)).to_bytes())


def verify(endpoint_id: str, purpose: str, message: bytes, signature: bytes) -> bool:
    """Whether the holder of `endpoint_id` signed `message` for `purpose`; False also where the id is none."""
    try:
        _public_key(endpoint_id).verify(_signed(purpose, message), iroh.Signature.from_bytes(signature))
    except iroh.IrohError:
        return False
    return True


def _signed(purpose: str, message: bytes) -> bytes:
    # A digest, because the way into the library costs by the byte; the purpose, so that no signature serves two ends.
    return b"dreamstack 1 " + purpose.encode() + b"\0" + hashlib.sha512(message).digest()


@functools.lru_cache(maxsize=8)
def _secret_key(secret: bytes) -> iroh.SecretKey:
    return iroh.SecretKey.from_bytes(secret)


@functools.lru_cache(maxsize=256)
def _public_key(endpoint_id: str) -> iroh.EndpointId:
    return iroh.EndpointId.from_string(endpoint_id)


def load_or_create(path: Path) -> Identity:
    """The identity kept in `path`; made there at the first start. Blocks on the disk.

    The file holds the 32 bytes and is readable by its owner alone. Two processes that start at once get
    the same identity.

    Raises:
        ApplianceError: BRG414, the file cannot be read, made, or is not a key.
    """
    try:
        secret = _read(path) or _create(path)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from None
    return Identity(secret, str(iroh.SecretKey.from_bytes(secret).public()))


def _read(path: Path) -> bytes | None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != 0o600:
            os.fchmod(file.fileno(), 0o600)
        secret = file.read(KEY_BYTES + 1)
    if len(secret) != KEY_BYTES:
        raise _unusable(path, f"it does not hold {KEY_BYTES} bytes")
    return secret


def _create(path: Path) -> bytes:
    secret = iroh.SecretKey.generate().to_bytes()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        _write(draft, secret)
        os.link(draft, path)  # unlike a rename, never replaces the key of a process that was faster
    except FileExistsError:
        secret = _read(path) or secret
    finally:
        draft.unlink(missing_ok=True)
    return secret


def _write(path: Path, secret: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(handle)


def _unusable(path: Path, details: str) -> ApplianceError:
    return ApplianceError(
        "BRG414",
        f"The key file {path} cannot be used.",
        details,
        "Make it readable and its folder writable for this user, or move it away to get a new identity.",
    )
