"""A screen: a device that finds the box, keeps a copy of its signals, and shows them.

The agent speaks bitstream over Iroh and keeps the signals in a dict; what draws reads that dict. A box that
goes away leaves the screen with what it held, and with its age.

    >>> status = await run_screen(ScreenOptions(box="d8f7...@10.0.0.5:4711"))  # doctest: +SKIP
"""

from appliance.screen.agent import Agent
from appliance.screen.finder import Finder
from appliance.screen.start import ScreenOptions, default_folder, make_agent, run_screen
from appliance.screen.text import run_text
from appliance.screen.ticket import Ticket

__all__ = [
    "Agent",
    "Finder",
    "ScreenOptions",
    "Ticket",
    "default_folder",
    "make_agent",
    "run_screen",
    "run_text",
]
