"""The dialect of Granite 3."""

from __future__ import annotations

from appliance.llm.dialects.instruct import Family


class Granite(Family):
    """Speaks to models with ``<|start_of_role|>`` turns."""

    name = "granite"
    marks = ("<|start_of_role|>",)
    before = "<|start_of_role|>system<|end_of_role|>"
    between = "<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>"
    after = "<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>"
