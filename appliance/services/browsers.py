"""Browsers that are screens: what they carry, and which screen that is.

A browser is known by a key of its own. Where the context is secure that is a WebCrypto key that never leaves it: the
browser signs a nonce and gets a credential for a day. Elsewhere it is a random text in a cookie hidden from scripts.

    scr-<random>                          the text itself; the screen's key is its digest
    scs-<digest>~<expires>~<signature>    given for a proof; signed with a key that only the gateway has
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from appliance.bridge.armor import as_text
from appliance.errors import ApplianceError
from appliance.screen import cache
from appliance.types import Role

PROVED_S: Final = 86_400.0
NONCE_S: Final = 120.0
NONCES: Final = 1000


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A browser that was let in: the screen's id, its role and its room."""

    id: str
    role: Role
    room: str


class Heard(msgspec.Struct, frozen=True):
    """What the bridge tells of browsers: the registry's version, the policy, who has which key, the rooms."""

    version: int
    join: str
    keys: dict[str, Known]
    rooms: dict[str, str] = {}


def is_browser(credential: str) -> bool:
    """Whether a credential is a browser's own."""
    return credential.startswith(("scr-", "scs-"))


def new_credential() -> str:
    """For a browser that can keep no key."""
    return "scr-" + secrets.token_urlsafe(32)


class Browsers:
    """Which screen a browser is.

    Args:
        path: where the key is kept that proofs are signed with; made when it is first needed.

    Attributes:
        heard: what the bridge told, None before it told anything.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None
        self.heard: Heard | None = None
        self._nonces: dict[str, float] = {}

    def known(self, credential: str) -> Known:
        """The screen of a credential.

        Raises:
            ApplianceError: BRG401, none, or not any more; BRG406, that cannot be said just now.
        """
        if self.heard is None:
            raise ApplianceError("BRG406", "Screens cannot be told apart just now.", None, "It is being restarted.")
        key = self.key_of(credential)
        found = self.heard.keys.get(key) if key else None
        if found is None:
            raise ApplianceError("BRG401", "The box does not know this screen.", None, "Open the box's page to join.")
        return found

    def key_of(self, credential: str) -> str | None:
        """What a browser is known by, or None where its proof has run out or is none."""
        if credential.startswith("scr-"):
            return "web:" + hashlib.sha256(credential.encode()).hexdigest()
        digest, _, rest = credential.removeprefix("scs-").partition("~")
        expires, _, signature = rest.partition("~")
        if not hmac.compare_digest(self._sign(f"{digest}~{expires}").encode(), signature.encode()):
            return None
        return f"web:{digest}" if float(expires) > time.time() else None

    # Keys that never leave the browser --------------------------------------------------------------------

    def nonce(self) -> str:
        """Something new to sign, good for two minutes."""
        now = time.time()
        self._nonces = {nonce: until for nonce, until in self._nonces.items() if until > now}
        while len(self._nonces) >= NONCES:
            self._nonces.pop(next(iter(self._nonces)))
        nonce = secrets.token_urlsafe(24)
        self._nonces[nonce] = now + NONCE_S
        return nonce

    def proved(self, public: bytes, nonce: str, signature: bytes) -> str:
        """A credential for who signed the nonce.

        Args:
            public: the P-256 key, 65 bytes, not compressed.
            nonce: from :meth:`nonce`; good once.
            signature: 64 bytes, r and s, over ``"dreamstack join " + nonce``, SHA-256.

        Raises:
            ApplianceError: BRG401, it did not.
        """
        until = self._nonces.pop(nonce, 0.0)
        if until < time.time() or not _signed(public, b"dreamstack join " + nonce.encode(), signature):
            raise ApplianceError("BRG401", "The browser's key was not proved.", None, "Load the page again.")
        said = f"{hashlib.sha256(public).hexdigest()}~{int(time.time() + PROVED_S)}"
        return f"scs-{said}~{self._sign(said)}"

    def _sign(self, said: str) -> str:
        self._key = self._key or _load(self._path)
        return as_text(hmac.digest(self._key, said.encode(), "sha256"))


def _signed(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)
        key.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(path: Path) -> bytes:
    """The key that is kept there; made at first, readable by its owner alone."""
    with suppress(FileNotFoundError):
        if key := path.read_bytes():  # with an empty one anybody could sign
            return key
    cache.write(path, secrets.token_bytes(32), settled=True)
    return path.read_bytes()
