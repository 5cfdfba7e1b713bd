"""Who may come in, and as what.

A box that listens on loopback only serves whoever is at the machine as ``staff``. With ``--lan`` nothing is
served without a credential: a key that the box made at first start, one per built-in role, or a token that it gave
out (:mod:`appliance.pgflex.access.tokens`), or that of a browser which the admin let in as a screen
(:mod:`appliance.services.browsers`). Screens come in with a key or as themselves.

    >>> access.role("")           # loopback only  # doctest: +SKIP
    'staff'
"""

from __future__ import annotations

import asyncio
import hmac
import time

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.pgflex.access.role_book import State
from appliance.pgflex.access.roles import may_act
from appliance.pgflex.access.tokens import Token, read_token, refused, resembles_token
from appliance.services.admin.sessions import Sessions, is_session, signed_out
from appliance.services.browsers import Browsers, is_browser
from appliance.types import ROLES, Role, RoleName

TOKENS_KEPT = 1000


class Access:
    """Turns credentials into roles.

    Tokens are good only while :meth:`learn` keeps telling what was revoked.

    Attributes:
        browsers: which screen a browser is.
        sessions: who is signed in; None where nobody can be.
        levels: the roles there are, and whose rights each starts from.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._keys = runtime.keys
        self._lan = runtime.settings.lan
        self._open_here = runtime.settings.join in ("auto", "open")
        self._secret = runtime.secret
        self._state: State | None = None
        self.levels = State().levels
        self._read: dict[str, Token] = {}
        self._open: dict[asyncio.Event, Token] = {}
        self.sessions: Sessions | None = None
        self.browsers = Browsers(runtime.settings.data / "keys" / "browsers.key")

    def learn(self, state: State | None) -> None:
        """What roles there are and what was revoked; None: that is not known just now."""
        self._state = state
        if state is None:
            return
        self.levels = state.levels
        for gone, token in self._open.items():
            if not self._is_good(token, state):
                gone.set()

    def role(self, credential: str) -> RoleName:
        """The role of a credential.

        Raises:
            ApplianceError: BRG401, a wrong credential, or none where one is needed; BRG406, tokens cannot be checked.
        """
        if is_session(credential):
            return self._signed_in(credential)
        token = self.token(credential)
        return token.role if token else self.key_role(credential)

    def _signed_in(self, credential: str) -> RoleName:
        role = self.sessions.role(credential) if self.sessions is not None else None
        if role is None or role not in self.levels:
            raise signed_out()
        return role

    def key_role(self, credential: str) -> Role:
        """The role of a key.

        Raises:
            ApplianceError: BRG401, a wrong key, a token, or none where one is needed.
        """
        if not credential and not self._lan and self._open_here:
            return "staff"
        if is_browser(credential):
            return self.browsers.known(credential).role
        if is_session(credential):
            return self._built_in(self._signed_in(credential))
        found = self._role_of_key(credential) if credential else None
        if found is None and resembles_token(credential):
            raise ApplianceError(
                "BRG401", "Screens come in with a key, not with a token.", None, "Send the key that the box printed."
            )
        if found is None:
            raise ApplianceError(
                "BRG401",
                "The box does not know this credential." if credential else "The box asks for a credential.",
                None,
                "Open the address with its key that the box printed at start, or send the key as a Bearer token.",
            )
        return found

    def _role_of_key(self, credential: str) -> Role | None:
        found: Role | None = None
        for role in ROLES:  # all are compared, so that the time tells nothing
            if hmac.compare_digest(self._keys[role].encode(), credential.encode()):
                found = role
        return found

    def token(self, credential: str) -> Token | None:
        """The token that a credential is; None: it is something else.

        Raises:
            ApplianceError: BRG401, it is no good; BRG406, that cannot be said just now.
        """
        if not resembles_token(credential):
            return None
        token = self._read.get(credential)
        if token is None or token.expires <= time.time():
            token = read_token(credential, self._secret)
            if len(self._read) >= TOKENS_KEPT:
                self._read.clear()
            self._read[credential] = token
        if self._state is None:
            raise ApplianceError(
                "BRG406", "Tokens cannot be checked just now.", None, "It is being restarted; try again in a moment."
            )
        if not self._is_good(token, self._state):
            raise refused("The token was revoked.")
        return token

    async def gone(self, token: Token) -> None:
        """Return once a token has run out or was revoked."""
        ended = asyncio.Event()
        self._open[ended] = token
        if self._state is not None and not self._is_good(token, self._state):
            ended.set()  # since it was looked at
        try:
            async with asyncio.timeout(max(token.expires - time.time(), 0)):
                await ended.wait()
        except TimeoutError:
            return
        finally:
            del self._open[ended]

    def acting(self, own: RoleName, wanted: str | None) -> RoleName:
        """The role a request acts as: its own, or a lower one that it asks for (:func:`may_act`).

        Raises:
            ApplianceError: BRG410, an unknown role; BRG402, one above its own.
        """
        if wanted is None or wanted == own:
            return own
        if wanted not in self.levels:
            raise ApplianceError("BRG410", "There is no such role.", wanted[:100], f"One of {', '.join(self.levels)}.")
        if not may_act(own, wanted, self.levels):
            raise ApplianceError("BRG402", f"The role {own} may not act as {wanted}.", None, f"Ask as {own}.")
        return wanted

    def screen_role(self, credential: str, wanted: str | None) -> Role:
        """The role a screen acts as: that of its key, or a lower built-in one that it asks for.

        Raises:
            ApplianceError: BRG401, as :meth:`key_role`; BRG410 and BRG402, as :meth:`acting`.
        """
        return self._built_in(self.acting(self.key_role(credential), wanted))

    @staticmethod
    def _built_in(role: RoleName) -> Role:
        found = next((known for known in ROLES if known == role), None)
        if found is None:
            raise ApplianceError("BRG402", f"A screen may not act as {role}.", None, f"One of {', '.join(ROLES)}.")
        return found

    @staticmethod
    def _is_good(token: Token, state: State) -> bool:
        return token.jti not in state.revoked and token.role in state.levels
