"""Is what screens show being recorded?"""

import pytest

from appliance.checks import recording
from tests.unit.checks.probe import SaidProbe


@pytest.mark.parametrize(
    ("bridge", "state", "words"),
    [
        (None, "warn", "restarts"),
        ({"sources": []}, "ok", "Nothing is recorded"),
        ({"recording": {"on": False}}, "ok", "a setting says so"),
        ({"recording": {"on": True, "problem": "No space left on device"}}, "warn", "No space left on device"),
        ({"recording": {"on": True, "recorders": 2, "bytes": 1_234_567, "oldest": None}}, "ok", "1.2 MB"),
        ({"recording": {"on": True, "recorders": 2, "bytes": 0, "oldest": 1_700_000_000_000}}, "ok", "from 2023-11-1"),
    ],
)
async def test_what_the_bridge_says_becomes_a_finding(bridge: dict[str, object] | None, state: str, words: str) -> None:
    found = await recording.check(SaidProbe(bridge=bridge))
    assert (found.name, found.state) == ("recording", state)
    assert words in found.sentence
    assert bool(found.fix) == (state != "ok")
