"""The one error shape, and the codes that scripts may rely on: none may change its status or disappear."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from appliance.errors import HTTP_STATUS, ApplianceError, from_shape

ROOT = Path(__file__).resolve().parents[2]
PINNED = {
    "PGF100": 500, "PGF101": 503, "PGF102": 503, "PGF103": 400, "PGF104": 404, "PGF105": 400, "PGF106": 403,
    "PGF107": 507, "PGF108": 500, "PGF109": 413, "PGF110": 410, "PGF111": 400, "PGF112": 502, "PGF113": 404,
    "PGF114": 504,
    "LLM200": 500, "LLM201": 400, "LLM202": 413, "LLM203": 503, "LLM204": 422, "LLM205": 422, "LLM206": 422,
    "LLM207": 422, "LLM208": 500, "LLM209": 429, "LLM210": 504, "LLM211": 400,
    "LLM220": 404, "LLM221": 409, "LLM222": 409, "LLM223": 422, "LLM224": 503,
    "SIG300": 400, "SIG301": 400, "SIG302": 413, "SIG303": 400, "SIG304": 400, "SIG305": 409, "SIG306": 400,
    "SIG307": 400,
    "BRG400": 500, "BRG401": 401, "BRG402": 403, "BRG403": 403, "BRG404": 404, "BRG405": 405, "BRG406": 503,
    "BRG407": 500, "BRG408": 404, "BRG409": 429, "BRG410": 422, "BRG411": 500, "BRG412": 500, "BRG413": 500,
    "BRG414": 500, "BRG415": 500,
    "SCR500": 504, "SCR501": 502, "SCR502": 410, "SCR503": 409, "SCR504": 400,
}  # fmt: skip
FAMILIES = {"PGF": "1", "LLM": "2", "SIG": "3", "BRG": "4", "SCR": "5"}


def raised() -> list[tuple[str, str, ast.Call]]:
    """Every ``ApplianceError("CODE", ...)`` of the source: file and line, code, call."""
    found = []
    for file in sorted((ROOT / "appliance").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ApplianceError" and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    found.append((f"{file.relative_to(ROOT)}:{node.lineno}", str(code.value), node))
    return found


def test_no_code_changes_or_disappears() -> None:
    assert {code: HTTP_STATUS.get(code) for code in PINNED} == PINNED


@pytest.mark.parametrize("code", HTTP_STATUS)
def test_every_code_belongs_to_a_family_and_has_a_status_of_a_fault(code: str) -> None:
    assert re.fullmatch(r"[A-Z]{3}\d{3}", code)
    assert code[3] == FAMILIES[code[:3]]
    assert 400 <= HTTP_STATUS[code] < 600


def test_the_shape_is_that_of_postgrest() -> None:
    error = ApplianceError("LLM201", "The question is empty.", {"characters": 0}, "Type a question.")
    assert error.shape() == {
        "code": "LLM201",
        "message": "The question is empty.",
        "details": {"characters": 0},
        "hint": "Type a question.",
    }
    assert error.status == 400
    assert str(error) == "LLM201: The question is empty."


def test_a_code_that_is_not_registered_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        ApplianceError("LLM999", "No.")


def test_the_line_for_a_terminal_names_the_fix() -> None:
    error = ApplianceError("BRG407", "Port 80 is in use.", "by another", "Choose another.")
    assert error.line() == "BRG407: Port 80 is in use. (by another)\n  fix: Choose another."
    assert ApplianceError("BRG407", "Port 80 is in use.", {"pid": 1}).line() == "BRG407: Port 80 is in use."


def test_an_error_survives_the_way_between_processes() -> None:
    error = ApplianceError("PGF104", "There is no such collection.", ["beds"], "Name one.")
    assert from_shape(error.shape()).shape() == error.shape()


@pytest.mark.parametrize("shape", [None, [], "PGF104", {}, {"code": "42P01", "message": "no"}, {"code": ["PGF104"]}])
def test_what_is_no_error_becomes_one(shape: object) -> None:
    assert from_shape(shape).code == "BRG400"
    assert from_shape(shape, "LLM203").code == "LLM203"


def test_every_error_of_the_source_is_registered_and_a_sentence() -> None:
    assert len(raised()) > 50
    for place, code, call in raised():
        assert code in HTTP_STATUS, place
        message = call.args[1] if len(call.args) > 1 else None
        if isinstance(message, ast.Constant):
            assert str(message.value).endswith("."), place
            assert "\n" not in str(message.value), place
