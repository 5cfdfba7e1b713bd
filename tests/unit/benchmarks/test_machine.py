"""Numbers from a machine that is busy with something else say so."""

from pathlib import Path

from benchmarks.machine import Machine, _cpu, look


def test_this_machine_has_cores_and_a_load() -> None:
    here = look()
    assert here.cores >= 1
    assert here.load >= 0
    assert str(here.cores) in here.text()


def test_a_busy_machine_says_that_its_numbers_are_provisional() -> None:
    busy, idle = Machine("x", 2, 1.2, "3.11"), Machine("x", 2, 0.8, "3.11")
    assert "provisional" in busy.text()
    assert "provisional" not in idle.text()


def test_the_name_of_the_processor_is_the_first_one_told(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel name\t: Small CPU 7\n\nprocessor\t: 1\nmodel name\t: Other\n")
    assert _cpu(file) == "Small CPU 7"


def test_a_processor_without_a_name_is_told_by_its_kind(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\n")
    assert _cpu(file)
