"""The servers beside which the bridge is measured, and the crowd: each for a moment, with a few receivers."""

from __future__ import annotations

import pytest

from benchmarks import fanout, peers
from benchmarks.footprint import kernel_bytes
from benchmarks.peers import PeerFault, program, running
from benchmarks.throng import driven, source, throng


@pytest.mark.parametrize("wire", fanout.ORDER)
async def test_a_crowd_hears_every_step_of_every_server(wire: str) -> None:
    async with running(wire) as server, source(server) as writer, throng(server, 5) as crowd:
        run = await driven(server, crowd, writer, 20, 0.5, 200)
        assert run.sent == len(run.delays) == 10
        assert run.told.missing == 0
        assert run.told.units + run.told.skipped == 50
        assert server.rss() > 1_000_000


async def test_the_ramp_ends_where_the_limit_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "RAMP", (20, 40))
    monkeypatch.setattr(fanout, "RAMP_S", 0.3)
    async with running("mosquitto") as server, source(server) as writer, throng(server, 3) as crowd:
        ten = await driven(server, crowd, writer, 10, 0.3, 200)
        monkeypatch.setattr(fanout, "LIMIT_MS", 1e9)
        best = await fanout._ramp(server, crowd, writer, ten)
        assert best is not None
        assert best.rate == 40
        monkeypatch.setattr(fanout, "LIMIT_MS", 0.0)
        assert await fanout._ramp(server, crowd, writer, ten) is None


def test_a_peer_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PACKAGES, "nats", "no-such-server")
    with pytest.raises(PeerFault, match=r"apt-get install .*no-such-server"):
        program("nats")


def test_the_kernel_says_what_it_holds() -> None:
    told = "sockets: used 9\nTCP: inuse 4 orphan 0 tw 2 alloc 5 mem 3\nUDP: inuse 1 mem 7\n"
    assert kernel_bytes(told) == 3 * peers._PAGE
    assert kernel_bytes() >= 0
