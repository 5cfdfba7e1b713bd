"""Can answers be spoken?"""

from appliance.checks.voice import check
from tests.unit.checks.probe import SaidProbe


async def test_ok_when_there_is_a_voice() -> None:
    found = await check(SaidProbe(bridge={"voice": True}))
    assert (found.name, found.state) == ("voice", "ok")


async def test_warns_with_what_to_install_when_there_is_none() -> None:
    found = await check(SaidProbe(bridge={"voice": False}))
    assert (found.state, found.fix) == ("warn", "apt-get install espeak-ng")


async def test_a_bridge_that_is_away_is_not_a_fault_of_the_voice() -> None:
    assert (await check(SaidProbe(bridge=None))).state == "ok"
