r"""A file sealed with a passphrase: read by who knows it, and changed by nobody without that being seen.

    begin   "DREAMSTACK SEALED 1\n", 16 bytes of salt, 1 byte log2 of scrypt's n, 7 bytes of nonce
    pieces  1 MiB each, the last one shorter: AES-256-GCM; the nonce goes on with the piece's number (4 bytes)
            and 1 where it is the last, else 0; the beginning is authenticated with each

The number and the mark of the last piece are what keeps pieces from being left out, exchanged or cut off
(the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import io
import os
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from appliance.errors import ApplianceError

MAGIC: Final = b"DREAMSTACK SEALED 1\n"
PIECE: Final = 1024 * 1024
_TAG: Final = 16
_SALT, _NONCE = 16, 7
_LOG_N: Final = 16
_LOG_N_LIMIT: Final = 20
_BEGIN: Final = len(MAGIC) + _SALT + 1 + _NONCE


class Sealer(io.RawIOBase):
    """Seals what is written to it into `out`; :meth:`close` writes the last piece and leaves `out` open."""

    def __init__(self, out: BinaryIO, passphrase: str) -> None:
        self._out, self._held, self._number = out, bytearray(), 0
        self._begin = MAGIC + os.urandom(_SALT) + bytes([_LOG_N]) + os.urandom(_NONCE)
        self._cipher = AESGCM(_key(passphrase, self._begin))
        out.write(self._begin)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Seal `data`."""
        self._held += data
        while len(self._held) > PIECE:
            self._seal(bytes(self._held[:PIECE]), last=False)
            del self._held[:PIECE]
        return len(data)

    def close(self) -> None:
        """Write the last piece."""
        if self.closed:
            return
        try:
            self._seal(bytes(self._held), last=True)
        finally:
            super().close()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._begin, self._number, last), piece, self._begin))
        self._number += 1


class Opener(io.RawIOBase):
    """What a :class:`Sealer` wrote, as it was.

    Raises:
        ApplianceError: BRG471, the passphrase is wrong, or the file is not whole.
    """

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        self._source, self._number, self._held, self._ended = source, 0, b"", False
        self._begin = source.read(_BEGIN)
        if len(self._begin) < _BEGIN or self._begin[len(MAGIC) + _SALT] > _LOG_N_LIMIT:
            raise _unopened("its beginning cannot be read")
        self._cipher = AESGCM(_key(passphrase, self._begin))
        self._next = source.read(PIECE + _TAG)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
        """The next bytes; none at the end."""
        if not self._held and not self._ended:
            self._held = self._piece()
        count = min(len(into), len(self._held))
        into[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def _piece(self) -> bytes:
        sealed, self._next = self._next, self._source.read(PIECE + _TAG)
        self._ended = not self._next
        try:
            opened = self._cipher.decrypt(_nonce(self._begin, self._number, self._ended), sealed, self._begin)
        except (InvalidTag, ValueError):
            raise _unopened(f"piece {self._number + 1}") from None
        self._number += 1
        return opened


def _nonce(begin: bytes, number: int, last: bool) -> bytes:
    return begin[-_NONCE:] + number.to_bytes(4, "big") + bytes([last])


def _key(passphrase: str, begin: bytes) -> bytes:
    salt, log_n = begin[len(MAGIC) : len(MAGIC) + _SALT], begin[len(MAGIC) + _SALT]
    return Scrypt(salt=salt, length=32, n=2**log_n, r=8, p=1).derive(passphrase.encode())


def _unopened(details: str) -> ApplianceError:
    return ApplianceError(
        "BRG471", "The passphrase is wrong, or the backup is damaged.", details, "Give the passphrase it was made with."
    )
