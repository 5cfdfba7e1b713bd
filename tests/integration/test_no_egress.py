"""Nothing leaves the building: a whole box in a network of its own, where every packet that leaves is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.box import ROOT, environment

TIMEOUT_S = 150


def test_a_box_that_is_asked_and_watched_sends_no_packet_out() -> None:
    # Who is not root gets a network as the root of a user namespace.
    network = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    done = subprocess.run(
        [*network, "--", sys.executable, "-m", "tests.integration.egress_box"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["on_purpose"] == {"ipv4": ["17>203.0.113.9"], "ipv6": ["17>2001:db8:9::9"]}  # the watch sees
    assert told["answered"] == 3
    assert told["left"] == []
