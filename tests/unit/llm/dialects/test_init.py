"""Which dialect a model gets."""

from __future__ import annotations

import pytest

from appliance.llm.dialects import pick


@pytest.mark.parametrize(
    ("wanted", "name", "dialect"),
    [
        ("auto", "ask-bootstrap", "ask"),
        ("auto", "ask-", "ask"),
        ("auto", "Ask-bootstrap", "instruct"),
        ("auto", "task-7b", "instruct"),
        ("auto", "Qwen2.5 0.5B Instruct", "instruct"),
        ("auto", "", "instruct"),
        ("ask", "Qwen2.5 0.5B Instruct", "ask"),
        ("instruct", "ask-bootstrap", "instruct"),
    ],
)
def test_the_setting_decides_else_the_name(wanted: str, name: str, dialect: str) -> None:
    assert pick(wanted, name).name == dialect
