"""The build options stay within the baseline, and only a wheel that is whole and made with them is taken."""

import io
from pathlib import Path

import pytest

from scripts import llama_wheel

HASWELL = "flags\t\t: fpu sse4_2 avx avx2 fma f16c bmi2\n"
SAPPHIRE_RAPIDS = "flags\t\t: fpu sse4_2 avx avx2 fma f16c bmi2 avx512f avx512_vnni amx_tile amx_int8\n"
REQUIREMENT = "llama-cpp-python==0.3.36 \\\n    --hash=sha256:00\n"


def options(cpuinfo: str) -> list[str]:
    return llama_wheel.cmake_options("x86_64", llama_wheel.cpu_flags(cpuinfo))


def test_a_newer_processor_gets_no_more_than_the_baseline() -> None:
    assert options(SAPPHIRE_RAPIDS) == options(HASWELL)
    assert "-DGGML_NATIVE=OFF" in options(HASWELL)
    assert "-DGGML_AVX2=ON" in options(HASWELL)
    assert not [option for option in options(SAPPHIRE_RAPIDS) if "AMX" in option or "512" in option]


def test_an_older_processor_gets_only_what_it_has() -> None:
    old = options("flags : sse4_2 avx\n")
    assert {"-DGGML_SSE42=ON", "-DGGML_AVX=ON", "-DGGML_AVX2=OFF", "-DGGML_FMA=OFF", "-DGGML_BMI2=OFF"} <= set(old)


def test_what_one_processor_lacks_is_off() -> None:
    assert llama_wheel.cpu_flags(HASWELL + "flags\t: sse4_2 avx\n") == {"sse4_2", "avx"}


def test_arm_takes_the_default_of_its_compiler() -> None:
    assert llama_wheel.cmake_options("aarch64", []) == ["-DGGML_NATIVE=OFF", "-DLLAVA_BUILD=OFF"]


def test_the_key_changes_with_all_that_changes_the_wheel() -> None:
    def key(
        requirement: str = REQUIREMENT, machine: str = "x86_64", flags: str = HASWELL, libc: str = "glibc2.36"
    ) -> str:
        return llama_wheel.cache_key(requirement, machine, options(flags), libc)

    keys = {
        key(),
        key(requirement=REQUIREMENT.replace("00", "11")),
        key(machine="aarch64"),
        key(flags="flags : avx\n"),
        key(libc="glibc2.41"),
    }
    assert len(keys) == 5
    assert key().startswith("llama-cpp-python-0.3.36-x86_64-glibc2.36-")


def test_a_kept_wheel_is_found_until_a_byte_of_it_changes(tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(b"wheel")
    folder = tmp_path / "cache" / "key"
    assert llama_wheel.find(folder) is None
    kept = llama_wheel.keep(wheel, folder)
    assert llama_wheel.find(folder) == kept
    assert list(folder.parent.iterdir()) == [folder]
    kept.write_bytes(b"wheeL")
    assert llama_wheel.find(folder) is None
    assert llama_wheel.find(llama_wheel.keep(wheel, folder).parent) == kept


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def follow(out: io.StringIO) -> str:
    progress = llama_wheel.Progress(out)
    progress.show()
    for step in range(1, 141):
        progress.read(f"  [{step}/140] /usr/bin/c++ -c x.cpp\n")
        progress.read("  -- Installing: x\n")
        progress.show()
    progress.end("built")
    return out.getvalue()


def test_progress_is_a_line_per_tenth_in_a_log() -> None:
    lines = follow(io.StringIO()).splitlines()
    assert [line.split("building")[1].split("%")[0].strip() for line in lines[:-1]] == [
        str(percent) for percent in range(0, 101, 10)
    ]
    assert "built (0 s)" in lines[-1]


def test_progress_is_one_moving_line_on_a_terminal() -> None:
    shown = follow(Terminal())
    assert shown.count("\n") == 1
    assert shown.count("\r") == 142


@pytest.mark.parametrize("exit_code", [0, 3])
def test_a_build_that_fails_keeps_nothing_and_leaves_a_log(
    tmp_path: Path, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    out = 'while [ "$1" != -w ]; do shift; done; echo "$CMAKE_ARGS"'
    made = 'echo wheel > "$2/made.whl"' if exit_code == 0 else "echo no compiler"
    python.write_text(f"#!/bin/sh\n{out}; echo '[1/2] x'; {made}; exit {exit_code}\n")
    python.chmod(0o755)
    log = tmp_path / "logs" / "build.log"
    wheel = llama_wheel.build(tmp_path / "wheels" / "key", python, ["-DA=ON", "-DB=OFF"], log)
    assert log.read_text().startswith("-DA=ON -DB=OFF\n[1/2] x\n")
    assert (wheel is not None) == (exit_code == 0)
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == (["key"] if exit_code == 0 else [])
    assert ("built" if exit_code == 0 else "failed") in capsys.readouterr().out
