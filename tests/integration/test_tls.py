"""A real box on the network: HTTPS with its own authority for everything, one page for callers in the open."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from appliance.bridge import Decoder
from tests.box import Box, appliance, free_port, running_box

QUESTION = "How many beds are free in cardiology?"


@pytest.fixture(scope="module")
def lan() -> Iterator[Box]:
    with running_box("--lan", "--no-mdns", "--trust-port", str(free_port())) as box:
        yield box


def trusting(box: Box) -> httpx.Client:
    return httpx.Client(base_url=box.url, verify=box.verify(), timeout=15, trust_env=False)


def test_a_client_that_trusts_the_authority_gets_the_box(lan: Box) -> None:
    with trusting(lan) as client:
        for url in (lan.url, f"https://localhost:{lan.port}"):
            assert client.get(f"{url}/health").json()["status"] == "ok"
        answer = client.post("/api/ask", json={"question": QUESTION}, headers=lan.bearer("staff"))
        assert answer.json()["status"] == "answered"
        assert client.get("/health").json() == {"status": "ok"}, "nobody else hears more"
        told = client.get("/health", headers=lan.bearer("wall")).json()
        checks = {check["name"]: check for check in told["checks"]}
        assert checks["certificate"]["state"] == "ok"


def test_a_client_that_does_not_is_not_let_near(lan: Box) -> None:
    with httpx.Client(trust_env=False) as stranger, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"):
        stranger.get(f"{lan.url}/health")


def test_openssl_verifies_the_chain_that_is_served(lan: Box) -> None:
    words = f"openssl s_client -connect 127.0.0.1:{lan.port} -servername dreamstack.local -CAfile {lan.authority}"
    checks = "-verify_hostname dreamstack.local -verify_return_error -x509_strict -brief"
    done = subprocess.run(
        [*words.split(), *checks.split()],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stderr and "TLSv1.3" in done.stderr


def test_the_cookie_is_for_tls_only(lan: Box) -> None:
    with trusting(lan) as client:
        answer = client.get("/", params={"key": lan.key("staff")})
        assert "Secure" in answer.headers["set-cookie"] and "HttpOnly" in answer.headers["set-cookie"]
        assert client.get("/api/catalog").status_code == 200
        assert "strict-transport-security" not in client.get("/").headers


def test_in_the_open_there_is_the_trust_page_and_nothing_else(lan: Box) -> None:
    told = lan.log()
    printed = re.search(r"fingerprint is\n +((?:[0-9A-F]{4} ?){8})\n +((?:[0-9A-F]{4} ?){8})", told)
    assert printed is not None
    with httpx.Client(trust_env=False, headers=lan.bearer("admin"), cookies={"dreamstack": lan.key("admin")}) as open_:
        trust_port = re.search(r"Trust  http://[\d.]+:(\d+)/", told)
        assert trust_port is not None and int(trust_port[1]) != lan.port
        for port in (lan.port, int(trust_port[1])):
            url = f"http://127.0.0.1:{port}"
            page = open_.get(url)
            shown = " ".join(re.findall(r"<span>([0-9A-F]{4})</span>", page.text))
            assert shown == f"{printed[1].strip()} {printed[2].strip()}"
            assert f'href="https://127.0.0.1:{lan.port}/"' in page.text
            assert open_.get(f"{url}/ca.pem").content == lan.authority.read_bytes()
            for path in ("/health", "/api/catalog", "/rest/beds", "/metrics", "/ws", "/s/main"):
                answer = open_.get(url + path)
                assert (answer.status_code, answer.json()["code"]) == (404, "BRG417")
            keyed = open_.get(url, params={"key": lan.key("staff")})
            assert keyed.status_code == 200 and "set-cookie" not in keyed.headers


def test_a_page_that_came_in_the_open_may_not_ask(lan: Box) -> None:
    """Who is in the middle of the network can make such a page, at the box's own name."""
    with trusting(lan) as client:
        for scheme, status in (("http", 403), ("https", 200)):
            headers = lan.bearer("staff") | {"Origin": f"{scheme}://127.0.0.1:{lan.port}"}
            assert client.get("/api/catalog", headers=headers).status_code == status


