"""The public door's guard: is this request meant for this box, and who is asking?

* Host must name this box, so that another site's name that points here gets nothing (DNS rebinding).
* Origin, where a browser sends one, must be the box's own, so that a page from elsewhere cannot ask.
* The credential is a Bearer token, the session of who signed in, the cookie that ``/?key=...`` leaves, or that of a
  browser which joined as a screen.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.services.admin.sessions import is_session

COOKIE = "dreamstack"
SCREEN_COOKIE = "dreamstack_screen"
SESSION = "dreamstack.session"
"""Where a request's scope has the cookie of a session that holds (:mod:`appliance.services.admin.signed`)."""
UNKNOWN = "?"
"""In the place of a credential that counts nowhere but in its own cookie."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_meant(connection: HTTPConnection, settings: Settings) -> None:
    """Refuse what is not meant for this box.

    Raises:
        ApplianceError: BRG403, the Host is another, or the Origin is another page's.
    """
    host = connection.headers.get("host", "")
    if not is_ours(_name(host), settings):
        raise ApplianceError(
            "BRG403",
            "This request is for another host.",
            {"host": host[:100]},
            "Open the box under the address it printed.",
        )
    origin = connection.headers.get("origin")
    if origin is not None and not _is_same(origin, host, secure=connection.url.scheme in ("https", "wss")):
        raise ApplianceError(
            "BRG403",
            "A page from elsewhere may not talk to the box.",
            {"origin": origin[:100]},
            "Open the box's own page.",
        )
    if connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and connection.url.path != "/":
        raise ApplianceError(
            "BRG403",
            "A page from elsewhere may not talk to the box.",
            {"site": "cross-site"},
            "Open the box's own page.",
        )


def credential(connection: HTTPConnection) -> str:
    """The credential that a request carries, or an empty string."""
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.casefold() == "bearer" and token:
        return no_session(token.strip())
    if session := connection.scope.get(SESSION):
        return str(session)
    return no_session(connection.cookies.get(COOKIE, "") or connection.cookies.get(SCREEN_COOKIE, ""))


def no_session(given: str) -> str:
    """A credential from anywhere but the cookie of sessions.

    A session counts only where it is known as one: there its requests prove that the box's own page sent them, end when
    somebody signs out, and are told under a name.
    """
    return UNKNOWN if is_session(given) else given


def _is_same(origin: str, host: str, *, secure: bool) -> bool:
    """Whether a page's origin is this host. Under TLS a page that came in the open is not: anybody may have made it."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.netloc.casefold() == host.casefold() and (not secure or parts.scheme.casefold() == "https")


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def is_ours(name: str, settings: Settings) -> bool:
    """Whether a host's name, lower case and without a port, is one of this box."""
    if name in _LOOPBACK:
        return True
    if not settings.lan:
        return False
    return name in names(settings) or _is_address(name)


def names(settings: Settings) -> frozenset[str]:
    """The names the box answers to on the local network."""
    own = socket.gethostname().casefold()
    box = "-".join(settings.box_name.casefold().split())
    others = (each.strip().casefold() for each in settings.names.split(","))
    return frozenset({own, f"{own}.local", f"{box}.local", "dreamstack.local", *filter(None, others)})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
