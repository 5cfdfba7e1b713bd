"""The vendor's key: what signs releases and updates, and what the boxes made with it believe.

It is made once and kept outside the checkout. Whoever has it can update every box made with it; whoever loses it can
update none of them any more.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from images.mirror import Refused

_NAME: Final = "appliance vendor"


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the key is: ``VENDOR_KEY``, else the user's configuration folder."""
    if told := environ.get("VENDOR_KEY"):
        return Path(told).absolute()
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return config / "dreamstack-appliance" / "vendor-key"


def make(place: Path) -> str:
    """Make the key unless it is there; returns its fingerprint.

    Raises:
        Refused: gpg is missing or refuses.
    """
    if found := fingerprint(place):
        return found
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    _gpg(place, "--passphrase", "", "--quick-generate-key", _NAME, "ed25519", "sign", "never")
    return fingerprint(place)


def fingerprint(place: Path) -> str:
    """The key's fingerprint, or nothing where there is no key."""
    if not place.is_dir():
        return ""
    lines = _gpg(place, "--with-colons", "--list-secret-keys").decode().splitlines()
    return next((line.split(":")[9] for line in lines if line.startswith("fpr:")), "")


def public(place: Path) -> bytes:
    """The half that boxes get, as the keyring file they read."""
    return _gpg(place, "--export", fingerprint(place))


def sign(place: Path, file: Path) -> Path:
    """Sign a file; the signature is beside it, with the ending ``.gpg``."""
    signature = file.with_name(f"{file.name}.gpg")
    signature.unlink(missing_ok=True)
    _gpg(place, "--output", str(signature), "--detach-sign", str(file))
    return signature


def _gpg(place: Path, *words: str) -> bytes:
    command = ["gpg", "--homedir", str(place), "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise Refused("gpg is missing: apt-get install gnupg") from None
    if done.returncode:
        raise Refused(f"gpg refuses: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
