"""``appliance ask --prose``: the answer, and then its rows as a larger model tells them, while it writes."""

from __future__ import annotations

import sys
from typing import Any

import httpx
import msgspec
from httpx_sse import SSEError, connect_sse

from appliance.errors import ApplianceError, from_shape
from appliance.screen.shell import print_answer
from appliance.screen.text import clean
from appliance.screen.trust import as_fault, verified

__all__ = ["ask_for_prose"]


def ask_for_prose(url: str, key: str, question: str, role: str | None, ca: str = "") -> int:
    """Ask and print; the exit status: 1 when a part of the box failed.

    Raises:
        ApplianceError: SCR501, no box answers; SCR505, it is not trusted here; and what the box says.
    """
    headers = {"Authorization": f"Bearer {key.strip()}"} if key else {}
    body = {"question": question, "role": role}
    try:
        with (
            httpx.Client(headers=headers, timeout=120, trust_env=False, verify=verified(ca)) as client,
            connect_sse(client, "POST", f"{url.rstrip('/')}/api/prose", json=body) as feed,
        ):
            if feed.response.status_code != 200:
                raise from_shape(msgspec.json.decode(feed.response.read()))
            return _print(msgspec.json.decode(event.data) for event in feed.iter_sse())
    except httpx.InvalidURL as error:
        raise ApplianceError(
            "SCR501", "This is no address.", str(error), "Give one: --url http://127.0.0.1:8080"
        ) from None
    except (httpx.HTTPError, SSEError, ValueError) as error:
        raise as_fault(url, error) or ApplianceError(
            "SCR501", "The box does not answer.", f"{url}: {error}", "Is `appliance up` running? Else name it: --url"
        ) from None


def _print(events: Any) -> int:
    answer: dict[str, Any] = {}
    for event in events:
        if "status" in event:
            answer = event
            print_answer(answer, as_json=False)
            print()
        elif event["event"] == "text":
            sys.stdout.write(clean(event["text"]))
            sys.stdout.flush()
        elif event["event"] == "told":
            print(f"\n({event['model']}, {event['model_ms'] / 1000:.1f} s)")
        elif event["event"] == "error" and answer.get("status") == "answered":
            print(from_shape(event["error"]).line(), file=sys.stderr)
    return 0 if answer.get("status") != "failed" else 1
