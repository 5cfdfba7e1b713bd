"""A second opinion: where the small model is not sure, the larger one reads the question too, if the box has one.

What both read is taken as sure; what only the larger one reads is answered as "perhaps". How often it is right was not
measured with any model, so its word alone never makes an answer sure. Words that nothing explains are asked back still.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import httpx
from msgspec.structs import replace

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm.candidates import Candidate, Scores, alike
from appliance.llm.confidence import Understood
from appliance.llm.plan import Query, Refuse, validate
from appliance.llm.prompt import Task
from appliance.services.model_client import larger_plan
from appliance.types import Catalog, Question

__all__ = ["with_second_opinion"]

BOTH: Final = 0.8
"""The confidence of what both models read."""
LARGER: Final = 0.6
"""The confidence of what the larger model reads alone."""


async def with_second_opinion(
    client: httpx.AsyncClient,
    runtime: Runtime,
    question: Question,
    understood: Understood,
    catalog: Catalog,
    tell: Callable[[dict[str, Any]], None],
) -> Understood:
    """How a question is understood once the larger model was asked; as before where it writes nothing that can be run.

    Args:
        client: speaks to the model's process.
        runtime: where it listens.
        question: the question.
        understood: how the small model understands it.
        catalog: what the asking role may see.
        tell: hears the larger model's stages.
    """
    best = understood.best
    collection = catalog.collection(best.links.collection.name) if best else None
    if best is None or collection is None or not isinstance(best.plan, Query | Refuse) or understood.unsaid:
        return understood

    def heard(said: dict[str, Any]) -> None:
        if "stage" in said:
            tell(said)

    task = Task(question.text, collection.name, collection.label, collection.fields)
    plan = await larger_plan(client, runtime, task, question.screen, heard)
    try:
        if plan is None or plan.collection != collection.name:
            return understood
        validate(plan, catalog)
    except ApplianceError:
        return understood
    readings = [best, *understood.others]
    same = next((each for each in readings if alike(plan, each.plan)), None)
    if same is not None:
        return replace(understood, best=same, confidence=max(BOTH, understood.confidence))
    larger = Candidate(plan, best.links, best.sketch, Scores(0.0), by_model=False)
    return replace(understood, best=larger, confidence=LARGER, others=tuple(readings[:2]))
