"""Dialects: one file per family of models. ``pick`` chooses by what the model file says of itself."""

from __future__ import annotations

from appliance.llm.dialects.ask import Ask
from appliance.llm.dialects.instruct import Instruct
from appliance.llm.prompt import Dialect

__all__ = ["pick"]


def pick(wanted: str, model_name: str) -> Dialect:
    """The dialect for a model.

    Args:
        wanted: the setting ``model_dialect``: ``ask``, ``instruct`` or ``auto``.
        model_name: the model file's ``general.name``; the box's own models are called ``ask-...``.
    """
    if wanted == "ask" or (wanted == "auto" and model_name.startswith("ask-")):
        return Ask()
    return Instruct()
