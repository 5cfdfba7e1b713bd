"""Bytes as text that can be typed, pasted and put into an address: base64url without padding (RFC 4648).

>>> as_text(b"box"), as_bytes("Ym94"), as_bytes("no bytes")
('Ym94', b'box', None)
"""

from __future__ import annotations

import base64
import binascii


def as_text(raw: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def as_bytes(text: str) -> bytes | None:
    """The bytes of base64url without padding; None where it is something else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
