"""A screen: a device that finds the box, keeps a copy of its signals, and shows them.

The agent speaks bitstream over Iroh and keeps the signals in a dict; what draws reads that dict. A box that
goes away leaves the screen with what it held, and with its age.

    >>> from appliance.screen.start import ScreenOptions, run_screen
    >>> status = await run_screen(ScreenOptions(box="d8f7...@10.0.0.5:4711"))  # doctest: +SKIP

Nothing is imported here: the box's services use its small parts, and need not load an agent for that.
"""
