"""Stages: what a disk is made of, by target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from images import builder, stages
from images.mirror import Mirror
from images.stages import COMPILER, EPOCH, Build, disk
from images.target import TARGETS, Target


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_a_screen_keeps_what_draws_and_a_box_has_no_compiler(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Sequence[str]] = []

    def run(tag: str, words: Sequence[str], *_: Any) -> None:
        said.append(words)

    monkeypatch.setattr(stages, "WORK", tmp_path)
    monkeypatch.setattr(builder, "run", run)
    tree, start = tmp_path / "tree", tmp_path / "initrd"
    for made in (tree, start):
        made.with_name(f"{made.name}.inputs").write_text("inputs")
    made = disk(Build(target, "1.2.3", "box", Mirror("mirror", "security"), "tag", EPOCH), tree, start)
    [words] = said
    removed = {word.removeprefix("--remove-files=") for word in words if word.startswith("--remove-files=")}
    assert removed == (set(COMPILER) if target.kind == "box" else set())
    assert made == tmp_path / target.name / "disks" / "1.2.3"
