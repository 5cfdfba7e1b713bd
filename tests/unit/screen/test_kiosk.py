"""A kiosk as a process of its own beside a small box: away, back, asleep, started anew; and who gets its page."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.bridge.frame import input_frame
from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.members import Member, Waiting
from appliance.errors import ApplianceError
from appliance.screen.kiosk import KioskOptions, run_kiosk
from appliance.screen.start import ScreenOptions
from appliance.screen.ticket import Ticket, write
from tests.box import ROOT, environment, free_port
from tests.kiosk import Kiosk, kiosk_of
from tests.receiver import Receiver, joined
from tests.unit.screen.small_box import SmallBox, until
from tests.unit.screen.small_mesh import Room, SigningBox, all_running

pytestmark = pytest.mark.alone

LINK = "screen.box"


async def in_state(page: Receiver, wanted: str, timeout_s: float = 15) -> None:
    await page.until(lambda signals: signals.get(LINK, {}).get("state") == wanted, timeout_s)


async def test_a_page_has_what_the_box_has_and_its_age_when_it_is_away(box: SmallBox, tmp_path: Path) -> None:
    box.write({"beds.free": 7, "screen.box": "not from a box"})
    async with kiosk_of(tmp_path, write(box.ticket)) as kiosk, joined(kiosk.url) as page:
        await in_state(page, "live")
        await page.until(lambda signals: signals.get("beds.free") == 7)
        assert page.signals[LINK]["seen"] is None
        await box.stop()
        await in_state(page, "away")
        link = page.signals[LINK]
        assert 0 <= time.time() * 1000 - link["seen"] < 10_000
        assert page.signals["beds.free"] == 7
        box.write({"beds.free": 8})
        await box.start()
        await page.until(lambda signals: signals.get("beds.free") == 8)
        await in_state(page, "live")
        assert await kiosk.end() == 0


async def test_a_question_asked_while_the_box_is_away_survives_the_agent_and_is_asked_once(
    box: SmallBox, tmp_path: Path
) -> None:
    box.write({"beds.free": 7})
    async with kiosk_of(tmp_path, write(box.ticket)) as kiosk:
        async with joined(kiosk.url) as page:
            await in_state(page, "live")
            await page.until(lambda signals: "beds.free" in signals)
            await asyncio.sleep(2.5)  # it keeps what it holds every 2 s
            await box.stop()
            await in_state(page, "away")
            await page.ask("How many beds are free?", ref="r1")
            await page.until(lambda signals: signals[LINK]["kept"] == 1)
            await asyncio.sleep(0.3)
        await kiosk.end(signal.SIGKILL)
        await kiosk.start()
        async with joined(kiosk.url) as page:
            await in_state(page, "away")
            assert (page.signals["beds.free"], page.signals[LINK]["kept"]) == (7, 1)
            await page.ask("How many beds are free?", ref="r1")  # the page, too, says it again
            await box.start()
            await in_state(page, "live")
            await page.until(lambda signals: signals[LINK]["kept"] == 0)
            await asyncio.sleep(0.5)
    heard = [box.heard.get_nowait() for _ in range(box.heard.qsize())]
    assert [(said["ref"], said["question"]) for said in heard] == [("r1", "How many beds are free?")]


async def test_what_the_box_says_of_a_pin_reaches_the_page_that_pinned(box: SmallBox, tmp_path: Path) -> None:
    async with (
        kiosk_of(tmp_path, write(box.ticket)) as kiosk,
        joined(kiosk.url) as page,
        joined(kiosk.url) as other,
    ):
        for each in (page, other):
            await in_state(each, "live")
        await page.send(input_frame("pin", answer="a1", ref="p1", ack=True))
        await page.until(lambda _: page.acks == ["p1"])
        box.refuses = ApplianceError("BRG403", "Walls may not see it.")
        await page.send(input_frame("pin", answer="a2", ref="p2", ack=True))
        await page.until(lambda _: page.errors)
        await box.stop()
        await in_state(page, "away")
        await page.send(input_frame("cancel", asked="r1", ref="p3", ack=True))
        await page.until(lambda _: len(page.errors) == 2)
    assert [(error["ref"], error["code"]) for error in page.errors] == [("p2", "BRG403"), ("p3", "SCR502")]
    assert (other.acks, other.errors) == ([], [])


async def test_it_sleeps_eight_seconds_and_is_live_again(box: SmallBox, tmp_path: Path) -> None:
    async with kiosk_of(tmp_path, write(box.ticket)) as kiosk, joined(kiosk.url) as page:
        await in_state(page, "live")
        kiosk.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(8)
        box.write({"beds.free": 9})
        kiosk.process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        await page.until(lambda signals: signals.get("beds.free") == 9, 10)
        await in_state(page, "live")
        assert time.monotonic() - began < 8


async def test_a_second_kiosk_on_the_folder_is_refused(box: SmallBox, tmp_path: Path) -> None:
    async with kiosk_of(tmp_path, write(box.ticket)) as kiosk:
        second = Kiosk(tmp_path, write(box.ticket))
        process = await asyncio.create_subprocess_exec(
            *second.words(), cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, out) == (1, b"")
        assert err.decode().splitlines() == [
            f"SCR509: Another kiosk runs on this folder. ({tmp_path})",
            "  fix: Give each its own: --data DIR",
        ]
        assert (await kiosk.get("/screen")).status_code == 200


class Door:
    """Lets a screen wait until a test says otherwise."""

    code = "K7XQ2P"
    expires_s = 600.0

    def __init__(self) -> None:
        self.word: asyncio.Future[Member] = asyncio.get_running_loop().create_future()

    async def decided(self) -> Member | Waiting:
        return await self.word


async def test_it_shows_its_code_and_nothing_it_held_until_it_is_let_in(box: SmallBox, tmp_path: Path) -> None:
    box.write({"patient": "Muster"})
    async with kiosk_of(tmp_path, write(box.ticket)) as kiosk, joined(kiosk.url) as page:
        await page.until(lambda signals: "patient" in signals)
        await asyncio.sleep(2.5)
        assert b"Muster" in await asyncio.to_thread((tmp_path / "held.json").read_bytes)
        box.waiting = door = Door()
        await box.stop()
        await box.start()
        await in_state(page, "waiting")
        assert "patient" not in page.signals
        told = (await kiosk.get("/screen")).json()
        assert (told["state"], told["code"], told["box"]) == ("waiting", "K7XQ2P", "Small")
        assert told["qr"].startswith("data:image/svg+xml")
        assert "Saying hello to the box" in (await kiosk.get("/")).text
        async with asyncio.timeout(5):
            while (tmp_path / "held.json").exists():  # noqa: ASYNC110 (a file tells nobody that it went)
                await asyncio.sleep(0.1)
        door.word.set_result(Member("screen", "wall"))
        await in_state(page, "live")
        assert page.signals["patient"] == "Muster"
        assert 'id="hero"' in (await kiosk.get("/")).text


async def test_a_screen_that_is_sent_away_says_so_and_shows_nothing(box_identity: Identity, tmp_path: Path) -> None:
    box = SmallBox(box_identity, key="a key that it does not have")
    await box.start()
    try:
        async with kiosk_of(tmp_path, write(box.ticket)) as kiosk, joined(kiosk.url) as page:
            await in_state(page, "refused")
            told = (await kiosk.get("/screen")).json()
            assert told["problem"] == "The box does not know this credential."
            assert 'id="code"' in (await kiosk.get("/")).text
    finally:
        await box.stop()


ASKED: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 200),
    ({"Host": "localhost:1"}, 200),
    ({"Host": "evil.example"}, 403),
    ({"Host": "127.0.0.1.evil.example"}, 403),
    ({"Host": "[broken"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
)


async def test_the_page_is_for_its_own_browser(kiosk: Kiosk) -> None:
    for headers, status in ASKED:
        for path in ("/", "/screen", "/favicon.svg"):
            answer = await kiosk.get(path, **headers)
            assert answer.status_code == status, headers
            assert status == 200 or answer.json()["code"] == "BRG403"


async def test_the_socket_is_for_its_own_page(kiosk: Kiosk) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert (await kiosk.get("/ws", **upgrade, Origin="http://evil.example")).status_code == 403
    assert (await kiosk.get("/ws", **upgrade, Host="evil.example")).status_code == 403
    async with joined(kiosk.url) as page:
        await in_state(page, "live")


async def test_another_account_of_the_machine_gets_nothing(kiosk: Kiosk) -> None:
    if os.geteuid() != 0:
        pytest.fail("run as root: the test takes another account")
    script = (
        "import urllib.request as r, urllib.error as e\n"
        f"try: print(r.urlopen('{kiosk.url}/').status)\n"
        "except e.HTTPError as error: print(error.code, error.read().decode())"
    )
    words = ["setpriv", "--reuid", "65534", "--clear-groups", "/usr/bin/python3", "-c", script]
    process = await asyncio.create_subprocess_exec(*words, env={}, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.startswith(b"403 ") and b"BRG403" in out


async def test_the_page_lets_nothing_else_run_and_nothing_else_is_there(kiosk: Kiosk) -> None:
    answer = await kiosk.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    answer = await kiosk.get("/api/ask")
    assert (answer.status_code, answer.json()["code"]) == (404, "BRG404")


async def test_a_port_that_is_taken_is_told(kiosk: Kiosk, tmp_path: Path) -> None:
    with pytest.raises(ApplianceError) as told:
        await run_kiosk(ScreenOptions(data=tmp_path / "second"), KioskOptions(port=kiosk.port))
    assert told.value.code == "BRG407"


@pytest.fixture
async def kiosk(box: SmallBox, tmp_path: Path) -> AsyncIterator[Kiosk]:
    async with kiosk_of(tmp_path / "kiosk", write(box.ticket)) as kiosk:
        yield kiosk


async def test_a_kiosk_passes_on_to_screens_that_do_not_reach_the_box(box_identity: Identity, tmp_path: Path) -> None:
    box, port = SigningBox(box_identity), free_port()
    box.write({"beds.free": 7})
    await box.start()
    listen = ("--relay", "--listen", f"127.0.0.1:{port}")
    async with kiosk_of(tmp_path / "kiosk", write(box.ticket), *listen) as kiosk:
        identity = await asyncio.to_thread(load_or_create, kiosk.folder / "iroh.key")
        via = Ticket(identity.endpoint_id, (f"127.0.0.1:{port}",))
        room = await asyncio.to_thread(Room, tmp_path, box)
        far = room.agent("far", via=(via,))
        async with all_running(far):
            await until(far, lambda: far.state == "live" and far.signals.get("beds.free") == 7, 30)
        assert await kiosk.end() == 0
    await box.stop()
