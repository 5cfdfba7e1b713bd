"""The kiosk's browser: real Chromium, without a display, as a program of its own that adds what a test needs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.screen import browser
from appliance.screen.browser import FLAGS, command, draws, find_browser, keep_open
from tests.browser.conftest import chromium


@pytest.fixture
def program(tmp_path: Path) -> str:
    """Chromium for a machine without a display; tests run as root, which it starts as only without its sandbox."""
    file = tmp_path / "chromium"
    file.write_text(f'#!/bin/sh\nexec {chromium()} --headless --no-sandbox --disable-gpu "$@"\n')
    file.chmod(0o700)
    return str(file)


class Asked:
    """A page on this machine that counts who opens it."""

    def __init__(self) -> None:
        self.count = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).split()
        self.count += words[1:2] == [b"/"]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        await writer.drain()
        writer.close()

    async def times(self, count: int, timeout_s: float = 30) -> None:
        async with asyncio.timeout(timeout_s):
            while self.count < count:  # noqa: ASYNC110 (the browser tells nobody)
                await asyncio.sleep(0.1)


def running(profile: Path) -> list[int]:
    """The processes of the browser with this profile."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"--user-data-dir={profile}".encode() in words and (entry / "status").exists():
                found.append(int(entry.name))
    return sorted(found)


async def test_it_opens_the_page_is_started_again_when_it_dies_and_ends_with_the_screen(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "BACKOFF_S", (0.1, 0.2))
    asked, profile = Asked(), tmp_path / "profile"
    server = await asyncio.start_server(asked.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    showing = asyncio.create_task(keep_open(program, f"http://127.0.0.1:{port}/", profile))
    try:
        await asked.times(1)
        os.kill((await asyncio.to_thread(running, profile))[0], signal.SIGKILL)
        await asked.times(2)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        server.close()
    until = time.monotonic() + 5
    while await asyncio.to_thread(running, profile):
        assert time.monotonic() < until, "its processes end with it"
        await asyncio.sleep(0.1)


async def test_it_reaches_nothing_but_this_machine(tmp_path: Path, program: str) -> None:
    asked = Asked()
    server = await asyncio.start_server(asked.answer, "0.0.0.0", 0)  # noqa: S104 (so that it would hear of it)
    port = server.sockets[0].getsockname()[1]

    async def visit(host: str, without: str = "no flag") -> None:
        started = await asyncio.to_thread(command, program, "about:blank", tmp_path / host)
        words = [word for word in started if not word.startswith(("--app=", without))]
        process = await asyncio.create_subprocess_exec(
            *words,
            "--dump-dom",
            f"http://{host}:{port}/",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await asyncio.wait_for(process.wait(), 60)

    try:
        await visit("127.0.0.1")
        assert asked.count == 1
        for elsewhere in ("127.0.0.2", "localhost"):
            await visit(elsewhere)
        assert asked.count == 1
        await visit("127.0.0.2", without="--host-resolver-rules")
        assert asked.count == 2, "without the flag it is reached"
    finally:
        server.close()


def test_every_flag_is_passed_and_says_why(tmp_path: Path) -> None:
    words = command("chromium", "http://127.0.0.1:8090/", tmp_path)
    assert set(FLAGS) < set(words)
    assert words[-1] == "--app=http://127.0.0.1:8090/"
    assert f"--user-data-dir={tmp_path}" in words
    assert all(len(why) > 5 for why in FLAGS.values())
    assert not any("remote-debugging" in word or "no-sandbox" in word for word in words)


def test_no_browser_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ApplianceError) as told:
        find_browser("no-such-browser")
    assert told.value.code == "SCR512"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ApplianceError):
        find_browser()


@pytest.mark.parametrize(
    ("drivers", "drawn"),
    [([], True), (["i915"], True), (["virtio_gpu"], False), (["simple-framebuffer", "amdgpu"], True), (["ast"], False)],
)
def test_the_processor_draws_where_the_graphics_do_not(tmp_path: Path, drivers: list[str], drawn: bool) -> None:
    for place, driver in enumerate(drivers):
        (tmp_path / "drivers" / driver).mkdir(parents=True)
        (tmp_path / f"card{place}" / "device").mkdir(parents=True)
        (tmp_path / f"card{place}" / "device" / "driver").symlink_to(tmp_path / "drivers" / driver)
    (tmp_path / "card0-HDMI-A-1").mkdir()
    assert draws(tmp_path) == drawn
