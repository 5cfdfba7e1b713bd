"""A box becomes a file while it is written to, and comes back from it elsewhere: the same answers, keys and screens."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.box import Box, appliance, box_folder
from tests.full_box import SERVICES, full_box

SECRET = "correct horse\n"
DECLARED: list[tuple[str, str, Any]] = [
    ("POST", "/flex/guests", [{"Name": "Maria Schmidt", "Wing": "North"}, {"Name": "Jon Doe", "Wing": "South"}]),
    ("PUT", "/api/roles/nurse", {"label": "Nurse", "level": "staff"}),
    ("PUT", "/api/roles/nurse/collections/guests", {"where": [{"field": "Wing", "op": "eq", "value": "North"}]}),
    ("PUT", "/api/roles/nurse/collections/guests/fields/Name", {"mask": "initials"}),
    ("PUT", "/api/roles/wall/collections/guests/fields/Name", {"mask": "initials"}),
    ("PUT", "/api/collections/guests", {"audience": "wall", "fields": ["Wing"]}),
    (
        "POST",
        "/api/alerts",
        {
            "name": "A southern guest",
            "message": "{Name} came.",
            "collection": "guests",
            "where": [{"field": "Wing", "op": "eq", "value": "South"}],
        },
    ),
]


class Made(NamedTuple):
    """A backup, what the box answered when it was made, and the browser that it knows as a screen."""

    file: Path
    answers: dict[str, Any]
    cookies: dict[str, str]
    written: int


class Door:
    """A box's door as the admin, wherever the box is."""

    def __init__(self, url: str, key: str, verify: Any) -> None:
        self.url, self.headers, self.verify = url, {"Authorization": f"Bearer {key}"}, verify

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = httpx.request(
            method,
            self.url + path,
            json=body,
            headers=self.headers | headers,
            verify=self.verify,
            timeout=30,
            trust_env=False,
        )
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()


def answers_of(door: Door) -> dict[str, Any]:
    """What must be the same before and after."""
    asked = door("POST", "/api/ask", {"question": "How many beds are free in cardiology?"})
    return {
        "as a wall": door("GET", "/rest/guests?order=id", **{"X-Role": "wall"}),
        "as a nurse": door("GET", "/rest/guests?order=id", **{"X-Role": "nurse"}),
        "as staff": door("GET", "/rest/guests?order=id", **{"X-Role": "staff"}),
        "roles": door("GET", "/api/roles"),
        "alerts": [{k: rule[k] for k in ("id", "name", "active")} for rule in door("GET", "/api/alerts")],
        "rows": asked["rows"],
        "screens": [screen["name"] for screen in door("GET", "/api/screens")["screens"]],
    }


