"""Settings: which place wins, what cannot be used, and that the table and the struct are one."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import pytest

from appliance.config import SETTINGS, Runtime, Setting, Settings, default_data, load
from appliance.errors import ApplianceError
from tests.unit.services.runtimes import runtime

OTHER: dict[type, tuple[str, Any]] = {int: ("7", 7), float: ("2.5", 2.5), bool: ("yes", True), str: ("other", "other")}


def unusable(given: dict[str, Any], environ: dict[str, str] | None = None) -> ApplianceError:
    with pytest.raises(ApplianceError) as caught:
        load({"data": "/nowhere", **given}, environ or {})
    assert caught.value.code == "BRG412"
    assert caught.value.hint
    return caught.value


def other(setting: Setting) -> tuple[str, Any]:
    """A value of the setting that is not its default, as text and as it is."""
    if setting.choices:
        value = next(choice for choice in setting.choices if choice != setting.default)
        return value, value
    if setting.name == "timezone":
        return "Europe/Vienna", "Europe/Vienna"
    if setting.name == "digest_at":
        return "07:00", "07:00"
    if setting.kind is bool:
        return ("no", False) if setting.default else ("yes", True)
    return OTHER[setting.kind]


def test_the_table_and_the_struct_are_one() -> None:
    hints = typing.get_type_hints(Settings)
    assert hints.pop("data") is Path
    assert {setting.name: setting.kind for setting in SETTINGS} == hints


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_a_sentence_and_a_default_that_fits(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert type(setting.default) is setting.kind
    assert not setting.choices or setting.default in setting.choices
    assert getattr(load({"data": "/nowhere"}, {}), setting.name) == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_can_be_given_in_each_place(setting: Setting, tmp_path: Path) -> None:
    text, value = other(setting)
    assert getattr(load({"data": "/nowhere", setting.name: value}, {}), setting.name) == value
    assert getattr(load({"data": "/nowhere"}, {f"DREAMSTACK_{setting.name.upper()}": text}), setting.name) == value
    written = {True: "true", False: "false"}[value] if setting.kind is bool else repr(value)
    (tmp_path / "settings.toml").write_text(f"{setting.name} = {written}\n")
    assert getattr(load({"data": tmp_path}, {}), setting.name) == value


def test_command_line_then_environment_then_file_then_default(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('port = 1001\nbox_name = "from the file"\nanswers_kept = 3\n')
    environ = {"DREAMSTACK_PORT": "1002", "DREAMSTACK_BOX_NAME": "from the environment"}
    found = load({"data": tmp_path, "port": 1003, "box_name": None}, environ)
    assert (found.port, found.box_name, found.answers_kept, found.row_limit) == (1003, "from the environment", 3, 200)


def test_what_is_empty_was_not_said(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('facility = "The file\'s"')
    assert load({"data": tmp_path, "facility": ""}, {"DREAMSTACK_FACILITY": ""}).facility == "The file's"


def test_zero_and_false_were_said(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("demo_tick_s = 9.0\nmdns = true\n")
    found = load({"data": tmp_path, "demo_tick_s": 0.0, "mdns": False}, {})
    assert (found.demo_tick_s, found.mdns) == (0.0, False)


@pytest.mark.parametrize(
    "given",
    [
        {"port": "many"},
        {"port": -1},
        {"port": 80.5},
        {"port": True},
        {"port": [1]},
        {"lan": "perhaps"},
        {"lan": 2},
        {"demo": "nope"},
        {"demo_tick_s": "nan"},
        {"demo_tick_s": "inf"},
        {"demo_tick_s": "-1"},
        {"model_dialect": "latin"},
        {"digest_at": "7"},
        {"digest_at": "24:00"},
        {"timezone": "Mars/Base"},
        {"timezone": "../../etc/passwd"},
        {"timezone": "/etc/localtime"},
        {"box_name": 5},
    ],
    ids=str,
)
def test_what_cannot_be_used_is_told(given: dict[str, Any]) -> None:
    (name, value), *_ = given.items()
    error = unusable(given)
    assert name in error.message
    assert repr(value) in error.message
    assert f"--{name}" in str(error.details)


def test_where_a_wrong_value_was_read_is_told(tmp_path: Path) -> None:
    assert "DREAMSTACK_PORT" in str(unusable({}, {"DREAMSTACK_PORT": "x"}).details)
    (tmp_path / "settings.toml").write_text("port = 80.5")
    assert "settings.toml" in str(unusable({"data": tmp_path}).details)


def test_choices_are_named() -> None:
    assert "hospital or lawfirm or none" in str(unusable({"demo": "nope"}).hint)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("No", False)])
def test_truth_is_written_in_several_ways(text: str, value: bool) -> None:
    assert load({"data": "/nowhere"}, {"DREAMSTACK_LAN": text}).lan is value


def test_a_file_that_is_not_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("port = [")
    assert "settings.toml" in unusable({"data": tmp_path}).message


def test_an_unknown_setting_of_the_file_is_told_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_text("prot = 1\nport = 9000\n")
    assert load({"data": tmp_path}, {}).port == 9000
    assert capsys.readouterr().err == "settings.toml: unknown setting prot ignored\n"


def test_demos_do_not_share_a_folder() -> None:
    folders = {default_data(demo, {"XDG_DATA_HOME": "/home/x/.data"}) for demo in ("none", "hospital", "lawfirm")}
    assert len(folders) == 3
    assert load({"demo": "lawfirm"}, {}).data.name == "lawfirm"
    assert load({}, {"DREAMSTACK_DEMO": "hospital"}).data.name == "hospital"


def test_the_data_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}, {"DREAMSTACK_DATA": "/srv/box"}).data == Path("/srv/box")
    assert load({"data": "here"}, {"DREAMSTACK_DATA": "/srv/box"}).data == tmp_path / "here"
    assert load({"data": "~/box"}, {}).data == Path.home() / "box"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load({}, {}).port = 1  # type: ignore[misc]


def test_the_runtime_travels_through_the_environment() -> None:
    made = runtime(lan=True, box_name="Lobby ü")
    assert Runtime.from_environment({"DREAMSTACK_RUNTIME": made.encode()}) == made


def test_a_process_that_the_box_did_not_start_is_told() -> None:
    with pytest.raises(ApplianceError) as caught:
        Runtime.from_environment({})
    assert (caught.value.code, caught.value.hint) == ("BRG412", "Run: appliance up")
