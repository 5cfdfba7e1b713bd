from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from appliance.screen.neighbour import owner_of

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = (
    "   1: {local} 0100007F:1F9A {state} 00000000:00000000 00:00000000 00000000  1000        0 123 1 0 20 4 0 10 -1\n"
)


def test_the_kernel_says_whose_connection_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        host, port = client.getsockname()
        assert owner_of(host, port) == os.geteuid()
    assert owner_of("127.0.0.1", port) is None


@pytest.mark.parametrize(
    ("local", "state", "owner"),
    [("0100007F:BC75", "01", 1000), ("0100007F:BC75", "06", None), ("0100007F:BC76", "01", None), ("", "01", None)],
)
def test_only_the_live_end_with_this_address_counts(tmp_path: Path, local: str, state: str, owner: int | None) -> None:
    (tmp_path / "tcp").write_text(HEAD + LINE.format(local=local, state=state))
    assert owner_of("127.0.0.1", 0xBC75, tmp_path / "tcp") == owner
