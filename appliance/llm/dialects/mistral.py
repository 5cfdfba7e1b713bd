"""The dialect of Mistral's instruct models: the instruction opens the user's turn."""

from __future__ import annotations

from appliance.llm.dialects.instruct import Family


class Mistral(Family):
    """Speaks to models with ``[INST]`` turns."""

    name = "mistral"
    marks = ("[INST]",)
    unlike = "<<SYS>>"
    before = "[INST] "
    between = "\n\n"
    after = "[/INST]"
