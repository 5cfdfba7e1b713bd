"""axe-core on a page: what keeps people out, by the rules of WCAG 2.2, A and AA."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from tests.box import ROOT
from tests.browser.conftest import Watched

PROGRAM: Final = ROOT / "tests" / "integration" / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def program() -> str:
    assert PROGRAM.is_file(), "axe-core is not here: run make setup (scripts/setup.sh test)"
    return PROGRAM.read_text(encoding="utf-8")


async def barriers(watched: Watched) -> list[str]:
    """What axe finds, each as its rule and where."""
    if not await watched.page.evaluate("'axe' in window"):
        await watched.page.evaluate(program())
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    found = await watched.page.evaluate(f"axe.run(document, {options}).then((it) => [it.violations, it.passes.length])")
    assert found[1] > 10, "axe has looked at the page"
    return [f"{rule['id']}: {_where(node)}" for rule in found[0] for node in rule["nodes"]]


def _where(node: dict[str, Any]) -> str:
    told = node["any"][0]["message"] if node["any"] else ""
    return f"{node['target'][0]} {told}"[:200]
