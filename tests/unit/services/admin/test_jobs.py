"""Long work: how far it is, one of a kind, cancelled, and what a restart makes of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ApplianceError
from appliance.services.admin.jobs import Jobs, Report


async def ended(jobs: Jobs, id_: str) -> str:
    async with asyncio.timeout(5):
        while jobs.get(id_).state == "running":  # noqa: ASYNC110 (it is the state that is tested)
            await asyncio.sleep(0.01)
    return jobs.get(id_).state


async def test_work_says_how_far_it_is_and_what_came_of_it(tmp_path: Path) -> None:
    jobs, go = Jobs(tmp_path / "jobs.json"), asyncio.Event()

    async def work(report: Report) -> dict[str, Any]:
        report.tell("Half of it is done.", 0.5)
        await go.wait()
        return {"rows": 7}

    job = jobs.start("backup", "maria", "It begins.", work)
    await asyncio.sleep(0.01)
    assert (job.state, job.progress, job.said) == ("running", 0.5, "Half of it is done.")
    with pytest.raises(ApplianceError) as caught:
        jobs.start("backup", "jonas", "Another.", work)
    assert caught.value.code == "BRG488"
    go.set()
    assert await ended(jobs, job.id) == "done"
    assert (job.result, job.progress) == ({"rows": 7}, 1.0)


async def test_a_fault_is_told_in_the_one_shape(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs.json")

    async def work(report: Report) -> None:
        raise ApplianceError("BRG471", "It is damaged.", None, "Take another.")

    job = jobs.start("drill", "maria", "", work)
    assert await ended(jobs, job.id) == "failed"
    assert job.error is not None
    assert job.error["code"] == "BRG471"


async def test_cancelled_work_has_stopped_when_that_is_answered(tmp_path: Path) -> None:
    jobs, stopped = Jobs(tmp_path / "jobs.json"), asyncio.Event()

    async def work(report: Report) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            stopped.set()

    job = jobs.start("model", "maria", "", work)
    await asyncio.sleep(0.01)
    assert (await jobs.cancel(job.id)).state == "cancelled"
    assert stopped.is_set()


async def test_who_listens_hears_every_change(tmp_path: Path) -> None:
    jobs, heard = Jobs(tmp_path / "jobs.json"), []

    async def listen() -> None:
        async for job in jobs.news():
            heard.append((job.state, job.said))

    async def work(report: Report) -> None:
        report.tell("One.")
        report.tell("Two.")

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await ended(jobs, jobs.start("import", "maria", "Zero.", work).id)
    jobs.close()
    await asyncio.wait_for(listener, 1)
    assert heard == [("running", "Zero."), ("running", "One."), ("running", "Two."), ("done", "Two.")]


async def test_what_a_restart_cut_off_has_failed(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    jobs = Jobs(file)
    job = jobs.start("backup", "maria", "", lambda report: asyncio.sleep(60))
    await jobs.keep()
    after = Jobs(file)
    await asyncio.to_thread(after.load)
    assert after.get(job.id).state == "failed"
    await jobs.stop()
