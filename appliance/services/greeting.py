"""What ``appliance up`` prints once the box is up: where it is, how to trust it, and how to go on."""

from __future__ import annotations

import io
import ssl
from itertools import zip_longest
from typing import Final, TextIO

import segno

import appliance
from appliance.config import Settings
from appliance.screen.trust import DEFAULT_DOOR
from appliance.services.address import own_address
from appliance.services.admin import setup_code
from appliance.services.supervisor import local_url, port_of, scheme
from appliance.services.tls.authority import fingerprint
from appliance.services.tls.names import encrypted

_GAP: Final = "   "


def greet(settings: Settings, key: str, ticket: str, out: TextIO | None = None) -> None:
    """Print it, with QR codes. Blocks on the disk.

    Args:
        settings: the box's.
        key: the credential that the address carries, where the box asks for one.
        ticket: how a screen names the box.
        out: where to; None is the terminal.
    """
    host = own_address() if settings.lan else "localhost"
    address = f"{scheme(settings)}://{host}{port_of(settings)}/" + (f"?key={key}" if settings.lan else "")
    lines = [f"\n  The box is up.  {appliance.__version__}\n\n  Page   {address}"]
    codes = [("Open it", address)]
    if encrypted(settings):
        trust = trust_url(settings, host)
        lines += [f"  Trust  {trust}   first, once on each device; its fingerprint is", *fingerprint_lines(settings)]
        codes = [("1  Trust it", trust), ("2  Open it", address)]
    if code := setup_code.code_of(settings.data):
        base = f"{scheme(settings)}://{host}{port_of(settings)}"
        lines.append(f"  Set up {base}/setup   with the code {setup_code.grouped(code)}")
    named = "" if local_url(settings) == DEFAULT_DOOR else f" --url {local_url(settings)}"
    lines += [
        f"  Data   {settings.data}",
        f'  Ask    appliance ask{named} "How many beds are free?"',
        "  Screen appliance screen",
        f"         where mDNS does not reach: appliance screen --box {ticket}\n  Stop   Ctrl-C\n",
        side_by_side(codes) if encrypted(settings) else _code(codes[0][1]),
    ]
    print("\n".join(lines), file=out, flush=True)


def trust_url(settings: Settings, host: str) -> str:
    """Where the plain page is that says how to trust the box."""
    port = settings.trust_port or settings.port
    return f"http://{host}/" if port == 80 else f"http://{host}:{port}/"


def side_by_side(codes: list[tuple[str, str]]) -> str:
    """QR codes in one row, each under its words."""
    pictures = [_code(address).splitlines() for _, address in codes]
    widths = [max(map(len, picture)) for picture in pictures]
    heads = _GAP.join(f"  {words}".ljust(width) for (words, _), width in zip(codes, widths, strict=True))
    rows = zip_longest(*pictures, fillvalue="")
    return "\n".join([heads, *(_GAP.join(line.ljust(w) for line, w in zip(row, widths, strict=True)) for row in rows)])


def _code(address: str) -> str:
    out = io.StringIO()
    segno.make(address, error="l").terminal(out, compact=True, border=2)
    return out.getvalue().rstrip("\n")


def fingerprint_lines(settings: Settings) -> list[str]:
    """The fingerprint of the box's authority, in two lines."""
    pem = (settings.data / "keys" / "ca.crt").read_text()
    groups = fingerprint(ssl.PEM_cert_to_DER_cert(pem)).split()
    return [f"         {' '.join(groups[:8])}", f"         {' '.join(groups[8:])}"]
