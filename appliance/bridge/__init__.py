"""The bridge: one signal graph, many renderers.

Sources write named values into a stream; every receiver gets the whole state once (a keyframe) and then
only what changed. The bridge knows no SQL, no model and no page layout: it moves signals.

    >>> from appliance.bridge import Copy, Stream
    >>> from appliance.types import Signal
    >>> stream, screen = Stream("main"), Copy()
    >>> stream.write("ward", [Signal("beds.free", 7)])
    >>> payload, is_sync = stream.view("wall").payload(screen.version)
    >>> screen.sync(msgspec.json.decode(payload)); screen.values  # doctest: +SKIP
    {'beds.free': 7}
"""

from appliance.bridge.frame import Decoder, Frame, FrameType, control, decode, encode, input_frame
from appliance.bridge.members import Member
from appliance.bridge.session import Session
from appliance.bridge.signals import Copy, Diff, View, apply, diff, merge
from appliance.bridge.stream import Stream, Streams

__all__ = [
    "Copy",
    "Decoder",
    "Diff",
    "Frame",
    "FrameType",
    "Member",
    "Session",
    "Stream",
    "Streams",
    "View",
    "apply",
    "control",
    "decode",
    "diff",
    "encode",
    "input_frame",
    "merge",
]
