"""Does the data service answer, and does it hear of changes?"""

from appliance.checks.data_service import check
from tests.unit.checks.probe import SaidProbe


async def test_ok_when_it_answers_and_hears() -> None:
    assert (await check(SaidProbe())).state == "ok"
    assert (await check(SaidProbe(pgflex={}))).state == "ok"


async def test_down_when_it_does_not_answer() -> None:
    found = await check(SaidProbe(pgflex=None))
    assert (found.name, found.state) == ("data service", "down")
    assert "restarting" in found.sentence
    assert found.fix


async def test_down_when_it_hears_of_no_changes() -> None:
    found = await check(SaidProbe(pgflex={"database": "ok", "feed": {"live": False}}))
    assert found.state == "down"
    assert "changes" in found.sentence


async def test_warns_when_changes_come_late() -> None:
    found = await check(SaidProbe(pgflex={"feed": {"live": True, "lag_s": 12.3, "lag_commits": 4000}}))
    assert (found.state, found.sentence) == ("warn", "Changes reach the screens 12 s late; 4000 commits wait.")
    assert (await check(SaidProbe(pgflex={"feed": {"live": True, "lag_s": 0.2, "lag_commits": 1}}))).state == "ok"
