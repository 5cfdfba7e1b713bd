"""Does PostgreSQL answer the data service?"""

from appliance.checks.database import check
from tests.unit.checks.probe import SaidProbe


async def test_ok_when_the_data_service_reaches_it() -> None:
    assert (await check(SaidProbe())).state == "ok"


async def test_down_when_the_data_service_does_not_reach_it() -> None:
    found = await check(SaidProbe(pgflex={"database": "down"}))
    assert (found.name, found.state) == ("database", "down")
    assert found.fix


async def test_warn_when_it_cannot_be_asked() -> None:
    found = await check(SaidProbe(pgflex=None))
    assert found.state == "warn"
    assert "data service" in found.sentence
