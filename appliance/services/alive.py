"""Whether a part lives, asked from beside it: what the health checks of containers and units run.

    python -m appliance.services.alive

It asks the part of ``DREAMSTACK_RUNTIME_FILE`` for its ``/health``, with nothing but the standard library, because it
runs every few seconds. The gateway answers for all parts.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

_PATIENCE_S = 4.0


def main() -> int:
    """0 if the part is well; else 1, and why on stderr."""
    try:
        file = Path(os.environ["DREAMSTACK_RUNTIME_FILE"])
        told = json.loads(file.read_bytes())
        part = file.parent.name
        key = told["keys"]["staff"] if part == "gateway" else told["token"]
        status, body = _health(told[f"{part}_url"], key, Path(told["settings"]["data"]))
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        print(repr(error), file=sys.stderr)
        return 1
    print(body[:1000], file=sys.stderr)
    return 0 if status == 200 else 1


def _health(url: str, key: str, data: Path) -> tuple[int, str]:
    at = urlsplit(url)
    host = "127.0.0.1" if at.hostname == "0.0.0.0" else at.hostname or ""  # noqa: S104 (where the door listens)
    door: http.client.HTTPConnection
    if at.scheme == "https":
        trusted = ssl.create_default_context(cafile=data / "keys" / "ca.crt")
        door = http.client.HTTPSConnection(host, at.port or 443, timeout=_PATIENCE_S, context=trusted)
    else:
        door = http.client.HTTPConnection(host, at.port or 80, timeout=_PATIENCE_S)
    try:
        door.request("GET", "/health", headers={"Authorization": f"Bearer {key}"})
        answer = door.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        door.close()


if __name__ == "__main__":
    sys.exit(main())
