"""The page that shows a stream: what the box serves to browsers, and a kiosk to its own.

>>> len(load_page().gzipped) < 16 * 1024
True
"""

from appliance.screen.receiver.assembly import (
    Page,
    close_up,
    digest,
    join_style,
    load_page,
    load_waiting,
    policy,
    squeeze,
    trim,
)

__all__ = ["Page", "close_up", "digest", "join_style", "load_page", "load_waiting", "policy", "squeeze", "trim"]
