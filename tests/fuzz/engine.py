"""libFuzzer at work on the targets, led by the coverage of the code they reach; started by ``python -m tests.fuzz``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["appliance.bridge"]):
    from tests.fuzz.targets import one_input

OPTIONS = ("-max_len=4096", "-timeout=10", "-rss_limit_mb=768", "-print_final_stats=1")

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *OPTIONS, *sys.argv[1:]], one_input)
    atheris.Fuzz()
