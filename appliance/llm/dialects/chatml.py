"""The dialect of models that speak ChatML: Qwen 2.5 and 3, SmolLM2 and many others.

Those of them that think aloud unless told otherwise (Qwen 3) are given an empty thought.
"""

from __future__ import annotations

from appliance.llm.dialects.instruct import Family


class Chatml(Family):
    """Speaks to Qwen, SmolLM and other models with ``<|im_start|>`` turns."""

    name = "chatml"
    marks = ("<|im_start|>",)
    unlike = "<|im_sep|>"
    before = "<|im_start|>system\n"
    between = "<|im_end|>\n<|im_start|>user\n"
    after = "<|im_end|>\n<|im_start|>assistant\n"

    def _frame(self, template: str) -> str:
        thinks = "enable_thinking" in template
        return super()._frame(template) + ("<think>\n\n</think>\n\n" if thinks else "")
