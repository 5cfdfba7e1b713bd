"""The page that shows a stream: what the box serves to browsers, and a kiosk to its own.

>>> len(load_page().gzipped) < 16 * 1024
True
"""

from appliance.screen.receiver.assembly import Page, join_style, load_page, load_waiting, policy, with_microphone
from appliance.screen.receiver.bundling import close_up, digest, squeeze, trim
from appliance.screen.receiver.layers import Part, load_parts, load_past

__all__ = [
    "Page",
    "Part",
    "close_up",
    "digest",
    "join_style",
    "load_page",
    "load_parts",
    "load_past",
    "load_waiting",
    "policy",
    "squeeze",
    "trim",
    "with_microphone",
]
