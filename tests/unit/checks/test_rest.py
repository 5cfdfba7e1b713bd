"""Does PostgREST answer?"""

from appliance.checks.rest import check
from tests.unit.checks.probe import SaidProbe


async def test_ok_when_it_answers() -> None:
    assert (await check(SaidProbe())).state == "ok"


async def test_down_when_it_does_not() -> None:
    found = await check(SaidProbe(postgrest=None))
    assert (found.name, found.state) == ("REST", "down")
    assert found.fix
