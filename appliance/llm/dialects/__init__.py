"""Dialects: one file per family of models. ``pick`` chooses by what the model file says of itself."""

from __future__ import annotations

from typing import Final

from appliance.llm.dialects.ask import Ask
from appliance.llm.dialects.chatml import Chatml
from appliance.llm.dialects.gemma import Gemma
from appliance.llm.dialects.granite import Granite
from appliance.llm.dialects.instruct import Family, Instruct
from appliance.llm.dialects.llama import Llama
from appliance.llm.dialects.mistral import Mistral
from appliance.llm.dialects.phi import Phi
from appliance.llm.prompt import Dialect

__all__ = ["FAMILIES", "pick"]

FAMILIES: Final[tuple[type[Family], ...]] = (Chatml, Llama, Gemma, Granite, Phi, Mistral)


def pick(wanted: str, model_name: str, template: str = "") -> Dialect:
    """The dialect for a model.

    Args:
        wanted: the setting ``model_dialect``: ``auto``, or the name of a dialect.
        model_name: the model file's ``general.name``; the box's own models are called ``ask-...``.
        template: the chat template it carries, by whose marks a family is known.
    """
    if wanted == "ask" or (wanted == "auto" and model_name.startswith("ask-")):
        return Ask()
    for family in FAMILIES:
        if wanted == family.name or (wanted == "auto" and family.knows(template)):
            return family()
    return Instruct()
