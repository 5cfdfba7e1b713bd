"""The page speaks the answer it shows large, and is silent when told to be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.box import Box
from tests.browser.conftest import Opens

pytestmark = pytest.mark.asyncio(loop_scope="module")
LISTEN = """() => {
  window.heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (at) {
    const samples = this.buffer.getChannelData(0), loud = Math.hypot(...samples) / Math.sqrt(samples.length);
    window.heard.push({ at, rate: this.buffer.sampleRate, seconds: this.buffer.duration, loud });
    return start.call(this, at);
  };
}"""


async def test_the_answer_is_spoken_and_can_be_stopped(box: Box, opens: Opens) -> None:
    watched = await opens(box.url)
    await watched.live()
    await watched.ask("How many beds are in cardiology?")
    await watched.answered("How many beds are in cardiology?")
    await watched.page.evaluate(LISTEN)
    await watched.page.locator("#speak").click()
    await watched.until("document.getElementById('speak').textContent === 'Stop'")
    await watched.until("heard.length > 3")
    heard = await watched.page.evaluate("heard")
    assert {piece["rate"] for piece in heard} == {16_000}
    assert max(piece["loud"] for piece in heard) > 0.02
    for before, after in pairwise(heard):
        assert after["at"] >= before["at"] + before["seconds"] - 1e-6
    await watched.page.locator("#speak").click()
    await watched.until("document.getElementById('speak').textContent === 'Speak'", 1)
