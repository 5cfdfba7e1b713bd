"""Columns and values that a file of WikiSQL has mixed up find each other again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.llm.notation import read, write
from appliance.llm.training.evaluate import as_filed
from appliance.llm.training.lines import Line, Where
from appliance.llm.training.pairing import Pairing
from appliance.llm.training.wikisql import WikiSql


def line(question: str, *where: Where, table: str = "t") -> Line:
    return Line(question, table, [(test[0], None) for test in where], None, "time", list(where))


KNOWN = [
    line("time of the athlete from Japan", ("nationality", "=", "Japan")),
    line("time of the athlete from Kenya", ("nationality", "=", "Kenya"), table="u"),
    line("time in heat 3", ("heat", "=", 3)),
    line("time in heats over 4", ("heat", ">", 4), table="u"),
    line("time on May 3, 1999", ("date", "=", "May 3, 1999")),
]


@pytest.mark.parametrize(
    ("question", "lost", "found"),
    [
        (  # by kind and by a known value
            "time with a nationality of japan and a heat over 3",
            [("heat", "=", "japan"), ("nationality", ">", 3)],
            [("nationality", "=", "japan"), ("heat", ">", 3)],
        ),
        (  # by the shape of a value that was never seen
            "the time of Chad in heat 7",
            [("heat", "=", "chad"), ("nationality", "=", 7)],
            [("nationality", "=", "chad"), ("heat", "=", 7)],
        ),
        (  # unknown columns: by the word beside the value, not by the one behind the comma
            "Which song has points under 53, and a place over 8, and a draw over 1?",
            [("draw", "<", 53), ("place", ">", 8), ("points", ">", 1)],
            [("points", "<", 53), ("place", ">", 8), ("draw", ">", 1)],
        ),
    ],
)
def test_values_find_their_columns(question: str, lost: list[Where], found: list[Where]) -> None:
    pairing = Pairing(KNOWN * 4)
    assert pairing.paired(line(question, *lost)).where == found
    assert pairing.margin(line(question, *lost)) > 0


def test_one_test_is_left_as_it_is() -> None:
    assert Pairing(KNOWN).paired(KNOWN[0]) is KNOWN[0]


def test_the_trainer_sees_the_pairs_in_the_order_of_the_question(tmp_path: Path) -> None:
    lost = line("time over heat 3 of japan", ("heat", "=", "japan"), ("nationality", ">", 3))
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"\n".join(map(msgspec.json.encode, [*KNOWN * 4, lost])))
    assert WikiSql(path).lines[-1].where == [("heat", ">", 3), ("nationality", "=", "japan")]


def test_a_plan_is_compared_as_the_file_has_it() -> None:
    right = read(" time<and> nationality<eq> japan<and> heat<gt> 3<e>")
    assert write(as_filed(right)) == " time<and> heat<eq> japan<and> nationality<gt> 3<e>"
