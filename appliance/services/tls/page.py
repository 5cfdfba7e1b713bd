"""What a caller in the open gets: one page that says what this box is and how to trust it, and its certificate.

Nothing else is at any other address, no credential is read and no cookie set, so that there is nothing to listen to.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import plistlib
import re
import uuid
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.services.address import own_address
from appliance.services.door import is_ours
from appliance.services.internal import Json
from appliance.services.notice import notice
from appliance.services.tls.authority import Authority

DEVICES: Final = (
    ("android", r"Android"),
    ("ios", r"iPhone|iPad|iPod"),
    ("firefox", r"Firefox"),
    ("windows", r"Windows"),
    ("mac", r"Macintosh|Mac OS X"),
    ("linux", r"Linux|X11|CrOS"),
)
"""Which of the page's parts is open, by what the browser says it is. The first that fits."""
_COMMON: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class TrustPage:
    """The plain side of the door, as an ASGI app.

    Args:
        settings: the box's name and port.
        authority: whom to trust.
    """

    def __init__(self, settings: Settings, authority: Authority) -> None:
        self._settings, self._authority = settings, authority
        self._profile = profile(authority)
        self._icon = (files("appliance.screen.receiver") / "favicon.svg").read_text(encoding="utf-8")
        self._pages = {kind: _template(kind) for kind, _ in DEVICES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            await socket.receive()
            await socket.send_denial_response(Json(self._elsewhere(socket.url.path, _host(scope)).shape(), 404))
            return
        request = Request(scope)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path if request.method in ("GET", "HEAD") else ""
        if path == "/":
            return self._page(request)
        if path == "/favicon.svg":
            return Response(self._icon, media_type="image/svg+xml", headers=_COMMON)
        held = {
            "/ca.crt": (self._authority.der, "application/x-x509-ca-cert"),
            "/ca.pem": (self._authority.pem, "application/x-pem-file"),
            "/ca.mobileconfig": (self._profile, "application/x-apple-aspen-config"),
        }
        if path in held:
            content, kind = held[path]
            return Response(content, media_type=kind, headers=_COMMON)
        error = self._elsewhere(request.url.path, _host(request.scope))
        return notice(request, error) or Json(error.shape(), error.status)

    def _elsewhere(self, path: str, host: str) -> ApplianceError:
        place = self._name(host)
        return ApplianceError(
            "BRG417",
            "The box is open over HTTPS only.",
            path[:100],
            f"Use {self._https(place)} and trust the box's certificate first: http://{place}:{self._settings.port}/",
        )

    def _name(self, host: str) -> str:
        """How the caller named the box, where that is one of its names, else its address."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if not is_ours(name, self._settings):
            return own_address()
        return f"[{name}]" if ":" in name else name

    def _https(self, place: str) -> str:
        port = "" if self._settings.port == 443 else f":{self._settings.port}"
        return f"https://{place}{port}/"

    def _page(self, request: Request) -> Response:
        host = _host(request.scope)
        place = self._name(host)
        here = f"http://{place}{_port_of(host)}/"
        words = {
            "box": self._settings.box_name,
            "ca": self._authority.name,
            "address": self._https(place),
            "here": here,
        }
        parts = {name: html.escape(value) for name, value in words.items()}
        parts |= {
            "fingerprint": "".join(f"<span>{group}</span>" for group in self._authority.fingerprint.split()),
            "qr": qr(here),
            "leaked": _LEAKED if "key" in request.query_params else "",
        }
        template, policy = self._pages[device(request.headers.get("user-agent", ""))]
        text = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)
        headers = _COMMON | {"Content-Security-Policy": policy}
        return Response(text, media_type="text/html; charset=utf-8", headers=headers)


_LEAKED: Final = (
    '<p class="leak"><b>The key in this address crossed the network in the open.</b> Nothing was done with it. '
    "If others could listen, have it replaced, and from now on open the address that begins with https.</p>"
)


def profile(authority: Authority) -> bytes:
    """The certificate as a configuration profile, as iPhone, iPad and Mac install it."""
    mark = authority.fingerprint.replace(" ", "")
    payload = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"local.dreamstack.ca.{mark[:16]}",
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, mark)).upper(),
        "PayloadDisplayName": authority.name,
        "PayloadContent": authority.der,
        "PayloadCertificateFileName": "ca.cer",
    }
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"local.dreamstack.trust.{mark[:16]}",
            "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_URL, mark)).upper(),
            "PayloadDisplayName": authority.name,
            "PayloadDescription": "Lets this device know the box. It is good for names of the local network only.",
            "PayloadContent": [payload],
        }
    )


def qr(address: str) -> str:
    """A QR code as inline SVG."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True, nl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()


def device(agent: str) -> str:
    """Which part of the page is for a browser that says this of itself."""
    return next((name for name, says in DEVICES if re.search(says, agent)), "windows")


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


def _port_of(host: str) -> str:
    """The port of the address the caller wrote, as an address writes it."""
    try:
        port = urlsplit(f"//{host}").port or 80
    except ValueError:
        port = 80
    return "" if port == 80 else f":{port}"


def _static(name: str) -> str:
    return (files("appliance.services") / "static" / name).read_text(encoding="utf-8")


def _template(kind: str) -> tuple[str, str]:
    """The page with the part for this kind of device open, and first; and its policy."""
    css = _static("trust.css")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    text = _static("trust.html")
    [part] = re.findall(rf'<details id="{kind}">.*?</details>\n', text, re.DOTALL)
    text = text.replace(part, "").replace("<!--mine-->\n", part.replace("<details", "<details open", 1))
    return text.replace("/*{{css}}*/", css), policy
