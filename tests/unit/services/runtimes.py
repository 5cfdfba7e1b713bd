"""A box's runtime for tests of its services: nothing listens at its addresses unless a test says so."""

from __future__ import annotations

from typing import Any

from appliance.config import Runtime, load

NOWHERE = "http://127.0.0.1:9"
KEYS = {"wall": "the wall's key", "staff": "the staff's key", "admin": "the administrator's key"}


def runtime(*, url: str = NOWHERE, **given: Any) -> Runtime:
    """A runtime whose parts are all at `url`; `given` are settings."""
    return Runtime(
        settings=load({"data": "/nowhere", **given}, environ={}),
        postgres_dsn="",
        postgrest_url=url,
        pgflex_url=url,
        llm_url=url,
        bridge_url=url,
        gateway_url=url,
        token="the box's own token",
        secret="s" * 48,
        keys=KEYS,
    )
