"""Does the bridge move signals to screens?"""

from typing import Any

from appliance.checks.bridge import check
from tests.unit.checks.probe import SaidProbe


async def test_ok_when_the_assistant_is_connected() -> None:
    found = await check(SaidProbe())
    assert (found.name, found.state) == ("bridge", "ok")
    assert "3" in found.sentence


async def test_down_when_the_assistant_is_not_connected() -> None:
    answers: list[dict[str, Any]] = [{"sources": []}, {}]
    for said in answers:
        found = await check(SaidProbe(bridge=said))
        assert found.state == "down"
        assert "assistant" in found.sentence


async def test_down_when_it_does_not_answer() -> None:
    found = await check(SaidProbe(bridge=None))
    assert found.state == "down"
    assert "screens keep what they show" in found.sentence
