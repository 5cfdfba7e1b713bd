from __future__ import annotations

import pytest

from appliance.errors import ApplianceError
from appliance.screen.ticket import Ticket, parse, write

ID = "d8f7" * 16


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        (f"{ID}@10.0.0.5:4711", ("10.0.0.5:4711",)),
        (f" {ID.upper()}@10.0.0.5:4711\n", ("10.0.0.5:4711",)),
        (f"{ID}@10.0.0.5:4711, [fe80::1]:9", ("10.0.0.5:4711", "[fe80::1]:9")),
    ],
)
def test_a_ticket_is_read(text: str, addresses: tuple[str, ...]) -> None:
    assert parse(text) == Ticket(ID, addresses)
    assert parse(write(parse(text))) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        ID,
        f"{ID}@",
        f"{ID}@10.0.0.5",
        f"{ID}@box.local:1",
        f"{ID}@10.0.0.5:0",
        f"{ID}@10.0.0.5:x",
        "x@10.0.0.5:1",
    ],
)
def test_what_is_no_ticket_is_told(text: str) -> None:
    with pytest.raises(ApplianceError) as told:
        parse(text)
    assert told.value.code == "SCR504"