async def test_frames_come_over_wss(lan: Box) -> None:
    url = f"wss://localhost:{lan.port}/ws"
    async with connect(url, ssl=lan.verify(), additional_headers=lan.bearer("staff"), proxy=None) as held:
        decoder = Decoder()
        first = await held.recv()
        assert isinstance(first, bytes) and decoder.feed(first)


def test_the_command_trusts_a_file_or_the_box_of_this_machine(lan: Box) -> None:
    words = ("ask", "--url", lan.url, "--key", lan.key("staff"), QUESTION)
    refused = appliance(*words)
    assert refused.returncode == 1 and refused.stderr.startswith("SCR505: ")
    assert len(refused.stderr.splitlines()) == 2 and "--ca" in refused.stderr
    assert "free" in appliance(*words, "--ca", str(lan.authority)).stdout
    assert "free" in appliance(*words, DREAMSTACK_CA=str(lan.authority)).stdout
    assert "free" in appliance(*words, DREAMSTACK_DATA=str(lan.data)).stdout
    found = appliance("ask", "--key", lan.key("staff"), QUESTION, DREAMSTACK_DATA=str(lan.data))
    assert "free" in found.stdout, "it finds the box that runs here"
    missing = appliance(*words, "--ca", "/nowhere.pem")
    assert missing.returncode == 1 and missing.stderr.startswith("SCR505: /nowhere.pem")


def test_the_doctor_tells_an_untrusted_box_from_none(lan: Box) -> None:
    trust = ("--ca", str(lan.authority))
    well = appliance("doctor", "--url", lan.url, *trust, "--key", lan.key("staff"))
    assert well.returncode == 0 and "certificate" in well.stdout
    unknown = appliance("doctor", "--url", lan.url, *trust)
    assert unknown.returncode == 0 and "Add --key" in unknown.stdout and "certificate" not in unknown.stdout
    assert appliance("doctor", "--url", lan.url).stderr.startswith("SCR505: ")
    plain = appliance("doctor", "--url", lan.url.replace("https", "http"))
    assert plain.stderr.startswith("BRG417: ") and "https://" in plain.stderr


def test_a_file_is_imported_and_rows_are_kept_over_https(lan: Box, tmp_path: Path) -> None:
    (tmp_path / "berths.csv").write_text("berth,free\nA-1,true\nA-2,false\n")
    trust = ("--ca", str(lan.authority), "--key", lan.key("staff"))
    done = appliance("import", str(tmp_path / "berths.csv"), "--url", lan.url, *trust)
    assert done.returncode == 0, done.stderr
    kept = appliance(
        *("screen", "--once", "--keep", "berths", "--door", lan.url, "--box", lan.ticket(), *trust),
        *("--data", str(tmp_path / "screen")),
    )
    assert "berths, 2 rows" in kept.stdout, kept.stdout + kept.stderr
    lost = appliance(
        *("screen", "--once", "--keep", "berths", "--door", lan.url, "--box", lan.ticket()),
        *("--key", lan.key("staff"), "--data", str(tmp_path / "other")),
    )
    assert "not trusted" in lost.stdout + lost.stderr


def test_a_lost_certificate_is_made_again_while_the_box_runs(lan: Box) -> None:
    def serial() -> object:
        with socket.create_connection(("localhost", lan.port)) as road:
            met = lan.verify().wrap_socket(road, server_hostname="localhost")
            told = met.getpeercert()
            met.close()
        assert told is not None
        return told["serialNumber"]

    before = serial()
    os.truncate(lan.data / "keys" / "door.pem", 200)
    until = time.monotonic() + 20
    while serial() == before and time.monotonic() < until:
        time.sleep(0.3)
    assert serial() != before
    assert "new certificate" in lan.log()
    with trusting(lan) as client:
        assert client.get("/health").status_code == 200
