"""Keys of a test, made once: a box, a screen, and one that is neither."""

from __future__ import annotations

import iroh

from appliance.bridge.identity import Identity


def make() -> Identity:
    secret = iroh.SecretKey.generate()
    return Identity(secret.to_bytes(), str(secret.public()))


BOX, SCREEN, OTHER = make(), make(), make()
