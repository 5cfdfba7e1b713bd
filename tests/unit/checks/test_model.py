"""Is the model loaded, and does it take questions?"""

import pytest

from appliance.checks.model import check
from tests.unit.checks.probe import SaidProbe


@pytest.mark.parametrize("state", ["ready", "busy"])
async def test_ok_when_it_is_loaded(state: str) -> None:
    found = await check(SaidProbe(llm={"state": state, "name": "ask"}))
    assert (found.name, found.state) == ("model", "ok")
    assert "ask" in found.sentence


async def test_down_while_it_is_loading() -> None:
    found = await check(SaidProbe(llm={"state": "loading", "name": ""}))
    assert found.state == "down"
    assert "loaded" in found.sentence


async def test_down_with_its_own_fault_when_it_cannot_be_loaded() -> None:
    error = {"code": "LLM208", "message": "The model file cannot be loaded.", "details": None, "hint": "Fetch it anew."}
    found = await check(SaidProbe(llm={"state": "failed", "error": error}))
    assert (found.state, found.sentence, found.fix) == ("down", "The model file cannot be loaded.", "Fetch it anew.")


async def test_down_when_the_worker_does_not_answer() -> None:
    found = await check(SaidProbe(llm=None))
    assert found.state == "down"
    assert found.fix
