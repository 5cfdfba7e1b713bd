"""The vendor kit."""

from pathlib import Path

import pytest

from images.brand import MODEL, Brand, layer, read, variables
from images.mirror import Refused

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "opt/dreamstack/venv-0/lib/python3.13/site-packages/appliance"
SHEET = ":root { --ink: #000; --accent: #00675d; }\n@media (prefers-color-scheme: dark) { :root { --accent: #5fd; } }\n"


def kit(folder: Path, text: str) -> Path:
    (folder / "brand.toml").write_text(text)
    return folder


def test_the_kit_of_this_project_can_be_read() -> None:
    assert read(ROOT / "images" / "brand") == Brand()


@pytest.mark.parametrize(
    "text",
    ['id = "With Space"', 'id = "far-too-long-a-name-for-a-label"', '[colours]\naccent = "}; *{x"', "no = 1", "id ="],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match=r"brand\.toml"):
        read(kit(tmp_path, text))


def test_names_settings_and_a_model_reach_ansible(tmp_path: Path) -> None:
    brand = read(kit(tmp_path, 'name = "Ward Box"\nhostname = "ward"\n[settings]\nrow_limit = 50\n'))
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    assert variables(brand, tmp_path, "box") == {
        "base_hostname": "ward",
        "dreamstack_settings": {"box_name": "Ward Box", "row_limit": 50, "large_model": MODEL},
    }
    assert "dreamstack_settings" not in variables(brand, tmp_path, "screen")


def test_colours_logo_model_ticket_and_files_are_laid_over_the_tree(tmp_path: Path) -> None:
    tree, made, folder = tmp_path / "tree", tmp_path / "made", tmp_path / "kit"
    for place in (tree / PACKAGE / "services/static", folder / "extra/etc"):
        place.mkdir(parents=True)
    (tree / PACKAGE / "services/static/notice.css").write_text(SHEET)
    (tree / PACKAGE / "services/static/favicon.svg").write_text("<svg>old</svg>")
    kit(folder, '[colours]\naccent = "#123456"\naccent_dark = "gold"\n')
    (folder / "logo.svg").write_text("<svg>new</svg>")
    (folder / "ticket").write_text("dreamstack-ticket")
    (folder / "extra/etc/motd").write_text("hello")
    layer(read(folder), folder, tree, made)
    sheet = (made / PACKAGE / "services/static/notice.css").read_text()
    assert sheet == SHEET.replace("#00675d", "#123456").replace("#5fd", "gold")
    assert (made / PACKAGE / "services/static/favicon.svg").read_text() == "<svg>new</svg>"
    assert (made / "etc/dreamstack/ticket").read_text() == "dreamstack-ticket"
    assert (made / "etc/motd").read_text() == "hello"


def test_every_style_sheet_has_the_colour_that_a_kit_changes() -> None:
    sheets = [file for file in (ROOT / "appliance").rglob("*.css") if "--accent" in file.read_text()]
    assert {file.name for file in sheets} >= {"1-base.css", "notice.css", "trust.css"}
