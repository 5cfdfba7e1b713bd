"""Two builds, side by side."""

from pathlib import Path

from images.compare import differences


def build(folder: Path, content: str = "same", mode: int = 0o644) -> Path:
    for stage in ("base", "scratch"):
        (folder / stage / "etc").mkdir(parents=True)
        (folder / stage / "etc" / "file").write_text(content)
        (folder / stage / "etc" / "file").chmod(mode)
        (folder / stage / "etc" / "link").symlink_to("file")
    (folder / "initrd.cpio.zst").write_text("initrd")
    (folder / "base.inputs").write_text(content)
    return folder


def test_the_same_says_nothing(tmp_path: Path) -> None:
    assert list(differences(build(tmp_path / "a"), build(tmp_path / "b"))) == []


def test_content_rights_and_missing_files_are_named(tmp_path: Path) -> None:
    first, second = build(tmp_path / "a"), build(tmp_path / "b", "other", 0o600)
    (second / "initrd.cpio.zst").unlink()
    (second / "base" / "etc" / "link").unlink()
    assert list(differences(first, second)) == [
        "base: etc/file differs: kind and rights, content",
        "base: etc/link is in the first only",
        "initrd.cpio.zst: initrd.cpio.zst is in the first only",
    ]