def joins(url: str, verify: Any, cookies: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """A browser that can keep no key of its own knocks: the cookies it has then, and what it is told."""
    with httpx.Client(base_url=url, verify=verify, cookies=cookies, trust_env=False, timeout=30) as client:
        told = client.post("/api/join", json={"kind": "tablet"}).json()
        return {"dreamstack_screen": client.cookies["dreamstack_screen"]}, told


@contextmanager
def writing(door: Door) -> Iterator[list[int]]:
    """Somebody writes 1, 2, 3, ... into `load`; gives what was acknowledged."""
    told, stop = [], threading.Event()

    def write() -> None:
        for number in itertools.count(1):
            if stop.is_set():
                return
            door("POST", "/flex/load", [{"number": number}])
            told.append(number)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    """A backup, sealed, of a box that was written to meanwhile. That box is gone."""
    with box_folder() as folder:
        box, secret = Box(folder, "--lan", "--no-mdns"), folder / "secret"
        secret.write_text(SECRET)
        box.data.mkdir(mode=0o700)
        (box.data / "settings.toml").write_text('box_name = "Ward 3"\n')
        try:
            box.start()
            door = Door(box.url, box.key("admin"), box.verify())
            for method, path, body in DECLARED:
                door(method, path, body)
            cookies, told = joins(box.url, box.verify(), {})
            place = {"name": "Tablet by the door", "room": "icu", "role": "staff"}
            door("POST", f"/api/screens/codes/{told['code']}", place)
            with writing(door) as written:
                while len(written) < 20:
                    time.sleep(0.05)
                before = len(written)
                words = ("--data", str(box.data), "--passphrase-file", str(secret), "--recordings")
                done = appliance("backup", str(folder), *words)
                assert done.returncode == 0, done.stderr
                assert len(written) > before, "nothing was written meanwhile"
            answers = answers_of(door)
            keys = {file.name: file.read_bytes() for file in (box.data / "keys").iterdir()}
            answers["keys"] = {name: keys[name] for name in ("staff.key", "iroh.key", "ca.crt", "ca.pem")}
        finally:
            box.stop()
        shutil.rmtree(box.data)
        [file] = folder.glob("ward-3-*.backup")
        assert file.stat().st_mode & 0o077 == 0
        yield Made(file, answers, cookies, len(written))


def restored(made: Made, *words: str) -> subprocess.CompletedProcess[str]:
    return appliance("restore", str(made.file), "--passphrase-file", str(made.file.parent / "secret"), *words)


def compare(made: Made, door: Door, url: str, keys: Path, verify: Any) -> None:
    """The box behind `door` is the one that was backed up."""
    wanted = dict(made.answers)
    held = wanted.pop("keys")
    assert answers_of(door) == wanted
    assert {name: (keys / name).read_bytes() for name in ("staff.key",)} == {"staff.key": held["staff.key"]}
    numbers = [row["number"] for row in door("GET", "/rest/load?order=number&limit=100000", **{"X-Role": "staff"})]
    assert numbers == list(range(1, len(numbers) + 1)), "the copy is not of one moment"
    assert 20 <= len(numbers) <= made.written
    assert joins(url, verify, made.cookies)[1]["state"] == "approved"
    # The feed and the rules go on: numbers of transactions here are lower than those in the backup.
    door("POST", "/flex/guests", [{"Name": "Ada Byron", "Wing": "North"}])
    door("PUT", "/api/roles/porter", {"label": "Porter", "level": "staff"})
    assert [row["name__initials"] for row in door("GET", "/rest/guests?id=gt.2", **{"X-Role": "nurse"})] == ["A.B."]


def test_a_new_box_is_the_old_one(made: Made) -> None:
    with box_folder() as folder:
        box = Box(folder, "--lan", "--no-mdns", "--demo", "none")
        done = restored(made, "--data", str(box.data))
        assert done.returncode == 0, done.stderr
        try:
            box.start()
            compare(made, Door(box.url, box.key("admin"), box.verify()), box.url, box.data / "keys", box.verify())
            for name, content in made.answers["keys"].items():
                assert (box.data / "keys" / name).read_bytes() == content, name
            assert list((box.data / "recordings").rglob("*")), "recordings were asked for"
            refused = restored(made, "--data", str(box.data), "--replace")
            assert refused.stderr.startswith("PGF108:"), refused.stderr
        finally:
            box.stop()
        refused = restored(made, "--data", str(box.data))
        assert refused.stderr.startswith("BRG470:"), refused.stderr
        done = restored(made, "--data", str(box.data), "--replace")
        assert done.returncode == 0, done.stderr
        again = appliance("backup", str(folder / "again.backup"), "--data", str(box.data))
        assert again.returncode == 0, again.stderr
        with tarfile.open(folder / "again.backup") as tar:
            manifest = json.load(tar.extractfile("manifest.json") or pytest.fail("no manifest"))
        assert manifest["about"]["database"]["roles"] == ["nurse"]


def test_a_box_of_units_is_the_old_one(made: Made) -> None:
    with box_folder() as folder:
        folder.chmod(0o755)
        with full_box(folder) as box:
            assert box.prepare().returncode == 0
            words = ("--deployment", str(box.file))
            for part in ("postgrest", *SERVICES):
                box.start(part)
            box.wait_well()
            refused = restored(made, *words, "--replace")
            assert refused.stderr.startswith("BRG473:"), refused.stderr
            box.stop()
            assert restored(made, *words).stderr.startswith("BRG470:"), "the demo's rows are there"
            done = restored(made, *words, "--replace")
            assert done.returncode == 0, done.stderr
            parts = box.data / "parts"
            assert (parts / "bridge" / "keys" / "iroh.key").read_bytes() == made.answers["keys"]["iroh.key"]
            assert (parts / "gateway" / "keys" / "ca.pem").read_bytes() == made.answers["keys"]["ca.pem"]
            for part in ("postgrest", *SERVICES):
                box.start(part)
            box.wait_well()
            key = (box.data / "keys" / "admin.key").read_text().strip()
            compare(made, Door(box.url, key, True), box.url, box.data / "keys", True)
            done = appliance("backup", str(folder / "full.backup"), *words)
            assert done.returncode == 0, done.stderr
            with tarfile.open(folder / "full.backup") as tar:
                names = set(tar.getnames())
            assert {"keys/ca.pem", "keys/iroh.key", "keys/staff.key", "bridge/screens.json"} <= names
            assert not [name for name in names if "postgres" in name or "recordings" in name]


def test_what_cannot_be_restored_leaves_the_box_as_it_was(made: Made) -> None:
    with box_folder() as folder:
        box, words = Box(folder, "--demo", "lawfirm"), ("--data", str(folder / "data"), "--replace")
        box.start()
        box.stop()
        before = {file: file.read_bytes() for file in (box.data / "keys").iterdir()}
        whole, damaged = made.file.read_bytes(), folder / "damaged.backup"
        secret = ("--passphrase-file", str(made.file.parent / "secret"))
        for content in (whole[:-1], whole[: len(whole) // 2], whole[:-40] + b"x" + whole[-39:], b"no backup", b""):
            damaged.write_bytes(content)
            told = appliance("restore", str(damaged), *words, *secret)
            assert told.returncode == 1 and told.stderr.startswith("BRG471:"), told.stderr
        assert appliance("restore", str(made.file), *words).stderr.startswith("BRG471:"), "it is sealed"
        newer(made, folder / "newer.backup")
        told = appliance("restore", str(folder / "newer.backup"), *words)
        assert told.stderr.startswith("BRG472:"), told.stderr
        broken(made, folder / "broken.backup")
        told = appliance("restore", str(folder / "broken.backup"), *words)
        assert told.stderr.startswith("BRG474:"), told.stderr
        assert {file: file.read_bytes() for file in (box.data / "keys").iterdir()} == before
        assert not [*folder.glob(".*"), *box.data.glob(".*")], "something is left over"
        try:
            box.start()
            assert appliance("ask", "How many matters are open?", "--url", box.url).returncode == 0
        finally:
            box.stop()


def newer(made: Made, to: Path) -> None:
    """The backup, from a box whose schema is one further."""
    rewritten(made, to, lambda about: about["database"].update(schema=about["database"]["schema"] + 1))


def broken(made: Made, to: Path) -> None:
    """The backup with another thing than a dump in the place of the database; all sums are right."""
    rewritten(made, to, lambda about: None, database=b"PGDMP but not really")


def rewritten(made: Made, to: Path, change: Any, database: bytes | None = None) -> None:
    from appliance.services.backup.archive import DATABASE, Writer, unpack

    into = to.with_suffix(".files")
    manifest = unpack(made.file, SECRET.strip(), into)
    if database is not None:
        (into / DATABASE).write_bytes(database)
    import msgspec

    about = msgspec.to_builtins(manifest.about)
    change(about)
    with Writer(to, "") as writer:
        for name in manifest.members:
            writer.add(name, into / name)
        writer.finish(msgspec.convert(about, type(manifest.about)))
    shutil.rmtree(into)
