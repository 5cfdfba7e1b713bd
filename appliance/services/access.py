"""Who may come in, and as what.

A box that listens on loopback only serves whoever is at the machine as ``staff``. With ``--lan`` nothing is
served without a credential: a key that the box made at first start, one per role.

    >>> access.role("")           # loopback only  # doctest: +SKIP
    'staff'
"""

from __future__ import annotations

import hmac

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, rank


class Access:
    """Turns credentials into roles."""

    def __init__(self, runtime: Runtime) -> None:
        self._keys = runtime.keys
        self._lan = runtime.settings.lan

    def role(self, credential: str) -> Role:
        """The role of a credential.

        Raises:
            ApplianceError: BRG401, a wrong credential, or none where one is needed.
        """
        if not credential and not self._lan:
            return "staff"
        found: Role | None = None
        for role in ROLES:  # all are compared, so that the time tells nothing
            if hmac.compare_digest(self._keys[role].encode(), credential.encode()):
                found = role
        if found is None:
            raise ApplianceError(
                "BRG401",
                "The box does not know this credential." if credential else "The box asks for a credential.",
                None,
                "Open the address with its key that the box printed at start, or send the key as a Bearer token.",
            )
        return found

    def acting(self, own: Role, wanted: str | None) -> Role:
        """The role a request acts as: its own, or a lower one that it asks for.

        Raises:
            ApplianceError: BRG410, an unknown role; BRG402, one above its own.
        """
        if wanted is None:
            return own
        if wanted not in ROLES:
            raise ApplianceError("BRG410", "There is no such role.", wanted, f"One of {', '.join(ROLES)}.")
        role: Role = wanted
        if rank(role) > rank(own):
            raise ApplianceError("BRG402", f"The role {own} may not act as {role}.", None, f"Ask as {own}.")
        return role
