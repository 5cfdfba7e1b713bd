"""The whole box in containers: it answers, no part reaches what is not its own, and screens show what is theirs."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.containers.screens import room
from tests.containers.stack import PARTS, Stack
from tests.spoken import spoken

QUESTION = "How many beds are free in cardiology?"


def test_it_answers_a_question(stack: Stack) -> None:
    answer = stack.ask(QUESTION)
    assert (answer["status"], answer["rows"]) == ("answered", [{"count": 2}]), answer
    assert set(stack.health().values()) == {"ok"}


def test_it_hears_a_question(stack: Stack) -> None:
    """In a container that is nobody and can write nowhere: the model of speech asks for nothing else."""
    said = spoken(QUESTION).wave()
    headers = {"Authorization": f"Bearer {stack.key('staff')}"}
    answer = httpx.post(
        f"{stack.url}/api/listen", content=said, headers=headers, verify=stack.context(), timeout=30, trust_env=False
    )
    assert answer.json()["text"] == QUESTION, answer.text


def test_docker_says_that_all_are_well(stack: Stack) -> None:
    for part in set(PARTS) - {"postgrest"}:
        assert stack.container(part).attrs["State"]["Health"]["Status"] in ("healthy", "starting"), part
    assert stack.container("gateway").exec_run(["python", "-m", "appliance.services.alive"]).exit_code == 0


@pytest.mark.parametrize("part", ["pgflex", "llm", "bridge", "gateway"])
def test_a_part_is_nobody_and_can_write_nowhere_but_in_its_folder(stack: Stack, part: str) -> None:
    own = f"/var/lib/dreamstack/box/parts/{part}/.tried"
    script = (
        "id -u; touch /x 2>&1; touch /opt/dreamstack/x 2>&1; grep -E 'CapEff|NoNewPrivs' /proc/self/status;"
        f"touch {own} && echo written; rm {own}; touch /run/dreamstack/{part}/x 2>&1;"
        "find /var/lib/dreamstack /run/dreamstack -name '*.key' -o -name '*.json' | sort"
    )
    told = stack.container(part).exec_run(["sh", "-c", script]).output.decode()
    assert told.startswith("10001\n") and told.count("Read-only file system") == 3 and "written" in told, told
    assert "CapEff:\t0000000000000000" in told and "NoNewPrivs:\t1" in told, told
    others = {each for each in ("pgflex", "llm", "bridge", "gateway") if each != part}
    assert not [each for each in others if f"/{each}/runtime.json" in told], told
    assert "postgres.json" not in told


@pytest.mark.parametrize("part", ["gateway", "llm", "bridge"])
def test_who_has_no_business_with_the_database_does_not_reach_it(stack: Stack, part: str) -> None:
    address = stack.container("postgres").attrs["NetworkSettings"]["Networks"][f"{stack.project}_database"]["IPAddress"]
    script = (
        "import socket\n"
        f"for host, port in (('{address}', 5432), ('llm.box', 7012)):\n"
        "    try: socket.create_connection((host, port), 2); print('reached', host)\n"
        "    except OSError as error: print('not', host)\n"
    )
    told = stack.container(part).exec_run(["python", "-c", script]).output.decode().split("\n")
    assert told[:2] == [f"not {address}", "reached llm.box"]


def test_two_screens_with_different_roles_show_what_each_may_see(stack: Stack) -> None:
    stack.told(
        "POST", "/flex/visitors", [{"Name": "Maria Schmidt", "Ward": "North"}, {"Name": "Jon Doe", "Ward": "South"}]
    )
    stack.told("PUT", "/api/roles/wall/collections/visitors/fields/Name", {"mask": "initials"})
    stack.told("PUT", "/api/collections/visitors", {"audience": "wall", "fields": ["Ward"]})
    with room(stack) as there, there.screen("wall") as wall, there.screen("staff") as tablet:
        for screen in (wall, tablet):
            screen.until(lambda now: now["state"] == "live")
        stack.settled("How many visitors are there?", 2, "wall")
        answer = stack.ask("List the name of visitors in ward North")
        assert "Maria Schmidt" in json.dumps(answer["rows"]), answer
        tablet.until(lambda now: "Maria Schmidt" in json.dumps(now["signals"]))
        shown = stack.ask("How many visitors are there?", "wall")
        wall.until(lambda now: shown["sentence"] in json.dumps(now["signals"]))
        assert "Maria" not in wall.log() and "Schmidt" not in wall.log()


def test_a_screen_whose_network_was_cut_comes_back_to_what_is_now(stack: Stack) -> None:
    with room(stack) as there, there.screen("staff") as screen:
        stack.told("POST", "/flex/lamps", [{"lamp": "one", "state": "lit"}])
        answer = stack.settled("How many lamps are lit?", 1)
        screen.until(lambda now: now["state"] == "live" and answer["sentence"] in json.dumps(now["signals"]))
        screen.cut()
        stack.told("POST", "/flex/lamps", [{"lamp": "two", "state": "lit"}, {"lamp": "three", "state": "lit"}])
        later = stack.settled("How many lamps are lit?", 3)["sentence"]
        screen.until(lambda now: now["state"] != "live")
        assert answer["sentence"] in json.dumps(screen.now()["signals"]), "it keeps what it has"
        screen.join()
        took = screen.until(lambda now: now["state"] == "live" and later in json.dumps(now["signals"]))
        print(f"\nlive again {took:.1f} s after its network was")
