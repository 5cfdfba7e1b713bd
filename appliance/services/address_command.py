"""``appliance admin address``: what ``appliance up`` printed, once more, and also for a box that units run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from appliance.config import Runtime, Settings, default_data, load
from appliance.errors import ApplianceError
from appliance.services import deployment
from appliance.services.greeting import greet
from appliance.services.keys import internal_keys

NO_TICKET = "ID@IP:PORT (in the bridge's log line)"


def run(data: str | None, declared: str | None) -> int:
    """Print where the box of this machine is, with the admin's key and codes for a camera; returns the exit status.

    Args:
        data: its data folder; None looks in the usual ones.
        declared: the deployment's TOML file; None takes the usual one where it is there.

    Raises:
        ApplianceError: BRG406, no box runs here; BRG401, its keys may not be read.
    """
    if declared or (data is None and deployment.FILE.exists()):
        told, settings = deployment.read(Path(declared) if declared else None)
        greet(settings, _key(settings.data), _tried(lambda: _ticket(told)))
        return 0
    settings = _running(data)
    greet(settings, _key(settings.data), NO_TICKET)
    return 0


def ticket(runtime: Runtime) -> str:
    """How a screen that mDNS does not reach finds this box: ``ID@IP:PORT``."""
    return _tried(lambda: _asked(runtime.bridge_url, runtime.token))


def _ticket(told: deployment.Deployment) -> str:
    return _asked(told.url("bridge"), internal_keys(Path(told.data) / "keys")["token"])


def _asked(bridge_url: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    told = httpx.get(f"{bridge_url}/health", headers=headers, trust_env=False).json()
    return f"{told['endpoint_id']}@{told['addresses'][0]}"


def _tried(find: Callable[[], str]) -> str:
    try:
        return find()
    except (httpx.HTTPError, ValueError, LookupError):
        return NO_TICKET


def _running(data: str | None) -> Settings:
    """The settings of the box that runs here, as far as its address needs them."""
    folders = [Path(data)] if data else [default_data(demo) for demo in ("none", "hospital", "lawfirm")]
    for folder in folders:
        try:
            url = urlsplit(str(msgspec.json.decode((folder / "run" / "box.json").read_bytes())["url"]))
        except (OSError, ValueError, LookupError):
            continue
        port = url.port or {"https": 443}.get(url.scheme, 80)
        return load({"data": str(folder), "port": port, "lan": url.scheme == "https"})
    raise ApplianceError(
        "BRG406", "No box runs on this machine.", None, "Start one with appliance up; or name its folder with --data."
    )


def _key(data: Path) -> str:
    try:
        return (data / "keys" / "admin.key").read_text().strip()
    except OSError as error:
        raise ApplianceError(
            "BRG401", "The box's keys may not be read.", str(error), "Run it as the user who runs the box."
        ) from None
