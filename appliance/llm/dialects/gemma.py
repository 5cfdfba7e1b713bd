"""The dialect of Gemma 1 to 3, which know no system turn: the instruction opens the user's."""

from __future__ import annotations

from appliance.llm.dialects.instruct import Family


class Gemma(Family):
    """Speaks to models with ``<start_of_turn>`` turns."""

    name = "gemma"
    marks = ("<start_of_turn>",)
    before = "<start_of_turn>user\n"
    between = "\n\n"
    after = "<end_of_turn>\n<start_of_turn>model\n"
