"""The dialect of Llama 3 and later."""

from __future__ import annotations

from appliance.llm.dialects.instruct import Family


class Llama(Family):
    """Speaks to models with ``<|start_header_id|>`` turns."""

    name = "llama"
    marks = ("<|start_header_id|>",)
    before = "<|start_header_id|>system<|end_header_id|>\n\n"
    between = "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
    after = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
