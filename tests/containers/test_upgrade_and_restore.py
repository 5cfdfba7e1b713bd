"""Data of an earlier version comes along with the new image, and a backup of one box makes another the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.box import ROOT, environment
from tests.containers.stack import Stack
from tests.integration.pgflex import test_migrations as earlier

PREPARE_EARLIER = """
import sys
from appliance.pgflex import migrate
from appliance.services import deployment
steps = migrate.migrations()[: int(sys.argv[1])]
migrate.migrations = lambda: steps
deployment.prepare(*deployment.read())
"""
FILL = """
import json, sys
import psycopg
from appliance.pgflex.server import external
from appliance.services import deployment
declared, settings = deployment.read()
server = external(deployment.superuser(declared), settings.data)
for statements in json.load(sys.stdin):
    with psycopg.connect(server.dsn("flex")) as db:
        for statement in statements:
            db.execute(statement)
"""


def released() -> list[str]:
    """The tags of releases, the newest first."""
    words = ["git", "tag", "--list", "v*", "--sort=-version:refname"]
    return subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True).stdout.split()


def test_data_of_the_earliest_version_comes_along(images: None, folder: Path) -> None:
    """Nothing was released yet, so that what came before is the first schema that kept data, made by today's image."""
    assert not released(), "now there is an image to upgrade from: build it from the tag in the place of this"
    with Stack(folder) as stack:
        stack.run("up", "--detach", "postgres")
        stack.tool("python", "-c", PREPARE_EARLIER, str(earlier.FIRST))
        attached = ["select flex.attach_feed('beds')", "select flex.apply_access('beds')"]
        update = "update api.beds set ward = 'Surgery' where bed = '007'"
        filled = [
            [earlier.COLLECTION, *attached],
            ["set local role staff", earlier.ROWS],
            ["set local role staff", update],
        ]
        command = [
            *stack.compose.docker_compose_command(),
            "run",
            "--rm",
            "--no-deps",
            "-T",
            "tools",
            "python",
            "-c",
            FILL,
        ]
        subprocess.run(command, cwd=ROOT, env=environment(), input=json.dumps(filled), text=True, check=True)
        stack.start()
        rows = stack.told("GET", "/rest/beds?order=id", None, "admin", **{"X-Role": "staff"})
        assert [(row["bed"], row["ward"], row["price"], row["extra_"]) for row in rows] == [
            ("007", "Surgery", 12.5, "by the window"),
            ("Größe", None, None, None),
        ]
        stack.told("POST", "/flex/beds", [{"Bed No": "008", "price": "on request"}])
        assert stack.rows("beds", "bed") == ["007", "Größe", "008"]
        assert stack.told("GET", "/rest/beds?order=id", None, "wall")[0] == {"id": 1, "bed": "007", "ward": "Surgery"}
        stack.settled("How many beds are there?", 3)


def test_a_backup_of_one_box_makes_another_the_same(stack: Stack, folder: Path) -> None:
    question = "How many beds are free in cardiology?"
    stack.told("POST", "/flex/guests", [{"Name": "Maria Schmidt", "Wing": "North"}])
    stack.told("PUT", "/api/roles/porter", {"label": "Porter", "level": "staff"})
    stack.told("PUT", "/api/roles/porter/collections/guests/fields/Name", {"mask": "initials"})
    (folder.parent / "secret").write_text("correct horse")
    made = stack.tool("appliance", "backup", "/backup/box.backup")
    assert made.returncode == 0, made.stderr
    before = stack.ask(question)["rows"]
    with Stack(folder) as other:
        other.run("up", "--detach", "postgres")
        copied = subprocess.run(["cp", stack.backups / "box.backup", other.backups], check=False)
        assert copied.returncode == 0
        (other.backups / "box.backup").chmod(0o644)
        told = other.tool("appliance", "restore", "/backup/box.backup")
        assert "Restored" in told.stdout, told.stderr
        took = other.start()
        print(f"\nwell {took:.1f} s after the restore")
        for role in ("wall", "staff", "admin"):
            assert other.key(role) == stack.key(role)
        assert other.read("gateway", "/var/lib/dreamstack/box/parts/gateway/keys/ca.crt") == stack.read(
            "gateway", "/var/lib/dreamstack/box/parts/gateway/keys/ca.crt"
        )
        assert other.ask(question)["rows"] == before
        as_porter = {"X-Role": "porter"}
        wanted = stack.told("GET", "/rest/guests?order=id", **as_porter)
        assert wanted[0]["name__initials"] == "M.S."
        assert other.told("GET", "/rest/guests?order=id", **as_porter) == wanted
        other.told("POST", "/flex/guests", [{"Name": "Jon Doe", "Wing": "South"}])
        running = other.tool("appliance", "restore", "/backup/box.backup", "--replace", check=False)
        assert running.stderr.startswith("BRG473:") or "BRG473:" in running.stderr, running.stderr
        assert len(other.rows("guests", "name")) == 2
