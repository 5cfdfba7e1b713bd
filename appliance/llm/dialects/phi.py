"""The dialect of Phi 3 and its successors with the same turns."""

from __future__ import annotations

from appliance.llm.dialects.instruct import Family


class Phi(Family):
    """Speaks to models with ``<|user|>`` and ``<|end|>`` turns."""

    name = "phi"
    marks = ("<|user|>", "<|end|>")
    before = "<|system|>\n"
    between = "<|end|>\n<|user|>\n"
    after = "<|end|>\n<|assistant|>\n"
