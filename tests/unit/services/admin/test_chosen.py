"""Settings that are chosen in the console: what may be, when it holds, and what wins over it."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from appliance.config import CHOSEN, load, origins
from appliance.errors import ApplianceError
from appliance.services.admin.chosen import Chosen
from tests.unit.services.runtimes import runtime


def chosen(data: Path, **given: str) -> Chosen:
    told = runtime(**given)
    settings = msgspec.structs.replace(told.settings, data=data)
    return Chosen(msgspec.structs.replace(told, settings=settings, origins=dict.fromkeys(given, "command line")))


async def test_a_choice_is_kept_and_read_at_the_next_start(tmp_path: Path) -> None:
    await chosen(tmp_path).set({"facility": 'St. "Brigid"', "timezone": "Europe/Berlin"})
    settings = await asyncio.to_thread(load, {"data": tmp_path}, {})
    assert (settings.facility, settings.timezone) == ('St. "Brigid"', "Europe/Berlin")
    told = await asyncio.to_thread(origins, {"data": tmp_path}, {})
    assert told["facility"] == "console"
    firm = await asyncio.to_thread(load, {"data": tmp_path, "timezone": "UTC"}, {})
    assert firm.timezone == "UTC"


async def test_some_choices_hold_at_once_and_some_from_the_next_start(tmp_path: Path) -> None:
    made = chosen(tmp_path)
    await made.set({"session_idle_minutes": 5, "timezone": "Europe/Berlin"})
    assert made.value("session_idle_minutes") == 5
    assert (made.value("timezone"), made.next("timezone"), made.waits("timezone")) == ("", "Europe/Berlin", True)


async def test_the_command_line_is_firm(tmp_path: Path) -> None:
    with pytest.raises(ApplianceError) as caught:
        await chosen(tmp_path, facility="St. X").set({"facility": "St. Y"})
    assert caught.value.code == "BRG490"


@pytest.mark.parametrize("name", ["port", "postgrest", "postgres_bin", "model", "electric_url", "data", "nonsense"])
async def test_programs_files_and_addresses_are_not_chosen(tmp_path: Path, name: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        await chosen(tmp_path).set({name: "/tmp/evil"})
    assert caught.value.code == "BRG490"


async def test_of_several_none_is_taken_where_one_cannot_be(tmp_path: Path) -> None:
    made = chosen(tmp_path)
    with pytest.raises(ApplianceError) as caught:
        await made.set({"facility": "St. X", "join": "nonsense"})
    assert caught.value.code == "BRG410"
    assert not (tmp_path / CHOSEN).exists()


def test_a_file_somebody_spoiled_does_not_stop_the_box(tmp_path: Path) -> None:
    (tmp_path / CHOSEN).write_text('postgrest = "/tmp/evil"\njoin = "nonsense"\nfacility = "St. X"\n')
    settings = load({"data": tmp_path}, environ={})
    assert (settings.postgrest, settings.join, settings.facility) == ("", "auto", "St. X")
    (tmp_path / CHOSEN).write_text("not TOML")
    assert load({"data": tmp_path}, environ={}).facility == ""
